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
            var (name, text) = (invocation.Get(environment), invocation.Get(every));
            return text is null
                ? await LookAsync(invocation, await invocation.ConnectForAsync(name, ct), name, ct)
                : await RunSchedule.PutAsync(invocation, nameof(FailoverReadiness), name, text, "failover readiness", null, ct);
        });
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
