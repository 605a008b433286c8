using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using Temporalio.Client;

namespace PlatformOps.Starter.Commands;

/// <summary>Whether the next failover would succeed: asked once, or again and again by a Temporal Schedule.</summary>
internal static class FailoverReadinessCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var every = new Option<string>("--every") { Description = "Look regularly instead, for example 5m; at least 1m. Creates the schedule, or changes the one that exists.", HelpName = "DURATION" };
        return new CliCommand(
            "readiness",
            "Say whether the next failover would succeed, and what is missing. Changes nothing.",
            new Example("failover readiness production", "look once"),
            new Example("failover readiness production --every 5m", "look every five minutes"))
        {
            environment, every,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var interval = invocation.Get(every) is { } text ? RunSchedule.Interval(text, "platformops failover readiness --help") : (TimeSpan?)null;
            var client = await invocation.ConnectForAsync(name, ct);
            return interval is { } regularly ? await ScheduleAsync(invocation, client, name, regularly, invocation.Get(every)!, ct) : await LookAsync(invocation, client, name, ct);
        });
    }

    private static async Task<ExitCode> ScheduleAsync(Invocation invocation, TemporalClient client, string environment, TimeSpan interval, string every, CancellationToken ct)
    {
        var id = FailoverReadiness.WorkflowId(environment);
        var created = await RunSchedule.PutAsync(
            client, nameof(FailoverReadiness), id, new FailoverReadinessRequest { Environment = environment }, TaskQueues.Failover, interval,
            $"Looks whether {environment} could fail over; made by platformops failover readiness.", ct);
        invocation.Terminal.Line($"{(created ? "Created" : "Changed")} the schedule {id}: it looks every {every} whether {environment} could fail over.");
        invocation.Terminal.Line($"Its runs: temporal workflow list --query \"Runbook = 'FailoverReadiness' AND Environment = '{environment}'\"");
        invocation.Terminal.Result(new { environment, scheduleId = id, every, created });
        return ExitCode.Success;
    }

    private static async Task<ExitCode> LookAsync(Invocation invocation, TemporalClient client, string environment, CancellationToken ct)
    {
        var run = await RunbookRun.StartAsync(
            client, nameof(FailoverReadiness), FailoverReadiness.WorkflowId(environment), environment, new FailoverReadinessRequest { Environment = environment }, TaskQueues.Failover, ct);
        var outcome = await new RunSession(invocation, run, TaskQueues.Failover).AnswerAsync(ct);
        if (outcome.Report?.As<FailoverReadinessReport>() is not { } report)
            throw new CommandFailure(ExitCode.RunFailed, $"Nobody can tell whether \"{environment}\" could fail over.", outcome.Summary, $"platformops status {run.Named}");
        foreach (var item in report.Items)
            invocation.Terminal.Line($"{(item.Ok switch { true => "ok", false => "MISSING", null => "unknown" }),-8} {item.Name}: {item.Detail}");
        invocation.Terminal.Line(report.Outcome == ReadinessOutcome.Ready ? report.Summary : "Not ready.");
        invocation.Terminal.Result(new { environment, workflowId = run.Handle.Id, report });
        return outcome.ExitCode;
    }
}
