using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Starter.Commands;

/// <summary>A failover of an environment's isolated copy, from making it to the proof that nothing of it is left.</summary>
internal static class FailoverDrillCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var scenario = new Option<DrillScenario>("--scenario") { Description = "What happens to the copy: its primary's machine is lost, or it hands over.", DefaultValueFactory = _ => DrillScenario.NodeLost };
        return new CliCommand(
            "drill",
            "Practise a failover on an isolated copy of the environment's database, score it, and remove the copy. The environment itself is only read.",
            new Example("failover drill production", "lose the copy's primary; exit code 8 when an objective was missed"),
            new Example("failover drill production --scenario Switchover --output json", "a planned handover, the score as JSON"))
        {
            environment, scenario,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var run = await RunbookRun.StartAsync(
                client, nameof(RegionFailover), RegionFailover.DrillId(name), name,
                new RegionFailoverRequest { Environment = name, Mode = FailoverRunMode.Drill, Scenario = invocation.Get(scenario) }, TaskQueues.Drill, ct);
            var outcome = await new RunSession(invocation, run, TaskQueues.Drill).AnswerAsync(ct);
            if (outcome.Report?.As<FailoverReport>() is not { } report)
                throw new CommandFailure(ExitCode.RunFailed, $"The drill of \"{name}\" came to nothing.", outcome.Summary, $"platformops status {run.Named}");
            foreach (var phase in report.Phases)
                invocation.Terminal.Line($"  {phase.Name}: {phase.Seconds:0.00} s");
            invocation.Terminal.Line(report.Summary);
            invocation.Terminal.Result(new { environment = name, workflowId = run.Handle.Id, report });
            return report.Drill is { Passed: true } ? ExitCode.Success : ExitCode.RunFailed;
        });
    }
}
