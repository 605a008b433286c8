using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>What to do with due actions while earlier workflows of the schedule may still run. Pure: facts in, plan out.</summary>
internal sealed record OverlapPlan
{
    /// <summary>Start these now, in order.</summary>
    public List<BufferedAction> Start { get; } = [];

    /// <summary>Keep these until a running workflow ends.</summary>
    public List<BufferedAction> Keep { get; } = [];

    /// <summary>Dropped because something runs.</summary>
    public int Skipped { get; private set; }

    public bool CancelRunning { get; private set; }

    public bool TerminateRunning { get; private set; }

    public static OverlapPlan Make(IEnumerable<BufferedAction> due, bool running)
    {
        var plan = new OverlapPlan();
        foreach (var action in due)
        {
            if (action.Overlap == ScheduleOverlapPolicy.AllowAll)
            {
                plan.Start.Add(action);
                continue;
            }
            if (!running)
            {
                plan.Start.Add(action);
                running = true;
                continue;
            }
            plan.Overlap(action);
        }
        return plan;
    }

    private void Overlap(BufferedAction action)
    {
        switch (action.Overlap)
        {
            case ScheduleOverlapPolicy.BufferAll:
                Keep.Add(action);
                break;
            case ScheduleOverlapPolicy.BufferOne when Keep.Count == 0:
                Keep.Add(action);
                break;
            case ScheduleOverlapPolicy.CancelOther or ScheduleOverlapPolicy.TerminateOther:
                // Only the latest counts: those before it would be ended by it at once.
                Skipped += Keep.Count;
                Keep.Clear();
                Keep.Add(action);
                CancelRunning |= action.Overlap == ScheduleOverlapPolicy.CancelOther;
                TerminateRunning |= action.Overlap == ScheduleOverlapPolicy.TerminateOther;
                break;
            default:
                Skipped++;
                break;
        }
    }
}
