namespace PlatformOps.Platform.Tests.Catalog;

/// <summary><c>certificates</c> and <c>certificateAuthorities</c> of the catalog.</summary>
public sealed class CertificateDefinitionTests
{
    private const string Leaf = "{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: [web.shop.svc]}";

    [Fact]
    public void Is_read_with_its_defaults()
    {
        var result = SmallCatalog.Read(new() { ["web"] = $"name: web\ncertificateAuthorities: [ {{name: internal}} ]\ncertificates: [ {Leaf} ]" });
        Assert.Empty(result.Problems);
        var component = Assert.Single(result.Catalog!.Components);
        var certificate = Assert.Single(component.Certificates);
        Assert.Equal(("web", "internal", "platform", "web-tls", component.Namespace, 66, (int?)null), (certificate.Name, certificate.Authority, certificate.Role, certificate.Secret, certificate.Namespace, certificate.RenewAt, certificate.Port));
        Assert.Equal((TimeSpan.FromDays(30), TimeSpan.FromMinutes(10), "web.shop.svc"), (certificate.Lifetime, certificate.Settle, certificate.ServerName));
        Assert.Equal(("internal", "pki", 60), (component.CertificateAuthorities[0].Name, component.CertificateAuthorities[0].Mount, component.CertificateAuthorities[0].PerMinute));
    }

    [Theory]
    [InlineData("{name: web, authority: nobody, role: platform, secret: web-tls, dnsNames: [web]}", "certificates[0].authority", "no component declares the certificate authority nobody")]
    [InlineData("{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: []}", "certificates[0].dnsNames", "is empty")]
    [InlineData("{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: [Web_1]}", "certificates[0].dnsNames[0]", "a DNS name")]
    [InlineData("{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: [web], port: 70000}", "certificates[0].port", "65535")]
    [InlineData("{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: [web], renewAt: 95}", "certificates[0].renewAt", "90")]
    [InlineData("{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: [web], keystores: {formats: [pkcs12]} }", "certificates[0].keystores.passwordSecretRef", "is missing")]
    [InlineData("{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: [web], keystores: {formats: [], passwordSecretRef: {name: word} } }", "certificates[0].keystores.formats", "is empty")]
    [InlineData("{name: web, authority: internal, role: platform, secret: web-tls, dnsNames: [web], keystores: {formats: [pem], passwordSecretRef: {name: word} } }", "certificates[0].keystores.formats[0]", "pkcs12")]
    [InlineData(Leaf + ", " + Leaf, "certificates[0].name", "names are unique")]
    [InlineData(Leaf + ", {name: other, authority: internal, role: platform, secret: web-tls, dnsNames: [web]}", "certificates[0].secret", "give each its own")]
    public void Says_what_is_wrong_with_it(string certificates, string path, string expected)
    {
        var result = SmallCatalog.Read(new() { ["web"] = $"name: web\ncertificateAuthorities: [ {{name: internal}} ]\ncertificates: [ {certificates} ]" });
        Assert.Contains(result.Problems, problem => problem.Path.EndsWith(path, StringComparison.Ordinal) && problem.Message.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Truststores_of_an_authority_need_a_Secret_of_its_own()
    {
        var result = SmallCatalog.Read(new() { ["web"] = "name: web\ncertificateAuthorities: [ {name: internal, keystores: {formats: [jks], passwordSecretRef: {name: word, key: store} } } ]" });
        Assert.Contains(result.Problems, problem => problem.Path.EndsWith("certificateAuthorities[0].secret", StringComparison.Ordinal));
        var read = SmallCatalog.Read(new() { ["web"] = "name: web\ncertificateAuthorities: [ {name: internal, secret: ca, keystores: {formats: [jks, pkcs12], passwordSecretRef: {name: word, key: store} } } ]" });
        Assert.Empty(read.Problems);
        var keystores = read.Catalog!.Components[0].CertificateAuthorities[0].Keystores!;
        Assert.Equal(("word", "store", 2), (keystores.PasswordSecret, keystores.PasswordKey, keystores.Formats.Count));
    }

    [Fact]
    public void Authorities_have_names_and_engines_of_their_own()
    {
        var result = SmallCatalog.Read(new() { ["web"] = "name: web\ncertificateAuthorities: [ {name: internal}, {name: internal, mount: other}, {name: third} ]" });
        Assert.Contains(result.Problems, problem => problem.Path.EndsWith("certificateAuthorities[1].name", StringComparison.Ordinal));
        Assert.Contains(result.Problems, problem => problem.Path.EndsWith("certificateAuthorities[2].mount", StringComparison.Ordinal));
    }
}
