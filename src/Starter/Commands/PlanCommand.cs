using System.CommandLine;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

internal static class PlanCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var components = RunArguments.Components();
        var queue = RunArguments.TaskQueue();
        var exitCode = new Option<bool>("--exit-code") { Description = $"End with {(int)ExitCode.Changes} when something would change." };
        return new CliCommand(
            "plan",
            "Show what provisioning would change, field by field. Changes nothing.",
            new Example("plan development", "everything that differs from the specification"),
            new Example("plan production --exit-code --output json", "for a pipeline: 0 no changes, 10 changes"))
        {
            environment, components, queue, exitCode,
        }
        .Runs(async (invocation, ct) =>
        {
            var client = await invocation.ConnectForAsync(invocation.Get(environment), ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new ProvisionEnvironmentInput
            {
                Environment = invocation.Get(environment),
                Components = invocation.Get(components) is { Length: > 0 } some ? some : null,
            };
            var run = await RunbookRun.StartPlanAsync(client, input, taskQueue, ct);
            var outcome = await new RunSession(invocation, run, taskQueue).AnswerAsync(ct);
            if (outcome.Report is null || await run.PlanAsync(outcome.Report, ct) is not { } plan)
                throw new CommandFailure(
                    ExitCode.RunFailed, $"There is no plan for \"{run.Environment}\".", outcome.Summary, "platformops validate");
            if (!invocation.Terminal.Json)
                PlanText.Write(invocation.Terminal, plan);
            invocation.Terminal.Result(plan);
            var changes = plan.Components.SelectMany(component => component.Objects).Any(planned => planned.Action != PlannedAction.None);
            return changes && invocation.Get(exitCode) ? ExitCode.Changes : ExitCode.Success;
        });
    }
}
