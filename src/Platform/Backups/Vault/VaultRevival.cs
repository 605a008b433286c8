using System.Globalization;

namespace PlatformOps.Platform.Backups.Vault;

/// <summary>What kind of thing a restore has made valid again.</summary>
public enum RevivedKind
{
    Token,
    Lease,
    SecretId,
    Certificate,
    Issuer,

    /// <summary>Versions of a secret that had been destroyed.</summary>
    Destroyed,

    /// <summary>Versions of a secret that had been hidden.</summary>
    Deleted,
}

/// <summary>Something that was not valid any more when the restore began, and is again.</summary>
/// <param name="Mount">Where; empty for tokens and leases.</param>
/// <param name="Name">Accessor, lease, role, serial number, issuer or path.</param>
/// <param name="Id">The accessor of a secret id, or the certificate as PEM; null otherwise.</param>
/// <param name="Versions">Of a secret; empty otherwise.</param>
public sealed record Revived(RevivedKind Kind, string Mount, string Name, string? Id = null, IReadOnlyList<int>? Versions = null)
{
    /// <summary>For people.</summary>
    public override string ToString() => Kind switch
    {
        RevivedKind.Token => $"token {Name}",
        RevivedKind.Lease => $"lease {Name}",
        RevivedKind.SecretId => $"secret id {Id} of role {Name} ({Mount})",
        RevivedKind.Certificate => $"certificate {Name} of {Mount}",
        RevivedKind.Issuer => $"issuer {Name} of {Mount}",
        var kind => $"{(kind == RevivedKind.Destroyed ? "destroyed" : "deleted")} version {string.Join(", ", Versions!.Select(version => version.ToString(CultureInfo.InvariantCulture)))} of {Mount}/{Name}",
    };
}

/// <summary>Compares what was valid before a restore with what is valid after it.</summary>
/// <param name="Again">What has to be revoked again.</param>
/// <param name="Named">What cannot be taken back by revoking, and somebody has to see to, a sentence each.</param>
public sealed record VaultRevival(IReadOnlyList<Revived> Again, IReadOnlyList<string> Named)
{
    /// <param name="before">Just before the restore.</param>
    /// <param name="after">Of the restored Vault. Tokens, leases and secret ids in it may be new: whoever revokes looks when each was made.</param>
    public static VaultRevival Of(VaultInventory before, VaultInventory after)
    {
        var (again, named) = (new List<Revived>(), new List<string>());
        again.AddRange(after.Tokens.Except(before.Tokens).Order(StringComparer.Ordinal).Select(accessor => new Revived(RevivedKind.Token, "", accessor)));
        again.AddRange(after.Leases.Except(before.Leases).Order(StringComparer.Ordinal).Select(lease => new Revived(RevivedKind.Lease, "", lease)));
        foreach (var lost in before.Leases.Except(after.Leases).GroupBy(Place).OrderBy(place => place.Key, StringComparer.Ordinal))
            named.Add($"{lost.Count()} leases of {lost.Key} were handed out since, and the restored Vault does not know them: what they gave lives on where it was made until somebody removes it.");
        foreach (var role in after.Roles)
            again.AddRange(role.SecretIds.Except(Role(before, role)?.SecretIds ?? new HashSet<string>()).Order(StringComparer.Ordinal).Select(accessor => new Revived(RevivedKind.SecretId, role.Mount, role.Name, accessor)));
        named.AddRange(after.Roles.Where(role => Role(before, role) is null).Select(role => $"Role {role.Name} ({role.Mount}) had been removed and is there again."));
        foreach (var role in before.Roles)
        {
            if (role.SecretIds.Except(Role(after, role)?.SecretIds ?? new HashSet<string>()).Count() is > 0 and var lost)
                named.Add($"{lost} secret ids of role {role.Name} ({role.Mount}) were made since and are not good any more: give whoever has them new ones.");
        }

        foreach (var authority in before.Authorities)
            Compare(authority, after.Authorities.FirstOrDefault(same => same.Mount == authority.Mount), again, named);
        Compare(before.Secrets, after.Secrets, again, named);
        foreach (var policy in before.Policies.Keys.Union(after.Policies.Keys).Order(StringComparer.Ordinal))
        {
            var (was, now) = (before.Policies.GetValueOrDefault(policy), after.Policies.GetValueOrDefault(policy));
            if (was != now)
                named.Add($"Policy {policy} {(now is null ? "was made since and is gone" : was is null ? "had been removed and is there again" : "was another one, and is that of then again")}.");
        }

        named.AddRange(before.Mounts.Except(after.Mounts).Select(mount => $"{mount} was mounted since and is gone."));
        named.AddRange(after.Mounts.Except(before.Mounts).Select(mount => $"{mount} had been removed and is there again, with everything that it had."));
        return new(again, named);
    }

