using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;

namespace PlatformOps.Integration.Tests.Vault;

public class PkiTests
{
    private static readonly TimeSpan Year = TimeSpan.FromDays(365), Day = TimeSpan.FromDays(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_leaf_carries_the_key_and_names_of_its_request_and_chains_to_the_root()
    {
        await using var vault = await TestVault.StartAsync();
        var (root, pki) = await AuthoritiesAsync(vault);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var signed = await pki.SignAsync("orders", Request(key, "db.orders.test"), Day, Ct);

        using var leaf = X509Certificate2.CreateFromPem(signed.Pem);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), leaf.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.True(leaf.MatchesHostname("db.orders.test"));
        Assert.Equal(signed.Serial.Replace(":", "", StringComparison.Ordinal), leaf.SerialNumber, ignoreCase: true);
        using var trusted = X509Certificate2.CreateFromPem(root.Pem);
        using var chain = Chain(trusted, signed.Chain);
        Assert.True(chain.Build(leaf), string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation)));
        Assert.Contains(signed.Serial, await pki.CertificatesAsync(Ct));
        Assert.Equal(leaf.RawData, X509Certificate2.CreateFromPem((await pki.ReadCertificateAsync(signed.Serial, Ct))!.Pem).RawData);
    }

    [Fact]
    public async Task A_name_that_the_role_does_not_allow_is_refused()
    {
        await using var vault = await TestVault.StartAsync();
        var (_, pki) = await AuthoritiesAsync(vault);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var failure = await Assert.ThrowsAsync<VaultException>(() => pki.SignAsync("orders", Request(key, "bank.example"), Day, Ct));
        Assert.Equal((AdapterFailureKind.Rejected, VaultTrouble.Refused), (failure.Kind, failure.Trouble));
        Assert.Contains("bank.example", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<VaultException>(() => pki.SignAsync("nobody", Request(key, "db.orders.test"), Day, Ct));
    }

    [Fact]
    public async Task A_revoked_certificate_is_on_the_list_and_revoking_again_is_no_failure()
    {
        await using var vault = await TestVault.StartAsync();
        var (_, pki) = await AuthoritiesAsync(vault);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signed = await pki.SignAsync("orders", Request(key, "db.orders.test"), Day, Ct);

        var at = await pki.RevokeAsync(signed.Serial, Ct);
        Assert.Equal(at, await pki.RevokeAsync(signed.Serial, Ct));

        Assert.Equal(at, (await pki.ReadCertificateAsync(signed.Serial, Ct))!.RevokedAt);
        var list = CertificateRevocationListBuilder.LoadPem(await pki.RevocationListAsync(Ct), out _);
        Assert.True(list.RemoveEntry(Convert.FromHexString(signed.Serial.Replace(":", "", StringComparison.Ordinal))));
        Assert.Null(await pki.ReadCertificateAsync("01:02:03:04", Ct));
    }

    [Fact]
    public async Task A_second_issuer_takes_over_when_it_becomes_the_default()
    {
        await using var vault = await TestVault.StartAsync();
        var pki = new VaultPki(vault.Root, await vault.MountAsync("pki"));
        var first = await pki.GenerateRootAsync("First", "first", Year, Ct);
        var second = await pki.GenerateRootAsync("Second", "second", Year, Ct);
        await pki.SetDefaultIssuerAsync("first", Ct);
        await pki.WriteRoleAsync("orders", Role, Ct);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Equal(first.Pem.Trim(), (await pki.SignAsync("orders", Request(key, "db.orders.test"), Day, Ct)).IssuerPem.Trim());
        Assert.Equal(second.Pem.Trim(), (await pki.SignAsync("orders", Request(key, "db.orders.test"), Day, Ct, issuer: "second")).IssuerPem.Trim());
        await pki.SetDefaultIssuerAsync("second", Ct);
        Assert.Equal(second.Pem.Trim(), (await pki.SignAsync("orders", Request(key, "db.orders.test"), Day, Ct)).IssuerPem.Trim());

        await pki.DeleteIssuerAsync("first", Ct);
        Assert.Equal(["second"], (await pki.IssuersAsync(Ct)).Select(issuer => issuer.Name));
    }

    [Fact]
    public async Task A_role_is_read_as_it_was_written()
    {
        await using var vault = await TestVault.StartAsync();
        var (_, pki) = await AuthoritiesAsync(vault);

        var read = (await pki.ReadRoleAsync("orders", Ct))!;
        Assert.Equal(Role.AllowedDomains, read.AllowedDomains);
        Assert.Equal(Role with { AllowedDomains = read.AllowedDomains }, read);
        Assert.Equal(["orders"], await pki.RolesAsync(Ct));
        await pki.DeleteRoleAsync("orders", Ct);
        Assert.Null(await pki.ReadRoleAsync("orders", Ct));
    }

    private static VaultPkiRole Role => new(["orders.test"]) { AllowSubdomains = true, Ttl = Day, MaxTtl = TimeSpan.FromDays(30) };

    /// <summary>A root in one engine, and an intermediate of it in another one that signs.</summary>
    private static async Task<(VaultIssuer Root, VaultPki Intermediate)> AuthoritiesAsync(TestVault vault)
    {
        var (roots, pki) = (new VaultPki(vault.Root, await vault.MountAsync("pki", suffix: "-root")), new VaultPki(vault.Root, await vault.MountAsync("pki")));
        var root = await roots.GenerateRootAsync("Test root", "root", Year, Ct);
        var signed = await roots.SignIntermediateAsync(await pki.GenerateIntermediateAsync("Test intermediate", Ct), "Test intermediate", TimeSpan.FromDays(90), Ct);
        Assert.Equal(2, (await pki.ImportSignedAsync($"{signed.Pem}\n{root.Pem}", Ct)).Count);
        await pki.WriteRoleAsync("orders", Role, Ct);
        return (root, pki);
    }

    private static string Request(ECDsa key, string name)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSigningRequestPem();
    }

    private static X509Chain Chain(X509Certificate2 root, IEnumerable<string> between)
    {
        var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        foreach (var pem in between)
            chain.ChainPolicy.ExtraStore.Add(X509Certificate2.CreateFromPem(pem));
        return chain;
    }
}
