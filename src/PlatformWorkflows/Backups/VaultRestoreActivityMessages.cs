using PlatformOps.Platform.Backups.Vault;

namespace PlatformOps.Workflows.Backups;

/// <param name="Set">Null: whichever fits.</param>
/// <param name="Target">Null: the newest.</param>
/// <param name="OtherKeys">Whether Vault may have other unseal keys than the set.</param>
public sealed record PlanVaultRestoreInput(StoreReference Store, string Operation, string? Set, DateTimeOffset? Target, bool OtherKeys);

/// <param name="Plan">As it was approved.</param>
public sealed record VaultRestoreStepInput(StoreReference Store, string Operation, VaultRestorePlan Plan, VaultRestoreStep Step);

/// <param name="Detail">What was done, as sentences.</param>
/// <param name="Revoked">What had been revoked, was valid again, and is revoked again: the first of it; null: the step revokes nothing.</param>
/// <param name="Named">What needs somebody, a sentence each: the first of them; null: the step names nothing.</param>
public sealed record VaultRestoreStepResult(string Detail, IReadOnlyList<string>? Revoked = null, IReadOnlyList<string>? Named = null);
