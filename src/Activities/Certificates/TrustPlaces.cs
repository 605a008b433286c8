using PlatformOps.Adapters;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Activities.Certificates;

/// <summary>Something that names whom to trust.</summary>
/// <param name="Bundle">The certificates in it as PEM, by fingerprint.</param>
internal sealed record NamedTrust(string Name, IReadOnlyDictionary<string, string> Bundle)
{
    /// <summary>All of it as one text.</summary>
    public string Pem => string.Concat(Bundle.Values);

    /// <summary>What it will name when a root takes the place of another one.</summary>
    /// <param name="root">As PEM.</param>
    /// <param name="instead">By fingerprint.</param>
    public string PemWith(string root, string instead) => string.Concat(Bundle.Where(known => known.Key != instead).Select(known => known.Value).Append(root));
}

/// <summary>Everything that names whom to trust of an authority: the Secrets of its certificates, a Secret of its own, and webhook configurations.</summary>
internal sealed class TrustPlaces(AuthorityDefinition authority, IReadOnlyList<CertificateDefinition> certificates, KubernetesConnection cluster, IReadOnlyDictionary<string, string> labels)
{
    private static readonly ObjectKind CertManagerCertificate = new("cert-manager.io/v1", "Certificate");

    private readonly TlsSecrets secrets = new(cluster);
    private readonly WebhookTrust webhooks = new(cluster);

    /// <summary>What each names. A Secret that is to be there and is not names nobody.</summary>
    public async Task<IReadOnlyList<NamedTrust>> ReadAsync(CancellationToken ct)
    {
        var found = new List<NamedTrust>();
        foreach (var (space, secret, stores) in Secrets)
        {
            var there = await secrets.FindAsync(space, secret, ct);
            // Without its certificate the Secret of one is made when that is issued.
            if (there is null && secret != authority.Secret)
                continue;
            found.Add(new($"Secret {space}/{secret}", ReadLeaf.Bundle(there?.Authorities ?? "")));
            found.AddRange(await stores.TrustAsync(there, ct));
        }

        foreach (var webhook in authority.Webhooks)
            found.Add(new(webhook, ReadLeaf.Bundle(await webhooks.ReadAsync(webhook, ct) ?? throw new AdapterException(AdapterFailureKind.Missing, $"{webhook} is not there: provision its component, or take it out of the authority's webhooks."))));
        return found;
    }

    /// <summary>Adds and removes roots everywhere. Others that are named stay.</summary>
    /// <param name="add">As PEM; those that are missing go behind what is there.</param>
    /// <param name="remove">By fingerprint.</param>
    public async Task WriteAsync(IReadOnlyList<string> add, IReadOnlyList<string> remove, CancellationToken ct)
    {
        foreach (var (space, secret, stores) in Secrets)
        {
            var before = await secrets.FindAsync(space, secret, ct);
            if (before is null && secret != authority.Secret)
                continue;
            var bundle = Changed(before?.Authorities ?? "", add, remove);
            if (bundle is null && await stores.TroubleAsync(before, null, ct) is null)
                continue;
            var named = bundle ?? before?.Authorities ?? "";
            await secrets.SetAuthoritiesAsync(space, secret, before, named, await stores.MakeAsync(before?.Certificate, before?.Key, named, ct), labels, ct);
        }

        foreach (var webhook in authority.Webhooks)
        {
            if (Changed(await webhooks.ReadAsync(webhook, ct) ?? "", add, remove) is { } bundle)
                await webhooks.WriteAsync(webhook, bundle, ct);
        }
    }

    /// <summary>A certificate of cert-manager's that the root has signed, or that the catalog says it signs: it would be refused without anybody having been asked.</summary>
    /// <returns>A sentence; null: there is none.</returns>
    public async Task<string?> ForeignAsync(string? root, CancellationToken ct)
    {
        var objects = new LiveObjects(cluster);
        if (root is null || (await objects.ServedAsync([CertManagerCertificate], ct)).Count == 0)
            return null;
        foreach (var certificate in await objects.ListAsync(CertManagerCertificate, null, "", ct))
        {
            var secret = (string?)certificate.Manifest["spec"]?["secretName"] ?? "";
            using var leaf = (await secrets.FindAsync(certificate.Address.Namespace!, secret, ct))?.Certificate is { } pem ? ReadLeaf.Of(pem) : null;
            if (certificates.Any(known => (known.Namespace, known.Secret) == (certificate.Address.Namespace, secret)) || leaf?.ChainsTo(root, leaf.NotBefore.AddMinutes(1)) == true)
                return $"Certificate {certificate.Address.Namespace}/{certificate.Address.Name}, which cert-manager renews, is signed by this authority: nobody would prove that it takes up the new one. Have it signed by another authority first.";
        }

        return null;
    }

    private IEnumerable<(string Space, string Secret, DeclaredKeystores Stores)> Secrets =>
        certificates.Select(certificate => (Space: certificate.Namespace, certificate.Secret, certificate.Keystores))
            .Concat(authority.Secret is { } own ? [(authority.Namespace, own, authority.Keystores)] : [])
            .DistinctBy(place => (place.Space, place.Secret))
            .Select(place => (place.Space, place.Secret, new DeclaredKeystores(secrets, place.Space, place.Secret, place.Keystores)));

    /// <returns>Null: it is so already.</returns>
    private static string? Changed(string before, IReadOnlyList<string> add, IReadOnlyList<string> remove)
    {
        var bundle = ReadLeaf.Bundle(before).ToList();
        var wanted = bundle.Where(known => !remove.Contains(known.Key)).ToList();
        wanted.AddRange(add.SelectMany(ReadLeaf.Bundle).Where(added => !wanted.Exists(known => known.Key == added.Key)));
        return wanted.Select(known => known.Key).SequenceEqual(bundle.Select(known => known.Key)) ? null : string.Concat(wanted.Select(known => known.Value));
    }
}
