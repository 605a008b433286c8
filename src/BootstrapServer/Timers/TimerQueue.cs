namespace PlatformOps.BootstrapServer.Timers;

/// <summary>
/// Every deadline of the server in one heap behind one clock timer, so that a hundred thousand waiting workflows cost a
/// hundred thousand small objects and nothing else. Cancelled entries are dropped when they surface, or together once
/// they outnumber the live ones.
/// </summary>
internal sealed class TimerQueue : IDisposable
{
    /// <summary>The clock's timers take at most about 49 days; a farther deadline is looked at again then.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(30);

    private readonly TimeProvider clock;
    private readonly WorkOnTheWay? work;
    private readonly Action<Exception> onError;
    private readonly Lock gate = new();
    private readonly ITimer wake;
    private PriorityQueue<TimerEntry, (long Due, long Sequence)> heap = new();
    private long sequence;
    private int cancelled;
    private bool started;
    private bool disposed;

    /// <param name="work">Told of every deadline that fires, where somebody has to know what that causes.</param>
    public TimerQueue(TimeProvider clock, WorkOnTheWay? work, Action<Exception> onError)
    {
        this.clock = clock;
        this.work = work;
        this.onError = onError;
        wake = clock.CreateTimer(_ => FireDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The earliest live deadline, or null when nothing waits.</summary>
    public DateTimeOffset? Next
    {
        get
        {
            lock (gate)
            {
                DropCancelled();
                return heap.TryPeek(out var entry, out _) ? entry.Due : null;
            }
        }
    }

    /// <summary>Lets entries fire. Until then they only gather.</summary>
    public void Start()
    {
        lock (gate)
        {
            started = true;
            if (heap.TryPeek(out var entry, out _))
                Arm(entry.Due);
        }
    }

    /// <summary>Calls <paramref name="fire"/> once, at or after <paramref name="due"/>, outside of every lock of this queue.</summary>
    public TimerEntry Add(DateTimeOffset due, Action fire)
    {
        var entry = new TimerEntry(due, fire);
        lock (gate)
        {
            heap.Enqueue(entry, (due.UtcTicks, sequence++));
            if (ReferenceEquals(heap.Peek(), entry))
                Arm(due);
        }
        return entry;
    }

    /// <summary>After this the entry does not fire, unless it is firing already.</summary>
    public void Cancel(TimerEntry? entry)
    {
        if (entry is null || !entry.TryTake())
            return;
        lock (gate)
        {
            if (++cancelled * 2 > heap.Count && heap.Count > 1024)
                Compact();
        }
    }

    public void Dispose()
    {
        lock (gate)
            disposed = true;
        wake.Dispose();
    }

    /// <summary>Fires what is due. The clock calls it; so does whoever moves the clock.</summary>
    public void FireDue()
    {
        // From before a deadline leaves the queue: it must not look as if nothing was due while it has not acted yet.
        using var onTheWay = work?.Begin();
        while (NextDue() is { } entry)
        {
            try
            {
                entry.Fire();
            }
            catch (Exception e)
            {
                onError(e);
            }
        }
    }

    private TimerEntry? NextDue()
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            while (started && !disposed && heap.TryPeek(out var entry, out _))
            {
                if (entry.Taken)
                {
                    heap.Dequeue();
                    cancelled--;
                    continue;
                }
                if (entry.Due > now)
                {
                    Arm(entry.Due);
                    return null;
                }
                heap.Dequeue();
                if (entry.TryTake())
                    return entry;
            }
            return null;
        }
    }

    private void Arm(DateTimeOffset due)
    {
        if (!started || disposed)
            return;
        var wait = due - clock.GetUtcNow();
        // Whole milliseconds, rounded up: a timer that fires early would only go round again.
        var milliseconds = Math.Ceiling(Math.Clamp(wait.TotalMilliseconds, 0, LongestSleep.TotalMilliseconds));
        wake.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }

    private void DropCancelled()
    {
        while (heap.TryPeek(out var entry, out _) && entry.Taken)
        {
            heap.Dequeue();
            cancelled--;
        }
    }

    private void Compact()
    {
        var live = new PriorityQueue<TimerEntry, (long, long)>(heap.UnorderedItems.Where(i => !i.Element.Taken));
        heap = live;
        cancelled = 0;
    }
}
