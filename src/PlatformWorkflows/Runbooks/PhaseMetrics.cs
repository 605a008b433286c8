using System.Text.Json;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>Where runs stand, as a metric of the worker: alert rules and dashboards go by it. Times and not a switch, since another worker may carry on with the run: the phase with the latest one is that of the run.
/// Name and labels are public.</summary>
internal static class PhaseMetrics
{
    /// <summary>A run goes from one phase to another.</summary>
    public static void Follow(RunbookPhase left, RunbookPhase entered)
    {
        var gauge = Workflow.MetricMeter.CreateGauge<double>("platformops_runbook_phase_seconds", "s", "When a run last entered a phase, in seconds since 1970; 0 for one that it left at this worker.");
        // Several phases may be passed at the same moment.
        gauge.Set(0, Labels(left));
        gauge.Set(new DateTimeOffset(Workflow.UtcNow).ToUnixTimeMilliseconds() / 1000.0, Labels(entered));
    }

    private static KeyValuePair<string, object>[] Labels(RunbookPhase phase) => [new("run", Workflow.Info.WorkflowId), new("phase", JsonNamingPolicy.CamelCase.ConvertName($"{phase}"))];
}
