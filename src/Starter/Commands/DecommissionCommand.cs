using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

internal static class DecommissionCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var includeData = new Option<bool>("--include-data-stores") { Description = "Data goes too (stores, volumes, buckets, secrets, namespaces), where the guard rails allow it." };
        var plan = new Option<bool>("--plan") { Description = "Only show what would be removed and what would be kept." };
        var approve = new Option<string>("--approve") { Description = "Approve exactly the plan with this hash; any other plan waits.", HelpName = "HASH" };
        var reason = RunArguments.Reason(required: false);
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "decommission",
            "Remove an environment in reverse order of its dependencies. Somebody always has to approve the plan; data is kept unless it is asked for.",
            new Example("decommission development --plan", "what would go, and what would stay and why"),
            new Example("decommission development --approve 3f2a9c...", "remove what was read, and nothing else"),
            new Example("decommission development --include-data-stores", "data too: waits for approval of that plan"))
        {
            environment, includeData, plan, approve, reason, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var client = await invocation.ConnectForAsync(invocation.Get(environment), ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new DecommissionEnvironmentInput
            {
                Environment = invocation.Get(environment),
                IncludeDataStores = invocation.Get(includeData),
                Mode = invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply,
                Reason = invocation.Get(reason),
            };
            var id = DecommissionEnvironment.WorkflowId(input.Environment);
            var run = await RunbookRun.StartAsync(
                client, nameof(DecommissionEnvironment), input.Mode == RunbookMode.Plan ? $"{id}/plan/{Guid.NewGuid():N}" : id, input.Environment, input, taskQueue, ct);
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            if (outcome.Status is { Phase: RunbookPhase.AwaitingApproval } && invocation.Get(approve) is { } hash)
            {
                invocation.Terminal.Progress((await run.SendAsync("approve", new ApproveInput(hash, RunCommands.Caller()), ct)).Message);
                outcome = await run.FollowAsync(invocation, taskQueue, ct);
            }

            if (!invocation.Terminal.Json && (invocation.Get(plan) || outcome.ExitCode == ExitCode.Parked) && await run.PlanAsync(outcome.Report, ct) is { } planned)
                PlanText.Write(invocation.Terminal, planned);
            foreach (var kept in outcome.Report?.As<DecommissionReport>().Kept ?? [])
                invocation.Terminal.Line($"  {kept}");
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.ExitCode;
        });
    }
}
