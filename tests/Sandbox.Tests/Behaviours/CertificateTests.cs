using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class CertificateTests(Clusters clusters)
{
    private static readonly ApiResource Certificates = CustomTests.Kind("cert-manager.io", "v1", "Certificate");
    private static readonly ApiResource Issuers = CustomTests.Kind("cert-manager.io", "v1", "Issuer");
    private static readonly ApiResource ClusterIssuers = CustomTests.Kind("cert-manager.io", "v1", "ClusterIssuer", namespaced: false);

    private const string Web = """
        metadata: {name: web}
        spec:
          secretName: web-tls
          commonName: web.example.com
          dnsNames: [web.example.com, web]
          duration: 24h
          usages: [server auth]
          privateKey: {algorithm: ECDSA, size: 256}
          issuerRef: {name: internal, kind: Issuer}
        """;

    [Theory, OnEveryCluster]
    public async Task A_certificate_is_signed_by_the_authority_of_its_issuer_as_soon_as_that_is_there(string target)
    {
        var (cluster, space) = await StartAsync(target);
        await cluster.CreateAsync(Certificates, space, Web);
        await cluster.CreateAsync(Issuers, space, "{metadata: {name: internal}, spec: {ca: {secretName: root-tls}}}");
        var waiting = await cluster.UntilAsync(Issuers, space, "internal", item => Ready(item) == "False");
        Assert.Equal("Error getting keypair for CA issuer: secrets \"root-tls\" not found", waiting.Status.Item("conditions", "type", "Ready").Text("message"));
        await cluster.UntilAsync(Certificates, space, "web", item => Ready(item) == "False");

        await cluster.CreateAsync(Issuers, space, "{metadata: {name: self}, spec: {selfSigned: {}}}");
        await cluster.CreateAsync(Certificates, space, "{metadata: {name: root}, spec: {isCA: true, commonName: root, secretName: root-tls, privateKey: {algorithm: ECDSA}, issuerRef: {name: self}}}");

        var ready = await cluster.UntilAsync(Certificates, space, "web", item => Ready(item) == "True");
        using var root = await CertificateAsync(cluster, space, "root-tls");
        using var web = await CertificateAsync(cluster, space, "web-tls");
        using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
        chain.ChainPolicy.CustomTrustStore.Add(root);
        Assert.True(chain.Build(web), string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation)));
        Assert.True(web.MatchesHostname("web.example.com"));
        Assert.Equal(ready.Status.Time("notAfter"), new DateTimeOffset(web.NotAfter.ToUniversalTime()));
        Assert.Equal(ready.Status.Time("notAfter") - TimeSpan.FromHours(8), ready.Status.Time("renewalTime"));
        Assert.Equal(1, ready.Status.Number("revision"));
        Assert.Null(ready.Status.Item("conditions", "type", "Issuing"));
        Assert.Equal("kubernetes.io/tls", (await cluster.GetAsync(Resources.Secrets, space, "web-tls")).Body.Text("type"));
    }

    [Theory, OnEveryCluster]
    public async Task It_is_issued_again_when_its_Secret_goes_when_its_names_change_and_when_somebody_asks(string target)
    {
        var (cluster, space) = await StartAsync(target);
        await cluster.CreateAsync(ClusterIssuers, "", "{metadata: {name: public}, spec: {acme: {server: 'https://acme.example.com/directory'}}}");
        await cluster.CreateAsync(Certificates, space, Web.Replace("name: internal, kind: Issuer", "name: public, kind: ClusterIssuer"));
        await cluster.UntilAsync(Certificates, space, "web", IsAt(1));

        await cluster.Client.DeleteAsync(await cluster.GetAsync(Resources.Secrets, space, "web-tls"), "Background", null, default);
        await cluster.UntilAsync(Certificates, space, "web", IsAt(2));

        await cluster.PatchAsync(Certificates, space, "web", "spec: {dnsNames: [web.example.com, web, www]}");
        await cluster.UntilAsync(Certificates, space, "web", IsAt(3));
        using (var widened = await CertificateAsync(cluster, space, "web-tls"))
            Assert.True(widened.MatchesHostname("www"));

        var asked = await cluster.GetAsync(Certificates, space, "web");
        await cluster.Client.PatchAsync(asked, Yaml.Read("status: {conditions: [{type: Issuing, status: 'True', reason: ManuallyTriggered, message: asked}]}"), "status", default);
        await cluster.UntilAsync(Certificates, space, "web", IsAt(4));
    }

    [Fact]
    public async Task It_is_renewed_when_two_thirds_of_its_life_are_over()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn, clock);
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(timeScale: 0, clock), default);
        await CustomTests.ServeChartAsync(cluster, "cert-manager");
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Issuers, space, "{metadata: {name: internal}, spec: {selfSigned: {}}}");
        await cluster.CreateAsync(Certificates, space, Web);
        var first = await cluster.UntilAsync(Certificates, space, "web", IsAt(1));

        clock.Advance(TimeSpan.FromHours(15));
        while (!behaviours.Idle)
            await Task.Yield();
        Assert.True(IsAt(1)(await cluster.GetAsync(Certificates, space, "web")));
        clock.Advance(TimeSpan.FromHours(1));

        var second = await cluster.UntilAsync(Certificates, space, "web", IsAt(2));
        Assert.Equal(first.Status.Time("notAfter") + TimeSpan.FromHours(16), second.Status.Time("notAfter"));
    }

    private async Task<(TestCluster, string)> StartAsync(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        await CustomTests.ServeChartAsync(cluster, "cert-manager");
        return (cluster, await cluster.NamespaceAsync());
    }

    private static string? Ready(ClusterObject item) => item.Status.Item("conditions", "type", "Ready").Text("status");

    private static Func<ClusterObject, bool> IsAt(int revision) => item => Ready(item) == "True" && item.Status.Number("revision") == revision;

    private static async Task<X509Certificate2> CertificateAsync(TestCluster cluster, string space, string secret)
    {
        var data = (await cluster.GetAsync(Resources.Secrets, space, secret)).Body.At("data");
        string Part(string name) => Encoding.ASCII.GetString(Convert.FromBase64String(data.Text(name)!));
        return X509Certificate2.CreateFromPem(Part("tls.crt"), Part("tls.key"));
    }
}
