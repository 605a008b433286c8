using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Backups.Vault;

namespace PlatformOps.Activities.Backups;

/// <summary>Revokes again what a restore has made valid again. What was made after it is left: clients log in as soon as they can.</summary>
/// <param name="before">When it was written down what is valid, before the restore.</param>
internal sealed class VaultFence(VaultConnection connection, DateTimeOffset before, Action<string> progress, CancellationToken ct)
{
    private readonly VaultTokens tokens = new(connection);
    private readonly VaultLeases leases = new(connection);

    /// <returns>False: it was made since, or is gone.</returns>
    public async Task<bool> RevokeAsync(Revived again)
    {
        if (!await IsOldAsync(again))
            return false;
        progress($"{again} is revoked again.");
        switch (again.Kind)
        {
            case RevivedKind.Token:
                await tokens.RevokeAsync(again.Name, ct);
                break;
            case RevivedKind.Lease:
                await leases.RevokeAsync(again.Name, ct);
                break;
            case RevivedKind.SecretId:
                await new VaultAppRoles(connection, again.Mount).DestroySecretIdAsync(again.Name, again.Id!, ct);
                break;
            case RevivedKind.Certificate when again.Id is { Length: > 0 } pem:
                await new VaultPki(connection, again.Mount).RevokeGivenAsync(pem, ct);
                break;
            case RevivedKind.Certificate:
                await new VaultPki(connection, again.Mount).RevokeAsync(again.Name, ct);
                break;
            case RevivedKind.Issuer:
                await new VaultPki(connection, again.Mount).RevokeIssuerAsync(again.Name, ct);
                break;
            case RevivedKind.Destroyed:
                await new VaultKeyValues(connection, again.Mount).DestroyAsync(again.Name, [.. again.Versions!], ct);
                break;
            case var kind when kind == RevivedKind.Deleted:
                await new VaultKeyValues(connection, again.Mount).DeleteAsync(again.Name, [.. again.Versions!], ct);
                break;
            default:
                throw new InvalidOperationException($"Nobody knows how to revoke {again.Kind}.");
        }

        return true;
    }

    /// <summary>Whether it is from before the restore, and there.</summary>
    public async Task<bool> IsOldAsync(Revived again) => again.Kind switch
    {
        RevivedKind.Token => await tokens.MadeAtAsync(again.Name, ct) < before,
        RevivedKind.Lease => await leases.LookUpAsync(again.Name, ct) is { } lease && (lease.IssuedAt is null || lease.IssuedAt < before),
        RevivedKind.SecretId => await new VaultAppRoles(connection, again.Mount).LookUpAccessorAsync(again.Name, again.Id!, ct) is { } secret && (secret.CreatedAt is null || secret.CreatedAt < before),
        _ => true,
    };
}
