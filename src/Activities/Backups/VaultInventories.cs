using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>Writes down what a Vault takes for valid. Reads names, accessors and serial numbers, and no value.</summary>
/// <param name="progress">Told what is read.</param>
internal sealed class VaultInventories(VaultConnection connection, Action<string> progress, CancellationToken ct)
{
    private readonly VaultSystem system = new(connection);

    /// <exception cref="AdapterException">Something cannot be read: what is not known is not taken for nothing.</exception>
    public async Task<VaultInventory> ReadAsync(DateTimeOffset now)
    {
        var (mounts, methods) = (await system.MountsAsync(ct), await system.LoginMethodsAsync(ct));
        progress("Tokens and leases are listed.");
        var tokens = await new VaultTokens(connection).AccessorsAsync(ct);
        var leases = await new VaultLeases(connection).ListAsync("", ct);
        return new()
        {
            At = now,
            Tokens = tokens.ToHashSet(),
            Leases = leases.ToHashSet(),
            Roles = await RolesAsync(Of(methods, "approle")),
            Authorities = await AuthoritiesAsync(Of(mounts, "pki")),
            Secrets = await SecretsAsync([.. mounts.Values.Where(mount => mount.Type == "kv" && mount.Options.GetValueOrDefault("version") == "2").Select(mount => mount.Path.TrimEnd('/'))]),
            Policies = await PoliciesAsync(),
            Mounts = [.. mounts.Values.Select(mount => $"{mount.Path} {mount.Type}").Concat(methods.Values.Select(method => $"auth/{method.Path} {method.Type}")).Order(StringComparer.Ordinal)],
        };
    }

    private static IReadOnlyList<string> Of(IReadOnlyDictionary<string, VaultMount> mounts, string type) => [.. mounts.Values.Where(mount => mount.Type == type).Select(mount => mount.Path.TrimEnd('/'))];

    private async Task<IReadOnlyList<InventoriedRole>> RolesAsync(IReadOnlyList<string> mounts)
    {
        var found = new List<InventoriedRole>();
        foreach (var mount in mounts)
        {
            var roles = new VaultAppRoles(connection, mount);
            foreach (var name in await roles.RolesAsync(ct))
            {
                progress($"Secret ids of {mount}/{name} are listed.");
                found.Add(new(mount, name, (await roles.SecretIdsAsync(name, ct)).ToHashSet()));
            }
        }

        return found;
    }

    private async Task<IReadOnlyList<InventoriedAuthority>> AuthoritiesAsync(IReadOnlyList<string> mounts)
    {
        var found = new List<InventoriedAuthority>();
        foreach (var mount in mounts)
        {
            progress($"Certificates of {mount} are listed.");
            var pki = new VaultPki(connection, mount);
            var revoked = new Dictionary<string, string>();
            foreach (var serial in await pki.RevokedAsync(ct))
                revoked[serial] = (await pki.ReadCertificateAsync(serial, ct))?.Pem ?? "";
            found.Add(new(mount, (await pki.CertificatesAsync(ct)).ToHashSet(), revoked, (await pki.IssuersAsync(ct)).ToDictionary(issuer => issuer.Id, issuer => issuer.Revoked)));
        }

        return found;
    }

    private async Task<IReadOnlyList<InventoriedSecret>> SecretsAsync(IReadOnlyList<string> mounts)
    {
        var found = new List<InventoriedSecret>();
        foreach (var mount in mounts)
            await FolderAsync(mount, new(connection, mount), "", found);
        return found;
    }

    private async Task FolderAsync(string mount, VaultKeyValues values, string folder, List<InventoriedSecret> found)
    {
        progress($"{mount}/{folder} is listed.");
        foreach (var name in await values.ListAsync(folder.TrimEnd('/'), ct))
        {
            var path = folder + name;
            if (name.EndsWith('/'))
                await FolderAsync(mount, values, path, found);
            // It is written anew with each backup.
            else if (path != VaultStore.Canary && await values.MetadataAsync(path, ct) is { } about)
                found.Add(new(
                    mount, path, about.CurrentVersion, about.Versions.Where(version => version.Value.Deleted).Select(version => version.Key).ToHashSet(),
                    about.Versions.Where(version => version.Value.Destroyed).Select(version => version.Key).ToHashSet()));
        }
    }

    private async Task<IReadOnlyDictionary<string, string>> PoliciesAsync()
    {
        var found = new Dictionary<string, string>();
        foreach (var name in await system.PoliciesAsync(ct))
            found[name] = CanonicalJson.Digest(await system.ReadPolicyAsync(name, ct) ?? "");
        return found;
    }
}
