using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

/// <summary>What the commands about failovers do alike: they find the environment's run, or start it, and tell it something.</summary>
internal static class FailoverControls
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>The run that watches an environment; started when there is none.</summary>
    public static async Task<RunbookRun> FindFailoverAsync(this Invocation invocation, string environment, CancellationToken ct) => await RunbookRun.StartAsync(
        await invocation.ConnectForAsync(environment, ct), nameof(RegionFailover), RegionFailover.WorkflowId(environment), environment,
        new RegionFailoverRequest { Environment = environment }, TaskQueues.Failover, ct);

    /// <summary>Tells it to change the places and, when that began at once, follows it to its end.</summary>
    public static async Task<ExitCode> ChangePlacesAsync(this Invocation invocation, string environment, string control, object input, CancellationToken ct)
    {
        var run = await invocation.FindFailoverAsync(environment, ct);
        var answer = await run.SendAsync(control, input, ct);
        invocation.Terminal.Progress(answer.Message);
        if (answer.OperationId is not { } operation)
        {
            invocation.Terminal.Line($"Approve it: platformops approve {run.Named}");
            invocation.Terminal.Result(new { environment, workflowId = run.Handle.Id, outcome = "awaitingApproval", answer.Message });
            return ExitCode.Parked;
        }

        var report = await FollowAsync(invocation, run, operation, ct);
        if (report is null)
        {
            invocation.Terminal.Line($"It is parked: platformops status {run.Named}");
            invocation.Terminal.Result(new { environment, workflowId = run.Handle.Id, operationId = operation, outcome = "parked" });
            return ExitCode.Parked;
        }

        invocation.Terminal.Line($"{report.Outcome}: {report.Summary}");
        foreach (var phase in report.Phases)
            invocation.Terminal.Line($"  {phase.Name}: {phase.Seconds:0.00} s");
        invocation.Terminal.Result(new { environment, workflowId = run.Handle.Id, operationId = operation, report });
        return report.Outcome == FailoverOutcome.Completed ? ExitCode.Success : ExitCode.Parked;
    }

    /// <summary>Until the operation has ended; null when it is parked.</summary>
    private static async Task<FailoverReport?> FollowAsync(Invocation invocation, RunbookRun run, string operation, CancellationToken ct)
    {
        string? said = null;
        while (true)
        {
            var status = await run.StatusAsync(ct);
            if (status.Summary != said)
                invocation.Terminal.Progress(said = status.Summary);
            if ((await run.QueryAsync<FailoverView>("failover", ct)).Last is { } last && last.OperationId == operation)
                return last;
            if (status.Phase == RunbookPhase.Parked)
                return null;
            await Task.Delay(Interval, TimeProvider.System, ct);
        }
    }
}
