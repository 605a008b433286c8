namespace PlatformOps.BootstrapServer.Storage;

/// <summary>Keeps everything in memory, as bytes: what a run needs when nobody looks at it is its serialised size.</summary>
internal sealed class MemoryStore : IStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, Run> runs = [];
    private readonly Dictionary<(string NamespaceId, string WorkflowId), List<Run>> byWorkflow = [];
    private readonly Dictionary<string, SortedSet<ClosedRun>> closed = [];
    private readonly Dictionary<string, Dictionary<string, byte[]>> documents = [];
    private long lastKey;

    public long NextRunKey() => Interlocked.Increment(ref lastKey);

    public Task Commit(Transaction transaction)
    {
        lock (gate)
        {
            foreach (var change in transaction.Runs)
                Apply(change);
            foreach (var key in transaction.DeletedRuns)
                Delete(key);
            foreach (var (kind, id, data) in transaction.Documents)
            {
                if (!documents.TryGetValue(kind, out var ofKind))
                    documents[kind] = ofKind = [];
                if (data is null)
                    ofKind.Remove(id);
                else
                    ofKind[id] = data;
            }
        }
        return Task.CompletedTask;
    }

    public Task Flushed() => Task.CompletedTask;

    public StoredRun? FindLatest(string namespaceId, string workflowId)
    {
        lock (gate)
            return byWorkflow.TryGetValue((namespaceId, workflowId), out var list) ? list[^1].Stored() : null;
    }

    public StoredRun? Find(RunName name)
    {
        lock (gate)
        {
            return byWorkflow.TryGetValue((name.NamespaceId, name.WorkflowId), out var list)
                ? list.FindLast(r => r.Name.RunId == name.RunId)?.Stored()
                : null;
        }
    }

    public StoredRun? Find(long key)
    {
        lock (gate)
            return runs.GetValueOrDefault(key)?.Stored();
    }

    public IReadOnlyList<StoredRow> Rows(long run)
    {
        lock (gate)
            return runs.TryGetValue(run, out var found) ? found.StoredRows() : [];
    }

    public IReadOnlyList<EventBatch> History(long run, long fromEventId, long beforeEventId)
    {
        lock (gate)
        {
            if (!runs.TryGetValue(run, out var found))
                return [];
            var batches = found.Batches;
            int low = 0, high = batches.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (batches[middle].LastEventId < fromEventId)
                    low = middle + 1;
                else
                    high = middle;
            }
            var end = low;
            while (end < batches.Count && batches[end].FirstEventId < beforeEventId)
                end++;
            return batches.GetRange(low, end - low);
        }
    }

    public IEnumerable<RecoveredRun> OpenRuns() => Snapshot(r => r.Open);

    public IEnumerable<RecoveredRun> ClosedRunsWithOutgoing() =>
        Snapshot(r => !r.Open && r.Rows.Keys.Any(k => k.Kind == RowKind.Outgoing));

    public IReadOnlyList<ClosedRun> ClosedRuns(string namespaceId, string? workflowId, ListKey? after, int most)
    {
        lock (gate)
        {
            if (workflowId is not null)
            {
                return !byWorkflow.TryGetValue((namespaceId, workflowId), out var list) ? []
                    : [.. list.Select(r => r.Closed).OfType<ClosedRun>().Where(r => after is not { } place || r.Place.CompareTo(place) > 0).OrderBy(r => r.Place).Take(most)];
            }
            return closed.TryGetValue(namespaceId, out var all) ? ClosedOrder.Slice(all, after, most) : [];
        }
    }

    public IReadOnlyList<ClosedRun> OldestClosedRuns(string namespaceId, DateTimeOffset closedUntil, int most)
    {
        lock (gate)
            return closed.TryGetValue(namespaceId, out var all) ? [.. all.Reverse().TakeWhile(r => r.Place.CloseTicks <= closedUntil.UtcTicks).Take(most)] : [];
    }

    public IReadOnlyList<KeyValuePair<string, byte[]>> Documents(string kind)
    {
        lock (gate)
            return documents.TryGetValue(kind, out var ofKind) ? [.. ofKind] : [];
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private List<RecoveredRun> Snapshot(Func<Run, bool> which)
    {
        lock (gate)
            return [.. runs.Values.Where(which).OrderBy(r => r.Key).Select(r => new RecoveredRun(r.Stored(), r.StoredRows()))];
    }

    private void Apply(RunChange change)
    {
        if (change.Created is { } created)
        {
            var run = new Run(change.Key, created.Name, created.Start);
            runs.Add(change.Key, run);
            var id = (created.Name.NamespaceId, created.Name.WorkflowId);
            if (!byWorkflow.TryGetValue(id, out var list))
                byWorkflow[id] = list = [];
            list.Add(run);
        }
        if (!runs.TryGetValue(change.Key, out var target))
            return; // deleted meanwhile
        if (change.State is not null)
            target.State = change.State;
        target.Open = change.Open;
        if (change.Closed is { } record)
            Close(target, record);
        foreach (var (kind, id, data) in change.Rows)
        {
            if (data is null)
                target.Rows.Remove((kind, id));
            else
                target.Rows[(kind, id)] = data;
        }
        target.Batches.AddRange(change.Batches);
    }

    private void Delete(long key)
    {
        if (!runs.Remove(key, out var run))
            return;
        var id = (run.Name.NamespaceId, run.Name.WorkflowId);
        byWorkflow[id].Remove(run);
        if (byWorkflow[id].Count == 0)
            byWorkflow.Remove(id);
        if (run.Closed is { } record)
            closed[run.Name.NamespaceId].Remove(record);
    }

    private void Close(Run run, ClosedRun record)
    {
        if (!closed.TryGetValue(record.Name.NamespaceId, out var all))
            closed[record.Name.NamespaceId] = all = new SortedSet<ClosedRun>(ClosedOrder.Comparer);
        if (run.Closed is { } old)
            all.Remove(old);
        run.Closed = record;
        all.Add(record);
    }

    private sealed class Run(long key, RunName name, byte[] start)
    {
        public long Key => key;

        public RunName Name => name;

        public byte[] State { get; set; } = [];

        public bool Open { get; set; }

        public ClosedRun? Closed { get; set; }

        public Dictionary<(RowKind Kind, string Id), byte[]> Rows { get; } = [];

        public List<EventBatch> Batches { get; } = [];

        public StoredRun Stored() => new(key, name, Open, start, State);

        public List<StoredRow> StoredRows() => [.. Rows.Select(r => new StoredRow(r.Key.Kind, r.Key.Id, r.Value))];
    }
}
