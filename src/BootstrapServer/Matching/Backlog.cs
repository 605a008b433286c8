namespace PlatformOps.BootstrapServer.Matching;

/// <summary>What waits for workers: by priority, and within one in fair order.</summary>
internal sealed class Backlog
{
    private readonly FairOrder?[] levels = new FairOrder?[QueuedTask.Levels];

    /// <summary>Tasks whose fairness key had its share of the rate, until when; null while there is no such limit.</summary>
    private PriorityQueue<QueuedTask, DateTimeOffset>? parked;

    public int Count { get; private set; }

    public int CountOf(int level) => levels[level - 1]?.Count ?? 0;

    /// <summary>When a parked task may go at the earliest.</summary>
    public DateTimeOffset? NextParked => parked is not null && parked.TryPeek(out _, out var until) ? until : null;

    public void Add(QueuedTask task, IReadOnlyDictionary<string, float>? weights)
    {
        (levels[task.Level - 1] ??= new FairOrder()).Add(task, weights);
        Count++;
    }

    public QueuedTask? TakeNext()
    {
        if (Count == 0)
            return null;
        foreach (var level in levels)
        {
            if (level?.TakeNext() is not { } task)
                continue;
            Count--;
            return task;
        }
        return null; // all that is left is parked
    }

    /// <summary>Puts aside a task whose key may not have more now.</summary>
    public void Park(QueuedTask task, DateTimeOffset until)
    {
        (parked ??= new PriorityQueue<QueuedTask, DateTimeOffset>()).Enqueue(task, until);
        Count++;
    }

    /// <summary>Takes back into the order what was parked until now.</summary>
    public void Unpark(DateTimeOffset now, IReadOnlyDictionary<string, float>? weights)
    {
        while (parked is not null && parked.TryPeek(out var task, out var until) && until <= now)
        {
            parked.Dequeue();
            Count--;
            Add(task, weights);
        }
    }

    /// <summary>Takes everything out, in order.</summary>
    public List<QueuedTask> Drain()
    {
        Unpark(DateTimeOffset.MaxValue, null);
        Count = 0;
        return [.. levels.SelectMany(l => l?.Drain() ?? [])];
    }

    /// <summary>Wall-clock timestamp of the task of a level that waits longest; 0 when none waits.</summary>
    public long OldestOf(int level) => levels[level - 1]?.Oldest ?? 0;
}
