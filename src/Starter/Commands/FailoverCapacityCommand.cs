using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Scaling;
using Temporalio.Client;

namespace PlatformOps.Starter.Commands;

/// <summary>Whether the standby's region has room for what the other one runs: asked once, or again and again by a Temporal Schedule.</summary>
internal static class FailoverCapacityCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var region = new Option<string>("--region") { Description = "The region that would have to carry the other one. [default: the second one]", HelpName = "NAME" };
        var every = new Option<string>("--every") { Description = "Look regularly instead, for example 1h; at least 1m. Creates the schedule, or changes the one that exists.", HelpName = "DURATION" };
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "capacity",
            "Say whether the standby's region has room for what the other one runs, and what is missing. Changes nothing.",
            new Example("failover capacity production", "look once"),
            new Example("failover capacity production --every 1h", "look every hour"))
        {
            environment, region, every, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var (name, text) = (invocation.Get(environment), invocation.Get(every));
            return text is null
                ? await LookAsync(invocation, await invocation.ConnectForAsync(name, ct), new() { Environment = name, Region = invocation.Get(region) }, invocation.TaskQueueOr(invocation.Get(queue)), ct)
                : await RunSchedule.PutAsync(invocation, nameof(WarmStandby), name, text, "failover capacity", invocation.Get(queue), ct);
        });
    }

    private static async Task<ExitCode> LookAsync(Invocation invocation, TemporalClient client, WarmStandbyRequest request, string taskQueue, CancellationToken ct)
    {
        var run = await RunbookRun.StartAsync(client, nameof(WarmStandby), WarmStandby.WorkflowId(request.Environment!), request.Environment!, request, taskQueue, ct);
        var outcome = await new RunSession(invocation, run, taskQueue).AnswerAsync(ct);
        if (outcome.Report?.As<WarmStandbyReport>() is not { } report)
            throw new CommandFailure(ExitCode.RunFailed, $"Nobody can tell whether the standby's region of \"{request.Environment}\" has room.", outcome.Summary, $"platformops status {run.Named}");
        invocation.Terminal.Line(report.Summary);
        invocation.Terminal.Result(new { environment = request.Environment, workflowId = run.Handle.Id, report });
        return outcome.ExitCode;
    }
}
