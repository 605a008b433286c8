using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Workflows.Backups;

/// <param name="Set">Null: whichever fits.</param>
/// <param name="Target">Null: the newest.</param>
/// <param name="Namespaces">Only what is in them; empty: everything.</param>
/// <param name="Overwrite">Whether objects that are there and differ are to be replaced.</param>
/// <param name="Since">When the run began.</param>
/// <param name="Velero">Whether Velero is to restore.</param>
public sealed record PlanStateRestoreInput(StoreReference Store, string Operation, string? Set, DateTimeOffset? Target, IReadOnlyList<string> Namespaces, bool Overwrite, DateTimeOffset Since, bool Velero = false);

/// <param name="Plan">As it was approved.</param>
/// <param name="Since">When the run began.</param>
public sealed record StateRestoreInput(StoreReference Store, string Operation, StateRestorePlan Plan, DateTimeOffset Since);

/// <param name="Unchanged">Were there as they were, also by an attempt before this one.</param>
/// <param name="Troubled">How many could not be restored.</param>
/// <param name="Troubles">The first of them, a sentence each.</param>
public sealed record RestoredState(int Created, int Unchanged, int Overwritten, int Troubled, IReadOnlyList<string> Troubles, TimeSpan Took)
{
    /// <summary>What Velero warns of, a sentence each; null: it was not asked.</summary>
    public IReadOnlyList<string>? Warned { get; init; }
}

/// <param name="Same">Objects that are as in the set.</param>
/// <param name="Kept">Objects that differ and were to stay as they are.</param>
/// <param name="Left">Objects that were not to be made again.</param>
/// <param name="Wrong">What is not as it has to be, a sentence each; none: everything is.</param>
public sealed record ComparedState(int Same, int Kept, int Left, IReadOnlyList<string> Wrong);
