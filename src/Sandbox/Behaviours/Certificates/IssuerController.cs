using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Custom;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Certificates;

/// <summary>cert-manager's Issuer or ClusterIssuer: says whether it can sign. A certificate authority needs its Secret; all others work.</summary>
internal sealed class IssuerController : CustomController
{
    public IssuerController(Cluster cluster, BehaviourOptions options, string kind) : base(cluster, options, CertManager.Group, kind) =>
        On(Resources.Secrets, change => All().Where(issuer => issuer.Spec.At("ca").Text("secretName") == change.Latest.Name).Select(issuer => issuer.Key));

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Find(key) is not { Deleting: false } issuer || !IsDue(issuer, issuer.Created))
            return;
        var ready = Judge(issuer);
        await WriteStatusAsync(issuer, new JsonObject { ["conditions"] = Conditions.Set(issuer.Status, Now, [ready]) }, ct);
    }

    private Condition Judge(ClusterObject issuer)
    {
        if (issuer.Spec.At("ca") is { } authority)
        {
            var name = authority.Text("secretName") ?? "";
            var secret = Cluster.Of(Resources.Secrets).Find(CertManager.SpaceOf(Cluster, issuer), name);
            using var found = secret is null ? null : IssuedCertificate.ReadWithKey(secret);
            return (secret, found) switch
            {
                (null, _) => new("Ready", false, "ErrGetKeyPair", $"Error getting keypair for CA issuer: secrets \"{name}\" not found"),
                (_, null) => new("Ready", false, "ErrInvalidKeyPair", $"Error getting keypair for CA issuer: error decoding certificate or key of secret \"{name}\""),
                _ => new("Ready", true, "KeyPairVerified", "Signing CA verified"),
            };
        }
        if (issuer.Spec.At("acme") is not null)
            return new("Ready", true, "ACMEAccountRegistered", "The ACME account was registered with the ACME server");
        return issuer.Spec.At("vault") is not null ? new("Ready", true, "VaultVerified", "Vault verified") : new("Ready", true, "IsReady");
    }
}
