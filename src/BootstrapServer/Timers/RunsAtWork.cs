using System.Diagnostics;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Timers;

/// <summary>
/// Which runs keep virtual time from moving. A task that a worker has keeps it as long as it takes. A task in a queue keeps it
/// while somebody polls that queue, or may be about to: when nobody comes, time goes on to the timeouts that the task has.
/// </summary>
internal sealed class RunsAtWork(MatchingEngine matching)
{
    /// <summary>How long a worker may take to appear at a queue that nobody polls. Real time: a test starts its worker meanwhile.</summary>
    private static readonly TimeSpan PatienceForWorkers = TimeSpan.FromSeconds(5);

    /// <summary>How soon to look whether a queue is still polled.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly Dictionary<WorkflowRun, Waiting> waiting = [];
    private readonly HashSet<WorkflowRun> working = [];
    private readonly HashSet<WorkflowRun> withActivities = [];
    private int sleepers;

    /// <summary>Takes note of a run, with its lock held.</summary>
    public void Observe(WorkflowRun run)
    {
        var (isWorking, hasActivity) = (run.IsWorking, run.HasActivityAtWork);
        var queues = isWorking || hasActivity ? [] : run.QueuesWaitedFor().Distinct().ToList();
        lock (gate)
        {
            Note(working, run, isWorking);
            Note(withActivities, run, hasActivity && !isWorking);
            if (queues.Count == 0)
                waiting.Remove(run);
            else
                waiting[run] = new Waiting(queues, Stopwatch.GetTimestamp());
        }
    }

    /// <summary>An activity sleeps until virtual time has passed: it does not keep time from moving meanwhile. False when no activity is at work.</summary>
    public bool LetOneSleep()
    {
        lock (gate)
        {
            if (withActivities.Count <= sleepers)
                return false;
            sleepers++;
            return true;
        }
    }

    /// <summary>What <see cref="LetOneSleep"/> allowed is over.</summary>
    public void OneIsAwake()
    {
        lock (gate)
            sleepers--;
    }

    /// <param name="patience">When no run is at work: how long to wait for workers before looking again; zero when none is waited for.</param>
    public bool Busy(out TimeSpan patience)
    {
        patience = TimeSpan.Zero;
        lock (gate)
        {
            if (working.Count > 0 || withActivities.Count > sleepers)
                return true;
            foreach (var (run, (queues, since)) in waiting)
            {
                if (queues.Any(q => matching.Find(run.Namespace, q.Name, q.Type) is { HasRecentPoller: true }))
                {
                    patience = LookAgain;
                    return false;
                }
                if (PatienceForWorkers - Stopwatch.GetElapsedTime(since) is { Ticks: > 0 } left && left > patience)
                    patience = left;
            }
            return false;
        }
    }

    private static void Note(HashSet<WorkflowRun> set, WorkflowRun run, bool isIn)
    {
        if (isIn)
            set.Add(run);
        else
            set.Remove(run);
    }

    private sealed record Waiting(IReadOnlyList<(string Name, TaskQueueType Type)> Queues, long Since);
}
