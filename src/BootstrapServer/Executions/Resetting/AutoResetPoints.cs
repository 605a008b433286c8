using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.History.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Executions.Resetting;

/// <summary>
/// Where each build of a worker completed its first workflow task: to there a workflow can be reset when that build was bad.
/// The points go with the workflow through its runs, as long as the run that they are in is kept.
/// </summary>
internal static class AutoResetPoints
{
    /// <summary>The real server keeps so many; the oldest goes first.</summary>
    private const int Most = 20;

    /// <summary>Notes a completed workflow task when its build is new to the workflow.</summary>
    public static void Note(WorkflowRun run, HistoryEvent completed)
    {
        var attributes = completed.WorkflowTaskCompletedEventAttributes;
#pragma warning disable CS0612 // Older SDKs report their build in the deprecated fields.
        var checksum = attributes.BinaryChecksum;
        var buildId = attributes.DeploymentVersion?.BuildId ?? attributes.WorkerVersion?.BuildId ?? "";
#pragma warning restore CS0612
        var known = run.State.ResetPoints ?? new ResetPoints();
#pragma warning disable CS0612
        if (known.Points.Any(p => p.BinaryChecksum == checksum && p.BuildId == buildId))
            return;
        var point = new ResetPointInfo
        {
            BinaryChecksum = checksum,
            BuildId = buildId,
            RunId = run.RunId,
            FirstWorkflowTaskCompletedId = completed.EventId,
            CreateTime = completed.EventTime,
            Resettable = run.Children.Count == 0 && run.ExternalSignals.Count == 0 && run.ExternalCancels.Count == 0,
        };
#pragma warning restore CS0612
        var points = new ResetPoints { Points = { known.Points.TakeLast(Most - 1), point } };
        run.State.ResetPoints = points;
        run.Touch();
    }

    /// <summary>The points that a run takes over from the one it continues: those of a run that will be deleted expire with it.</summary>
    public static ResetPoints? Inherit(WorkflowExecutionStartedEventAttributes start, DateTimeOffset now, TimeSpan retention)
    {
        if (start.PrevAutoResetPoints is not { } before)
            return null;
        var kept = new ResetPoints();
        foreach (var point in before.Points.Where(p => p.ExpireTime is null || p.ExpireTime.ToDateTimeOffset() >= now))
        {
            var taken = point.Clone();
            if (taken.RunId == start.ContinuedExecutionRunId)
                taken.ExpireTime = Timestamp.FromDateTimeOffset(now + retention);
            kept.Points.Add(taken);
        }
        return kept;
    }
}
