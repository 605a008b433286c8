namespace PlatformOps.BootstrapServer.Storage;

/// <summary>
/// Where everything is kept. Transactions become durable in the order in which they were handed in; a reader sees every
/// transaction whose task completed. One implementation keeps memory, one a SQLite file.
/// </summary>
internal interface IStore : IAsyncDisposable
{
    /// <summary>The next unused run key.</summary>
    long NextRunKey();

    /// <summary>Hands a transaction in. The task completes when it is durable, and fails when it cannot be made so.</summary>
    Task Commit(Transaction transaction);

    /// <summary>Completes when everything handed in before is durable: what must pass before an answer shows it.</summary>
    Task Flushed();

    /// <summary>The latest run of a workflow id, or null.</summary>
    StoredRun? FindLatest(string namespaceId, string workflowId);

    StoredRun? Find(RunName name);

    /// <summary>The run with this key, or null.</summary>
    StoredRun? Find(long key);

    IReadOnlyList<StoredRow> Rows(long run);

    /// <summary>The batches that hold the events from one id up to, not including, another, oldest first.</summary>
    IReadOnlyList<EventBatch> History(long run, long fromEventId, long beforeEventId);

    /// <summary>Runs that are open, oldest first, for recovery. Read bit by bit: there may be many.</summary>
    IEnumerable<RecoveredRun> OpenRuns();

    /// <summary>Closed runs that still owe something to another run (<see cref="RowKind.Outgoing"/>), for recovery.</summary>
    IEnumerable<RecoveredRun> ClosedRunsWithOutgoing();

    /// <summary>Closed runs of a namespace in the order of lists, from the first after a place; of one workflow id when it is given.</summary>
    IReadOnlyList<ClosedRun> ClosedRuns(string namespaceId, string? workflowId, ListKey? after, int most);

    /// <summary>Runs of a namespace that closed up to a time, in the order in which they closed.</summary>
    IReadOnlyList<ClosedRun> OldestClosedRuns(string namespaceId, DateTimeOffset closedUntil, int most);

    /// <summary>All documents of a kind, by id.</summary>
    IReadOnlyList<KeyValuePair<string, byte[]>> Documents(string kind);
}
