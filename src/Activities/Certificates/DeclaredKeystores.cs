using PlatformOps.Adapters;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Certificates;

namespace PlatformOps.Activities.Certificates;

/// <summary>The keystores that are declared for a Secret: made from what its PEM says, and compared with it.</summary>
/// <param name="declared">Null: none.</param>
internal sealed class DeclaredKeystores(TlsSecrets secrets, string space, string name, KeystoreDefinition? declared)
{
    private static readonly IReadOnlyDictionary<string, byte[]> Nothing = new Dictionary<string, byte[]>();

    /// <summary>What to write beside the PEM, by key; empty: nothing is declared.</summary>
    public async Task<IReadOnlyDictionary<string, byte[]>> MakeAsync(string? certificate, SecretText? key, string authorities, CancellationToken ct) =>
        declared is null ? Nothing : Keystores.Make(declared.Formats, await PasswordAsync(ct), certificate, key, authorities);

    /// <summary>Whom each truststore names, whatever the PEM says: a consumer believes what it reads. One that is not there, or that the password does not open, names nobody.</summary>
    public async Task<IReadOnlyList<NamedTrust>> TrustAsync(TlsSecret? secret, CancellationToken ct)
    {
        if (declared is null)
            return [];
        var password = await PasswordAsync(ct);
        return [.. declared.Formats.Select(format => new NamedTrust(
            $"{format.Truststore()} of Secret {space}/{name}",
            (secret?.Stores.GetValueOrDefault(format.Truststore()) is { } store ? Keystores.Trusted(format, store, password) : null) ?? new Dictionary<string, string>()))];
    }

    /// <summary>What keeps a consumer from reading in a keystore what the PEM says.</summary>
    /// <param name="fingerprint">Of the certificate; null: whom to trust is all that there is.</param>
    /// <returns>A sentence; null: nothing.</returns>
    public async Task<string?> TroubleAsync(TlsSecret? secret, string? fingerprint, CancellationToken ct)
    {
        if (declared is null || secret is null)
            return null;
        var trusted = ReadLeaf.Bundle(secret.Authorities ?? "").Keys.ToHashSet();
        foreach (var place in await TrustAsync(secret, ct))
        {
            if (!trusted.SetEquals(place.Bundle.Keys))
                return $"{place.Name} is not there, cannot be read with the password of Secret {space}/{declared.PasswordSecret}, or names others than ca.crt.";
        }

        if (fingerprint is null)
            return null;
        var password = await PasswordAsync(ct);
        return declared.Formats.Where(format => (secret.Stores.GetValueOrDefault(format.Keystore()) is { } store ? Keystores.Leaf(format, store, password) : null) != fingerprint)
            .Select(format => $"{format.Keystore()} of Secret {space}/{name} is not there, cannot be read with the password of Secret {space}/{declared.PasswordSecret}, or holds another certificate than tls.crt.").FirstOrDefault();
    }

    private async Task<SecretText> PasswordAsync(CancellationToken ct) => await secrets.ReadAsync(space, declared!.PasswordSecret, declared.PasswordKey, ct)
        ?? throw new AdapterException(AdapterFailureKind.Rejected, $"Secret {space}/{declared.PasswordSecret} has no {declared.PasswordKey}: the password of the keystores in Secret {space}/{name}. Provision it, or correct keystores.passwordSecretRef in the catalog.");
}
