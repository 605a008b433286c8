using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Vault;
using PlatformOps.Starter.Certificates;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Certificates;
using Temporalio.Client;

namespace PlatformOps.Starter.Demos;

/// <summary>What of it speaks TLS: an authority in Vault, and two Deployments whose pods want to see each other's certificates. One reloads what changes; the other reads it when it starts.</summary>
internal sealed partial class RotationDemoWorld
{
    public const string Authority = "internal", Certificate = "storefront", Role = "storefront", ServerName = "storefront.shop.test", Reloading = "gateway", Restarted = "checkout";

    /// <summary>Where pods speak TLS, each at its own address.</summary>
    public const int TlsPort = 18443;

    private VaultPki pki = null!;

    /// <summary>Pods that speak TLS; nobody does until there is a certificate.</summary>
    public TlsPods Pods { get; private set; } = null!;

    /// <summary>A certificate of the root that signs now, with its key.</summary>
    public async Task<X509Certificate2> SignedNowAsync(CancellationToken ct)
    {
        using var request = new LeafRequest([ServerName]);
        using var leaf = ReadLeaf.Of((await pki.SignAsync(Role, request.Pem, TimeSpan.FromHours(1), ct)).Pem)!;
        return leaf.WithKey(request.Key)!;
    }

    private async Task StartAuthorityAsync(CancellationToken ct)
    {
        await new VaultSystem(root).MountAsync("pki", "pki", ct, longestTtl: TimeSpan.FromDays(3650));
        pki = new(root);
        await pki.GenerateRootAsync("Demo root", "first", TimeSpan.FromDays(365), ct);
        await pki.SetDefaultIssuerAsync("first", ct);
        await pki.WriteRoleAsync(Role, new([ServerName]) { AllowBareDomains = true, MaxTtl = TimeSpan.FromDays(30) }, ct);
    }

    /// <summary>The first certificate; from then on the pods make handshakes.</summary>
    private async Task IssueAsync(CancellationToken ct)
    {
        // Before it: the run ends when every pod serves what it has issued.
        Pods = new(new(Cluster, Space, TlsPort, ServerName, Mutual: true, async serial => (await pki.ReadCertificateAsync(serial, CancellationToken.None))?.RevokedAt is not null));
        Pods.Reloading[Reloading] = true;
        var input = new RotateCertificateInput { Environment = Environment, Certificate = Certificate, Region = Region };
        await Client.ExecuteWorkflowAsync<RotateCertificateReport>(
            nameof(RotateCertificate), [input], new(RotateCertificate.WorkflowId(Environment, Certificate, Region), TaskQueues.Default) { Rpc = new() { CancellationToken = ct } });
        await FailoverWorld.UntilAsync("every pod speaks TLS", () => Task.FromResult(Pods.Handshakes > 50), ct, TimeSpan.FromMinutes(3));
    }
}
