namespace PlatformOps.Platform.Backups;

/// <summary>How one store is backed up and what is promised for it, as the catalog declares it.</summary>
public sealed record BackupDefinition
{
    /// <summary>What operators call the store; unique in the catalog.</summary>
    public required string Name { get; init; }

    /// <summary>What kind of store it is: that decides how it is backed up.</summary>
    public required StoreKind Store { get; init; }

    /// <summary>When which kind of set is made.</summary>
    public required IReadOnlyList<BackupSchedule> Schedules { get; init; }

    /// <summary>Whether every change is kept as it is made, besides the sets: then what is lost does not depend on the schedules.</summary>
    public bool Continuous { get; init; }

    /// <summary>How far back the store can be restored.</summary>
    public required TimeSpan Retention { get; init; }

    /// <summary>How many good sets are kept, however old they are.</summary>
    public required int MinimumSets { get; init; }

    /// <summary>How much a restore may lose: the age of the newest data that it brings back.</summary>
    public required TimeSpan Rpo { get; init; }

    /// <summary>How long a restore may take.</summary>
    public required TimeSpan Rto { get; init; }

    /// <summary>How old the proof of a set may become before it counts as unproven.</summary>
    public required TimeSpan VerifyEvery { get; init; }

    /// <summary>How long a set that is to go is only marked before it goes.</summary>
    public required TimeSpan Grace { get; init; }

    /// <summary>By how much the rows of restored tables may be off before a set counts as damaged.</summary>
    public RowTolerance Rows { get; init; } = RowTolerance.Default;
}

/// <summary>When one kind of set is made.</summary>
/// <param name="Method">What is copied.</param>
/// <param name="Every">How often.</param>
/// <param name="At">How long after the beginning of each interval; intervals are counted from 1970-01-01 UTC, so <c>every: 24h, at: 1h</c> is one o'clock UTC.</param>
public sealed record BackupSchedule(BackupMethod Method, TimeSpan Every, TimeSpan At);

/// <summary>What a set holds.</summary>
public enum BackupMethod
{
    /// <summary>Everything: it depends on no other set.</summary>
    Full,

    /// <summary>What has changed since the last full one.</summary>
    Differential,

    /// <summary>What has changed since the last set of any kind.</summary>
    Incremental,
}

/// <summary>The kinds of stores that can be backed up.</summary>
public enum StoreKind
{
    Postgresql,
    Elasticsearch,

    /// <summary>The objects of the Kubernetes API.</summary>
    KubernetesState,
    Vault,
}
