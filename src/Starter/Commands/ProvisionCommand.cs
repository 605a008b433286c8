using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

internal static class ProvisionCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var components = RunArguments.Components();
        var operation = new Option<string>("--operation-id") { Description = "Stamped on everything that the run creates or changes. [default: derived from the run]", HelpName = "ID" };
        var reason = RunArguments.Reason(required: false);
        var queue = RunArguments.TaskQueue();
        var detach = RunArguments.Detach();
        return new CliCommand(
            "provision",
            "Bring an environment to what the specification says, and follow the run. Ctrl-C leaves it going.",
            new Example("provision development", "everything, with live progress"),
            new Example("provision staging --components temporal-history --reason \"change 4711\"", "one component and what it depends on"),
            new Example("provision production --detach --output json", "start only, for a pipeline"))
        {
            environment, components, operation, reason, queue, detach,
        }
        .Runs(async (invocation, ct) =>
        {
            var client = await invocation.ConnectForAsync(invocation.Get(environment), ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new ProvisionEnvironmentInput
            {
                Environment = invocation.Get(environment),
                Components = invocation.Get(components) is { Length: > 0 } some ? some : null,
                OperationId = invocation.Get(operation),
                Reason = invocation.Get(reason),
            };
            var run = await RunbookRun.StartAsync(client, input, taskQueue, ct);
            if (run.Joined && (input.Components is not null || input.OperationId is not null))
                throw new CommandFailure(
                    ExitCode.Refused,
                    $"{run.Handle.Id} is running already.",
                    "One run per environment; it was started with other input, and --components and --operation-id cannot be changed in mid-run.",
                    $"platformops status {run.Environment} --watch");
            return await FollowAsync(invocation, run, taskQueue, invocation.Get(detach), ct);
        });
    }

    private static async Task<ExitCode> FollowAsync(Invocation invocation, RunbookRun run, string taskQueue, bool detach, CancellationToken ct)
    {
        if (!detach)
        {
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            RunResult.Write(invocation.Terminal, run, outcome);
            return outcome.ExitCode;
        }

        invocation.Terminal.Progress($"{(run.Joined ? "Joined" : "Started")} {run.Handle.Id} on {run.Client.Connection.Options.TargetHost} (run {run.Handle.RunId}).");
        invocation.Terminal.Line($"Watch it: platformops status {run.Environment} --watch");
        invocation.Terminal.Result(new { run.Environment, workflowId = run.Handle.Id, run.Handle.RunId, run.Joined });
        return ExitCode.Success;
    }
}
