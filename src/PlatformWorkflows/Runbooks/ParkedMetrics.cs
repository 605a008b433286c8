using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>When runs wait for people, as metrics of the worker: alert rules go by them. Two times and not a switch, since another worker may carry on with the run. Names and labels are public.</summary>
internal static class ParkedMetrics
{
    /// <summary>A run goes from one phase to another.</summary>
    public static void Follow(RunbookPhase phase, RunbookPhase next)
    {
        if (next == RunbookPhase.Parked)
            Mark("platformops_runbook_parked_seconds", "When a run last began to wait for an operator, in seconds since 1970.");
        else if (phase == RunbookPhase.Parked)
            Mark("platformops_runbook_continued_seconds", "When a run that had waited for an operator last went on or ended, in seconds since 1970.");
    }

    private static void Mark(string name, string what) =>
        Workflow.MetricMeter.CreateGauge<long>(name, "s", what).Set(new DateTimeOffset(Workflow.UtcNow).ToUnixTimeSeconds(), [new("run", Workflow.Info.WorkflowId)]);
}
