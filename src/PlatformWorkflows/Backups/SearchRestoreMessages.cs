using PlatformOps.Platform.Backups;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreSearch</c> (workflow id <c>restore/{environment}/{store}</c>).</summary>
public sealed record RestoreSearchInput : StoreRestoreInput
{
    /// <summary>Only these indices. Default: all of the set.</summary>
    public IReadOnlyList<string>? Indices { get; init; }

    /// <summary>Indices that are there are replaced, when that is approved. Default: they stay as they are.</summary>
    public bool Overwrite { get; init; }
}

/// <summary>The result of <c>RestoreSearch</c>.</summary>
public sealed record SearchRestoreReport : StoreRestoreReport<SearchRestorePlan>
{
    /// <summary>From the fence until writes are taken again; null: nothing was replaced, or it is not open.</summary>
    public TimeSpan? OutOfService { get; init; }
}

/// <param name="Set">Null: whichever fits.</param>
/// <param name="Target">Null: the newest.</param>
/// <param name="Indices">Only these; empty: all.</param>
public sealed record PlanSearchRestoreInput(StoreReference Store, string Operation, string? Set, DateTimeOffset? Target, IReadOnlyList<string> Indices, bool Overwrite);

/// <param name="Plan">As it was approved.</param>
public sealed record SearchRestoreInput(StoreReference Store, string Operation, SearchRestorePlan Plan, SearchRestoreStep Step);

/// <param name="Detail">What was done, as sentences.</param>
public sealed record SearchRestoreDone(string Detail);
