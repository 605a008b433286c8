using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.External;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Certificates;

namespace PlatformOps.Activities.Certificates;

/// <summary>The certificates of one region that others renew: those of cert-manager, Vault's authorities, what the API server trusts of webhooks, managed databases, and servers outside.</summary>
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

    /// <summary>The managed databases that a component declares: their server certificates, who signs them, and whether those who connect are told to trust that.</summary>
    /// <param name="declared">What the component has in the region.</param>
    public async Task<IReadOnlyList<FoundCertificate>> OfDatabasesAsync(IReadOnlyList<DesiredObject> declared, Func<AwsConnection> aws, DateTimeOffset now, CancellationToken ct)
    {
        var names = declared.Where(item => item.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DatabaseInstance" }).Select(item => item.Address.Name).ToList();
        if (names.Count == 0)
            return [];
        try
        {
            var found = new List<FoundCertificate>();
            var (instances, authorities) = (new List<DatabaseInstance>(), await new DatabaseAuthorities(aws()).ListAsync(ct));
            foreach (var name in names)
                if (await new DatabaseInstances(aws()).FindAsync(name, ct) is { Authority: not null } instance)
                    instances.Add(instance);
            found.AddRange(instances.Select(instance => Outside(
                $"rds/{instance.Identifier}", $"server certificate of {instance.Identifier}, by {instance.Authority}", instance.CertificateEnds, CertificateAdvice.OfDatabase(instance.Identifier, instance.CertificateEnds, now))));
            foreach (var signed in instances.GroupBy(instance => instance.Authority!))
            {
                var authority = authorities.FirstOrDefault(known => known.Name == signed.Key);
                found.Add(Outside(
                    $"rds-authority/{signed.Key}", $"authority of RDS in {cluster.Region}", authority?.NotAfter, CertificateAdvice.OfDatabaseAuthority(signed.Key, [.. signed.Select(instance => instance.Identifier)], authority?.NotAfter, now)));
                if (authority is { Thumbprint.Length: > 0 })
                    found.AddRange(await OfTrustAsync(declared, authority, now, ct));
            }

            return found;
        }
        // What AWS does not tell is no reason to tell of nothing else.
        catch (AdapterException failure)
        {
            return [Outside("rds", $"managed databases of {cluster.Region}", null, failure.Message)];
        }
    }

    /// <summary>The servers of others that the platform relies on, and the names by which it is reached from outside. Each is asked in a handshake.</summary>
    /// <param name="declared">What the environment has in the region.</param>
    /// <param name="services">Whose credentials are rotated.</param>
    public async Task<IReadOnlyList<FoundCertificate>> OfEndpointsAsync(IReadOnlyList<DesiredObject> declared, IEnumerable<string> services, ExternalServices external, DateTimeOffset now, CancellationToken ct)
    {
        var stated = external.StatedEndpoints(declared.Where(item => item.Address.ApiVersion == ObjectKind.ExternalApiVersion).Select(item => item.Address.Kind), services)
            .Select(endpoint => (Name: $"endpoint/{endpoint.Address.Authority}", Where: $"{endpoint.Title} at {endpoint.Address.GetLeftPart(UriPartial.Authority)}", endpoint.Address, ServerName: endpoint.Address.Host, endpoint.Authorities));
        var edge = declared.Where(item => item.Address.Kind == "DnsRecord" && (string?)item.Manifest["spec"]?["type"] is "A" or "AAAA" or "CNAME").Select(item => (string?)item.Manifest["spec"]?["name"]).OfType<string>()
            .Where(name => !name.StartsWith('*')).Distinct().Select(name => (Name: $"edge/{name}", Where: $"{name}, as clients outside see it", Address: external.Edge(name)!, ServerName: name, Authorities: external.EdgeAuthorities)).Where(endpoint => endpoint.Address is not null);
        return await Task.WhenAll(stated.Concat(edge).Select(async endpoint =>
        {
            if (!TryTrust(endpoint.Authorities, out var authorities))
                return Outside(endpoint.Name, endpoint.Where, null, $"The authorities in {endpoint.Authorities}, which the connections state for it, cannot be read: write them there as PEM.");
            var seen = await TlsHandshake.AskAsync(endpoint.Address.Host, endpoint.Address.Port, endpoint.ServerName, null, ct, authorities);
            return Outside(endpoint.Name, endpoint.Where, seen.NotAfter, CertificateAdvice.OfEndpoint(endpoint.ServerName, seen.NotAfter, seen.IsForName, seen.Untrusted, seen.Detail, now)) with
            {
                Problem = CertificateAdvice.ProblemOf(seen.NotAfter, seen.IsForName, seen.Untrusted, now),
                LookedAt = now,
            };
        }));
    }

    /// <param name="file">A PEM file; null: the system's authorities are trusted.</param>
    /// <returns>False: it cannot be read.</returns>
    private static bool TryTrust(string? file, out X509Certificate2Collection? authorities)
    {
        authorities = file is null ? null : [];
        try
        {
            if (file is not null)
                authorities!.ImportFromPemFile(file);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return false;
        }
    }

    /// <summary>What of the component tells those who connect whom to trust.</summary>
    private async Task<IReadOnlyList<FoundCertificate>> OfTrustAsync(IReadOnlyList<DesiredObject> declared, DatabaseAuthority authority, DateTimeOffset now, CancellationToken ct)
    {
        var found = new List<FoundCertificate>();
        foreach (var map in declared.Where(item => item.Address is { ApiVersion: "v1", Kind: "ConfigMap" }))
        {
            foreach (var key in (map.Manifest["data"] as JsonObject ?? []).Select(entry => entry.Key).Where(key => key.EndsWith(".pem", StringComparison.Ordinal) || key.EndsWith(".crt", StringComparison.Ordinal)))
            {
                var place = $"ConfigMap {map.Address.Namespace}/{map.Address.Name}, {key}";
                var named = ReadLeaf.Thumbprints((string?)(await objects.FindAsync(map.Address, ct))?.Manifest["data"]?[key] ?? "").Contains(authority.Thumbprint);
                found.Add(Outside($"ConfigMap/{map.Address.Name}", place, named ? authority.NotAfter : null, CertificateAdvice.OfTrust(place, authority.Name, named)) with { Problem = named ? null : CertificateProblem.AuthorityMissing, LookedAt = now });
            }
        }

        return found;
    }

    private FoundCertificate Outside(string name, string where, DateTimeOffset? end, string? next) => Found(name, where, FoundOwner.External, end) with { Next = next };

    private FoundCertificate Found(string name, string where, FoundOwner owner, DateTimeOffset? end) => new(new(environment, cluster.Region, name), "", where, owner, end, null, Due: false, Unfinished: false);
}
