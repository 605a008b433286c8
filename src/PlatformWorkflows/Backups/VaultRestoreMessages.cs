using PlatformOps.Platform.Backups.Vault;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreVault</c> (workflow id <c>restore/{environment}/{store}</c>).</summary>
public sealed record RestoreVaultInput : StoreRestoreInput
{
    /// <summary>Vault has other unseal keys than the set, a new one for example: it is sealed by the restore, until those of the set are given. Default: it has the same, and anything else is refused.</summary>
    public bool OtherKeys { get; init; }
}

/// <summary>The result of <c>RestoreVault</c>.</summary>
public sealed record VaultRestoreReport : StoreRestoreReport<VaultRestorePlan>
{
    /// <summary>What had been revoked since the set was made, and was revoked again: the first of it.</summary>
    public required IReadOnlyList<string> Revoked { get; init; }

    /// <summary>What somebody has to see to, a sentence each: the first of them.</summary>
    public required IReadOnlyList<string> Named { get; init; }

    /// <summary>From the order until it took our login with the state of the set; null: it did not.</summary>
    public TimeSpan? RestoreTook { get; init; }
}
