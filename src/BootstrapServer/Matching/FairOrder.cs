namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// The tasks of one priority in the order in which they leave. Without fairness keys that is the order in which they came.
/// With keys each key has its own line, and the lines take turns by weight: a key with a thousand tasks does not keep one
/// with a single task waiting.
/// </summary>
internal sealed class FairOrder
{
    /// <summary>How far one task moves its key, at weight 1.</summary>
    private const double Stride = 1000;

    /// <summary>Used until the first key comes.</summary>
    private readonly Queue<QueuedTask> plain = new();
    private PriorityQueue<QueuedTask, (long Turn, long Number)>? byTurn;
    private Dictionary<string, long>? lastTurn;
    private long turn;
    private long number;

    public int Count => plain.Count + (byTurn?.Count ?? 0);

    /// <summary>Wall-clock timestamp at which the task that waits longest came; 0 when none waits.</summary>
    public long Oldest => byTurn is { Count: > 0 } ? byTurn.UnorderedItems.Min(i => i.Element.QueuedAt) : plain.TryPeek(out var first) ? first.QueuedAt : 0;

    /// <param name="weightOf">What an operator says of a key's weight; null when nobody does.</param>
    public void Add(QueuedTask task, IReadOnlyDictionary<string, float>? weightOf)
    {
        if (byTurn is null && task.FairnessKey.Length == 0)
        {
            plain.Enqueue(task);
            return;
        }
        byTurn ??= TakeTurns(weightOf);
        Line(task, weightOf);
    }

    public QueuedTask? TakeNext()
    {
        if (byTurn is null)
            return plain.TryDequeue(out var first) ? first : null;
        if (!byTurn.TryDequeue(out var task, out var place))
            return null;
        turn = place.Turn;
        if (byTurn.Count == 0)
            (byTurn, lastTurn) = (null, null); // all had their turn: nobody is behind
        return task;
    }

    /// <summary>Takes everything out, in order.</summary>
    public IEnumerable<QueuedTask> Drain()
    {
        while (TakeNext() is { } task)
            yield return task;
    }

    private PriorityQueue<QueuedTask, (long, long)> TakeTurns(IReadOnlyDictionary<string, float>? weightOf)
    {
        byTurn = new PriorityQueue<QueuedTask, (long, long)>();
        lastTurn = [];
        while (plain.TryDequeue(out var task))
            Line(task, weightOf);
        return byTurn;
    }

    private void Line(QueuedTask task, IReadOnlyDictionary<string, float>? weightOf)
    {
        var weight = weightOf is not null && weightOf.TryGetValue(task.FairnessKey, out var given) ? given : task.FairnessWeight;
        var last = Math.Max(turn, lastTurn!.GetValueOrDefault(task.FairnessKey));
        lastTurn![task.FairnessKey] = last + Math.Max(1, (long)(Stride / weight));
        byTurn!.Enqueue(task, (lastTurn[task.FairnessKey], number++));
    }
}
