using System.CommandLine;
using System.Globalization;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.Starter.Commands;

/// <summary>Rolls a version of a component's Temporal workers out.</summary>
internal static class RolloutCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var component = new Argument<string>("component") { Description = "The component's name in the catalog, for example business-workers." };
        var build = new Option<string>("--build-id") { Description = "The build id with which the new workers poll. They run beside the old ones.", HelpName = "ID", Required = true };
        var region = new Option<string>("--region") { Description = "The region whose Temporal is meant.", HelpName = "NAME", Required = true };
        var deployment = new Option<string>("--deployment") { Description = "The deployment name with which the workers poll. [default: the component's name]", HelpName = "NAME" };
        var percentages = new Option<double[]>("--percentages") { Description = "Parts of the new runs that it gets one after the other, before it gets all. [default: 10 25 50]", HelpName = "N...", AllowMultipleArgumentsPerToken = true };
        var step = new Option<string>("--step-for") { Description = "How long each part is watched at least. [default: 10m]", HelpName = "DURATION" };
        var atLeast = new Option<int?>("--at-least") { Description = "How many runs on it have to end before the next part. [default: 20]", HelpName = "N" };
        var worse = new Option<double?>("--worse-by") { Description = "By how many percentage points more of its runs may fail than of the old version's. [default: 5]", HelpName = "POINTS" };
        var keep = new Option<int?>("--keep") { Description = "How many drained versions Temporal remembers afterwards. [default: 5]", HelpName = "N" };
        var plan = new Option<bool>("--plan") { Description = "Only show what would change, and whether it may be." };
        var detach = RunArguments.Detach();
        var reason = RunArguments.Reason(required: false);
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "rollout",
            "Give a version of a component's Temporal workers more and more of the new workflow runs, and none again when it does not do well. Runs that are pinned stay where they are.",
            new Example("rollout production business-workers --region us-east-1 --build-id 2.4.0", "10, 25, 50 percent, then all, 10 minutes each"),
            new Example("rollout production business-workers --region us-east-1 --build-id 2.4.0 --percentages 1 5 20 --step-for 1h --worse-by 1", "carefully"),
            new Example("rollout production business-workers --region us-east-1 --build-id 2.3.9 --percentages 50 --step-for 1m --at-least 0", "back to a version that is known to do well"))
        {
            environment, component, build, region, deployment, percentages, step, atLeast, worse, keep, plan, detach, reason, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new RolloutWorkersInput
            {
                Environment = name,
                Component = invocation.Get(component),
                Region = invocation.Get(region),
                BuildId = invocation.Get(build),
                Deployment = invocation.Get(deployment),
                Percentages = invocation.Get(percentages) is { Length: > 0 } given ? given : null,
                StepFor = invocation.Get(step),
                AtLeast = invocation.Get(atLeast),
                WorseBy = invocation.Get(worse),
                Keep = invocation.Get(keep),
                Mode = invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply,
                Reason = invocation.Get(reason),
            };
            var id = RolloutWorkers.WorkflowId(name, input.Component, input.Region!);
            var run = await RunbookRun.StartAsync(
                client, nameof(RolloutWorkers), input.Mode == RunbookMode.Plan ? $"{id}/plan/{Guid.NewGuid():N}" : id, name, input, taskQueue, ct);
            run.RequireStarted("run");
            if (invocation.Get(detach))
                return run.Detached(invocation);
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            if (outcome.Report?.As<RolloutReport>() is { } report)
            {
                foreach (var part in report.Parts)
                    invocation.Terminal.Line(string.Create(CultureInfo.InvariantCulture, $"  {part.Percentage,5:0.##}%  {report.BuildId}: {part.New.Failed} of {part.New.Closed} runs failed; {report.From ?? "before"}: {part.Old.Failed} of {part.Old.Closed}"));
                foreach (var kept in report.NotForgotten)
                    invocation.Terminal.Line($"  not forgotten: {kept}");
            }

            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.Report?.Outcome == "refused" ? ExitCode.Refused : outcome.ExitCode;
        });
    }
}
