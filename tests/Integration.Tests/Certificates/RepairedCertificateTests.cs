using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>Certificates that somebody left half-done, or broke.</summary>
public sealed class RepairedCertificateTests(SandboxCluster cluster)
{
    private static readonly string[] States =
    [
        "the Secret is gone", "no certificate that can be read", "the key is another one's", "another name", "revoked by somebody", "of nobody known", "an earlier run was killed after it had issued",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Repairs_what_is_found_half_done()
    {
        await using var world = await CertificateWorld.StartAsync(cluster);
        foreach (var state in States)
        {
            var (before, published) = (await world.SerialAsync(), await world.PublishedAsync());
            await BreakAsync(world, state, before);

            var report = await world.RotateAsync();
            Assert.True(report.Outcome == CertificateOutcome.Rotated, $"{state}: {report.Summary}");
            Assert.All(report.Consumers.SelectMany(consumer => consumer.Pods), pod => Assert.Equal(report.Fingerprint, pod.Fingerprint));
            Assert.False(await world.IsRevokedAsync(await world.SerialAsync()), state);
            Assert.NotEqual(published.Key, (await world.PublishedAsync()).Key);
            if (state is "revoked by somebody" or "an earlier run was killed after it had issued")
                Assert.True(await world.IsRevokedAsync(before), state);
        }
    }

    private static async Task BreakAsync(CertificateWorld world, string state, string before)
    {
        switch (state)
        {
            case "the Secret is gone":
                await world.Kubectl.DeleteAsync(KubectlLike.Secret(world.Platform.Space, CertificateWorld.SecretName));
                break;
            case "no certificate that can be read":
                await world.ChangeSecretAsync($$"""{"data":{"tls.crt":"{{CertificateWorld.Encoded("nonsense")}}"} }""");
                break;
            case "the key is another one's":
                await world.ChangeSecretAsync($$"""{"data":{"tls.key":"{{CertificateWorld.Encoded(Foreign("other.test").Key)}}"} }""");
                break;
            case "another name":
                var (wrong, wrongKey) = Foreign("other.test");
                await world.ChangeSecretAsync($$"""{"data":{"tls.crt":"{{CertificateWorld.Encoded(wrong)}}","tls.key":"{{CertificateWorld.Encoded(wrongKey)}}"} }""");
                break;
            case "of nobody known":
                var (foreign, key) = Foreign(CertificateWorld.ServerName);
                await world.ChangeSecretAsync($$"""{"metadata":{"annotations":{"certificates.platformops.io/rotation":null} },"data":{"tls.crt":"{{CertificateWorld.Encoded(foreign)}}","tls.key":"{{CertificateWorld.Encoded(key)}}","ca.crt":"{{CertificateWorld.Encoded(foreign)}}"} }""");
                break;
            case "revoked by somebody":
                await world.Pki.RevokeAsync(before, Ct);
                break;
            default:
                var killed = await world.BeginAsync(settle: "1h");
                await Wait.UntilAsync(
                    async () => (await killed.QueryAsync(workflow => workflow.Status())).Steps.Single(step => step.Name == "issue").State == StepState.Done, () => "It issues nothing.", TimeSpan.FromMinutes(2));
                await killed.TerminateAsync();
                Assert.False(await world.IsRevokedAsync(before));
                break;
        }
    }

    /// <summary>A certificate that nobody has signed but itself.</summary>
    internal static (string Certificate, string Key) Foreign(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddDays(1));
        return ($"{made.ExportCertificatePem()}\n", $"{key.ExportPkcs8PrivateKeyPem()}\n");
    }
}