    /// <summary>Where nobody knows what was valid before: everything that is valid now, to be looked at one by one.</summary>
    public static IReadOnlyList<string> Everything(VaultInventory after) =>
    [
        .. after.Tokens.Order(StringComparer.Ordinal).Select(accessor => $"token {accessor} is valid."),
        .. after.Leases.Order(StringComparer.Ordinal).Select(lease => $"lease {lease} is valid."),
        .. after.Roles.SelectMany(role => role.SecretIds.Order(StringComparer.Ordinal).Select(accessor => $"secret id {accessor} of role {role.Name} ({role.Mount}) is valid.")),
        .. after.Authorities.SelectMany(authority => authority.Certificates.Except(authority.Revoked.Keys).Order(StringComparer.Ordinal).Select(serial => $"certificate {serial} of {authority.Mount} is not revoked.")),
        .. after.Secrets.Select(secret => $"{secret.Mount}/{secret.Path} is at version {secret.Current}."),
    ];

    private static void Compare(InventoriedAuthority before, InventoriedAuthority? after, List<Revived> again, List<string> named)
    {
        if (after is null)
            return;
        again.AddRange(before.Revoked.Where(revoked => !after.Revoked.ContainsKey(revoked.Key)).OrderBy(revoked => revoked.Key, StringComparer.Ordinal)
            .Select(revoked => new Revived(RevivedKind.Certificate, before.Mount, revoked.Key, after.Certificates.Contains(revoked.Key) ? null : revoked.Value)));
        if (before.Certificates.Except(after.Certificates).Except(before.Revoked.Keys).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } unknown)
            named.Add($"{unknown.Count} certificates of {before.Mount} were issued since: the restored Vault does not know them, and revokes them only when it is given them: {string.Join(", ", unknown)}.");
        foreach (var (issuer, revoked) in before.Issuers)
        {
            if (!after.Issuers.TryGetValue(issuer, out var now))
                named.Add($"Issuer {issuer} of {before.Mount} was made since and is gone: what it signed cannot be revoked there.");
            else if (revoked && !now)
                again.Add(new(RevivedKind.Issuer, before.Mount, issuer));
        }

        named.AddRange(after.Issuers.Keys.Except(before.Issuers.Keys).Select(issuer => $"Issuer {issuer} of {before.Mount} had been removed and is there again."));
    }

    private static void Compare(IReadOnlyList<InventoriedSecret> before, IReadOnlyList<InventoriedSecret> after, List<Revived> again, List<string> named)
    {
        var known = before.ToDictionary(secret => (secret.Mount, secret.Path));
        foreach (var now in after)
        {
            if (!known.Remove((now.Mount, now.Path), out var was))
            {
                named.Add($"{now.Mount}/{now.Path} had been removed and is there again, at version {now.Current}: remove it again if it was revoked.");
                continue;
            }

            if (was.Destroyed.Where(version => version <= now.Current).Except(now.Destroyed).Order().ToList() is { Count: > 0 } destroyed)
                again.Add(new(RevivedKind.Destroyed, now.Mount, now.Path, null, destroyed));
            if (was.Deleted.Where(version => version <= now.Current).Except(now.Deleted).Except(was.Destroyed).Order().ToList() is { Count: > 0 } deleted)
                again.Add(new(RevivedKind.Deleted, now.Mount, now.Path, null, deleted));
            if (was.Current > now.Current)
                named.Add($"{now.Mount}/{now.Path} is at version {now.Current} again, and was at {was.Current}: what was written since is lost, and the old value may be refused where it is used. Rotate it.");
        }

        named.AddRange(known.Values.Select(secret => $"{secret.Mount}/{secret.Path} was written since and is gone."));
    }

    private static InventoriedRole? Role(VaultInventory inventory, InventoriedRole role) => inventory.Roles.FirstOrDefault(same => (same.Mount, same.Name) == (role.Mount, role.Name));

    /// <summary>A lease without its last part, which is chance.</summary>
    private static string Place(string lease) => lease.LastIndexOf('/') is > 0 and var end ? lease[..end] : lease;
}
