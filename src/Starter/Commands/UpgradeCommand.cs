using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

internal static class UpgradeCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var component = new Argument<string>("component") { Description = "The component's name in the catalog, for example temporal-history." };
        var version = new Option<string>("--version") { Description = "What specification and catalog have to say by now: the tag of one of its images, or the version of its chart.", HelpName = "VERSION" };
        var expect = new Option<string[]>("--expect") { Description = "What the specification has to say of its parameters by now.", HelpName = "NAME=VALUE...", AllowMultipleArgumentsPerToken = true };
        var plan = new Option<bool>("--plan") { Description = "Only show what would change." };
        var observe = new Option<string>("--observe-for") { Description = "How long each region has to stay healthy before the next one, for example 10m. [default: only the health gates]", HelpName = "DURATION" };
        var reason = RunArguments.Reason(required: false);
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "upgrade",
            "Bring one component to what is specified by now, region by region, the secondary ones first; back when one does not do well.",
            new Example("upgrade staging temporal-history --version 1.32.0", "refused unless that is what is specified"),
            new Example("upgrade production temporal-history --observe-for 10m", "watch each region before the next"),
            new Example("upgrade production api-services --plan", "what would change"))
        {
            environment, component, version, expect, plan, observe, reason, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var client = await invocation.ConnectForAsync(invocation.Get(environment), ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new UpgradeComponentInput
            {
                Environment = invocation.Get(environment),
                Component = invocation.Get(component),
                Version = invocation.Get(version),
                Parameters = invocation.Get(expect) is { Length: > 0 } given ? given.Select(Pair).ToDictionary() : null,
                Mode = invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply,
                ObserveFor = invocation.Get(observe),
                Reason = invocation.Get(reason),
            };
            var id = UpgradeComponent.WorkflowId(input.Environment, input.Component);
            var run = await RunbookRun.StartAsync(
                client, nameof(UpgradeComponent), input.Mode == RunbookMode.Plan ? $"{id}/plan/{Guid.NewGuid():N}" : id, input.Environment, input, taskQueue, ct);
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            if (!invocation.Terminal.Json && (invocation.Get(plan) || outcome.ExitCode == ExitCode.Parked) && await run.PlanAsync(outcome.Report, ct) is { } planned)
                PlanText.Write(invocation.Terminal, planned);
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.ExitCode;
        });
    }

    private static KeyValuePair<string, string> Pair(string text) => text.Split('=', 2) is [var name, var value]
        ? KeyValuePair.Create(name, value)
        : throw new CommandFailure(ExitCode.Usage, $"--expect is '{text}'.", "NAME=VALUE is expected, for example replicas=3.", "platformops upgrade --help");
}
