namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// Decides which open runs keep their bodies in memory: about so many as its capacity says, those used last. A run beyond
/// that lets go of its body when it is idle; it costs a few hundred bytes then, and is read back when it is used.
/// </summary>
/// <remarks>A clock: runs stand in a circle; one that was used since its last turn gets another, one that was not has to go.
/// Each use has two examined, so that the cost of a step does not grow with the runs there are; now and then all are.</remarks>
internal sealed class IdleRuns : IDisposable
{
    /// <summary>How long a run may stay although its turn came while it was busy, and nothing was used since.</summary>
    private static readonly TimeSpan SweepPause = TimeSpan.FromSeconds(5);

    /// <summary>So many runs that left are worth a collection once the server is quiet: nobody would give their memory back otherwise.</summary>
    private const int WorthCollecting = 1_000;

    private readonly Engine engine;
    private readonly int capacity;
    private readonly Lock gate = new();
    private readonly LinkedList<WorkflowRun> circle = new();
    private readonly ITimer sweep;
    private int toExamine;
    private int left;
    private int uses;
    private int usesAtSweep;
    private bool examining;

    public IdleRuns(Engine engine, int capacity)
    {
        this.engine = engine;
        this.capacity = capacity;
        // The wall clock: memory is short in real time.
        sweep = TimeProvider.System.CreateTimer(_ => Sweep(), null, SweepPause, SweepPause);
    }

    /// <summary>A step of the run ended, or it was read back.</summary>
    public void Used(WorkflowRun run)
    {
        run.UsedSinceTurn = true;
        uses++; // a lost count among threads does no harm: any change says that the server is busy
        if (run.IdlePlace is null && run.IsOpen)
        {
            lock (gate)
                Admit(run);
        }
        Examine(2);
    }

    /// <summary>A start has read a run: when the last used fill the circle already, one that only waits does not stay.</summary>
    public void Recovered(WorkflowRun run)
    {
        if (circle.Count > capacity && run.LetGo(run.Steps))
            Remove(run);
    }

    /// <summary>A closed run leaves memory altogether.</summary>
    public void Remove(WorkflowRun run)
    {
        lock (gate)
        {
            if (run.IdlePlace is { } place)
                circle.Remove(place);
            run.IdlePlace = null;
        }
    }

    public void Dispose() => sweep.Dispose();

    private void Sweep()
    {
        Examine(circle.Count);
        var quiet = uses == usesAtSweep;
        usesAtSweep = uses;
        if (!quiet || Volatile.Read(ref left) < WorthCollecting)
            return;
        Volatile.Write(ref left, 0);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private void Examine(int runs)
    {
        if (circle.Count <= capacity)
            return;
        lock (gate)
        {
            toExamine = Math.Min(toExamine + runs, circle.Count * 2);
            if (examining)
                return;
            examining = true;
        }
        // The caller may hold its run's lock; others' are taken from here.
        engine.Background(Task.Run(ExamineAsync));
    }

    private async Task ExamineAsync()
    {
        var leaving = new List<(WorkflowRun Run, int Steps)>();
        while (Next() is { } run)
        {
            if (run.UsedSinceTurn || IdleSince(run) is not { } steps)
                Stay(run);
            else
                leaving.Add((run, steps));
        }
        // What is not durable cannot be read back.
        await engine.Store.Flushed();
        foreach (var (run, steps) in leaving)
        {
            if (run.LetGo(steps))
                Interlocked.Increment(ref left);
            else
                Stay(run);
        }
    }

    private WorkflowRun? Next()
    {
        lock (gate)
        {
            if (toExamine == 0 || circle.Count <= capacity || circle.First is not { } first)
            {
                (toExamine, examining) = (0, false);
                return null;
            }
            toExamine--;
            circle.RemoveFirst();
            first.Value.IdlePlace = null;
            return first.Value;
        }
    }

    private void Stay(WorkflowRun run)
    {
        lock (gate)
        {
            run.UsedSinceTurn = false;
            if (run.IsOpen)
                Admit(run);
        }
    }

    private void Admit(WorkflowRun run) => run.IdlePlace ??= circle.AddLast(run);

    private static int? IdleSince(WorkflowRun run)
    {
        lock (run.Gate)
            return run.IsIdle ? run.Steps : null;
    }
}
