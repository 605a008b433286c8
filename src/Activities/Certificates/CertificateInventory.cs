using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Certificates;

namespace PlatformOps.Activities.Certificates;

/// <summary>The certificates of one region that others renew: those of cert-manager, Vault's authorities, and what the API server trusts of webhooks.</summary>
internal sealed class CertificateInventory(string environment, KubernetesConnection cluster)
{
    private static readonly ObjectKind Certificate = new("cert-manager.io/v1", "Certificate");

    private static readonly ObjectKind[] Webhooks =
        [new("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"), new("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")];

    private readonly LiveObjects objects = new(cluster);

    /// <summary>cert-manager's, but for those that the catalog declares.</summary>
    public async Task<IReadOnlyList<FoundCertificate>> OfCertManagerAsync(IReadOnlyList<CertificateDefinition> declared, CancellationToken ct)
    {
        if ((await objects.ServedAsync([Certificate], ct)).Count == 0)
            return [];
        return [.. (await objects.ListAsync(Certificate, null, "", ct))
            .Where(certificate => !declared.Any(known => (known.Namespace, known.Secret) == (certificate.Address.Namespace, (string?)certificate.Manifest["spec"]?["secretName"])))
            .Select(certificate => Found(
                $"{certificate.Address.Namespace}/{certificate.Address.Name}", $"Secret {certificate.Address.Namespace}/{(string?)certificate.Manifest["spec"]?["secretName"]}", FoundOwner.CertManager,
                DateTimeOffset.TryParse((string?)certificate.Manifest["status"]?["notAfter"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) ? end : null))];
    }

    /// <summary>Every issuer of an authority's engine.</summary>
    public async Task<IReadOnlyList<FoundCertificate>> OfVaultAsync(AuthorityDefinition authority, VaultPki pki, CancellationToken ct)
    {
        var found = new List<FoundCertificate>();
        foreach (var issuer in await pki.IssuersAsync(ct))
        {
            using var read = ReadLeaf.Of(issuer.Pem);
            var name = issuer.Name.Length > 0 ? issuer.Name : issuer.Id;
            found.Add(Found($"{authority.Name}/{name}", $"issuer {name} of {authority.Mount}", FoundOwner.Vault, read?.NotAfter));
        }

        return found;
    }

    /// <summary>What stands in webhook configurations: of several authorities in one bundle the one that ends first.</summary>
    public async Task<IReadOnlyList<FoundCertificate>> OfWebhooksAsync(CancellationToken ct)
    {
        var found = new List<FoundCertificate>();
        foreach (var kind in await objects.ServedAsync(Webhooks, ct))
        {
            foreach (var configuration in await objects.ListAsync(kind, null, "", ct))
            {
                var bundles = (configuration.Manifest["webhooks"] as JsonArray ?? []).OfType<JsonObject>().Select(webhook => (string?)webhook["clientConfig"]?["caBundle"]).Where(bundle => bundle is { Length: > 0 }).Distinct().ToList();
                var name = $"{configuration.Address.Kind}/{configuration.Address.Name}";
                if (bundles.Count > 0)
                    found.Add(Found(name, name, FoundOwner.External, bundles.Select(bundle => ReadLeaf.EarliestEnd(Encoding.UTF8.GetString(Convert.FromBase64String(bundle!)))).Min()));
            }
        }

        return found;
    }

    private FoundCertificate Found(string name, string where, FoundOwner owner, DateTimeOffset? end) => new(new(environment, cluster.Region, name), "", where, owner, end, null, Due: false, Unfinished: false);
}
