using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>What to do with due actions while earlier workflows of the schedule may still run. Pure: facts in, plan out.</summary>
internal sealed record OverlapPlan
{
    private BufferedAction? alone;

    /// <summary>Start these now, in order.</summary>
    public List<BufferedAction> Start { get; } = [];

    /// <summary>Keep these until a running workflow ends.</summary>
    public List<BufferedAction> Keep { get; } = [];

    /// <summary>Dropped because something runs.</summary>
    public int Skipped { get; private set; }

    public bool CancelRunning { get; private set; }

    public bool TerminateRunning { get; private set; }

    /// <summary>Whether this one runs beside others: nobody waits for its end.</summary>
    public bool RunsBeside(BufferedAction action) => action != alone;

    /// <param name="usual">The policy of actions that have none of their own.</param>
    public static OverlapPlan Make(IEnumerable<BufferedAction> due, bool running, ScheduleOverlapPolicy usual)
    {
        var plan = new OverlapPlan();
        foreach (var action in due)
        {
            var policy = action.Overlap == ScheduleOverlapPolicy.Unspecified ? usual : action.Overlap;
            if (policy == ScheduleOverlapPolicy.AllowAll)
                plan.Start.Add(action);
            else if (!running && plan.alone is null)
                plan.alone = action;
            else
                plan.Overlap(action, policy, running);
        }
        // What would start beside a workflow that is being ended would be ended with it.
        if (plan.CancelRunning || plan.TerminateRunning)
            plan.Start.Clear();
        if (plan.alone is not null)
            plan.Start.Add(plan.alone);
        return plan;
    }

    private void Overlap(BufferedAction action, ScheduleOverlapPolicy policy, bool running)
    {
        switch (policy)
        {
            case ScheduleOverlapPolicy.BufferAll:
                Keep.Add(action);
                break;
            case ScheduleOverlapPolicy.BufferOne when Keep.Count == 0:
                Keep.Add(action);
                break;
            case ScheduleOverlapPolicy.CancelOther or ScheduleOverlapPolicy.TerminateOther when !running:
                // The other one does not run yet: it is just the one that would have started now.
                alone = action;
                break;
            case ScheduleOverlapPolicy.CancelOther:
                CancelRunning = true;
                Keep.Add(action);
                break;
            case ScheduleOverlapPolicy.TerminateOther:
                TerminateRunning = true;
                Keep.Add(action);
                break;
            default:
                Skipped++;
                break;
        }
    }
}
