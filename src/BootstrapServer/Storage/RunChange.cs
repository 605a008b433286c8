namespace PlatformOps.BootstrapServer.Storage;

/// <summary>Names one run; the namespace by its id, since names can change.</summary>
internal readonly record struct RunName(string NamespaceId, string WorkflowId, string RunId);

/// <summary>A row that belongs to a run; null data deletes it.</summary>
internal readonly record struct RowChange(RowKind Kind, string Id, byte[]? Data);

/// <summary>Consecutive events, serialised as one <c>temporal.api.history.v1.History</c>.</summary>
internal readonly record struct EventBatch(long FirstEventId, long LastEventId, byte[] Data);

/// <summary>What one transaction changes in one run. Its size depends on the change, never on the run's age.</summary>
internal sealed class RunChange
{
    /// <summary>The store's number for the run; higher is later.</summary>
    public required long Key { get; init; }

    /// <summary>Set when this change creates the run.</summary>
    public NewRun? Created { get; init; }

    public byte[]? State { get; init; }

    public bool Open { get; init; } = true;

    /// <summary>Set when this change closes the run.</summary>
    public ClosedRun? Closed { get; init; }

    public IReadOnlyList<RowChange> Rows { get; init; } = [];

    public IReadOnlyList<EventBatch> Batches { get; init; } = [];
}

/// <summary>The part of a run that never changes.</summary>
internal sealed record NewRun(RunName Name, byte[] Start);

/// <summary>A document of a part other than executions: a namespace, a schedule, a batch operation. Null data deletes it.</summary>
internal readonly record struct DocumentChange(string Kind, string Id, byte[]? Data);

/// <summary>Everything that becomes durable together, or not at all.</summary>
internal sealed class Transaction
{
    public List<RunChange> Runs { get; } = [];

    public List<DocumentChange> Documents { get; } = [];

    /// <summary>Runs that disappear with their history and their place in lists.</summary>
    public List<long> DeletedRuns { get; } = [];
}

/// <summary>A run as it is stored.</summary>
internal sealed record StoredRun(long Key, RunName Name, bool Open, byte[] Start, byte[] State);

/// <summary>A row of a stored run.</summary>
internal readonly record struct StoredRow(RowKind Kind, string Id, byte[] Data);

/// <summary>A run with all that is stored of it beside its history.</summary>
internal sealed record RecoveredRun(StoredRun Run, IReadOnlyList<StoredRow> Rows);
