using System.CommandLine;
using System.Globalization;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.Starter.Commands;

/// <summary>Changes how many replicas a component has, or the class of a managed database, by hand.</summary>
internal static class ScaleCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var component = new Argument<string>("component") { Description = "The component's name in the catalog, for example temporal-frontend." };
        var replicas = new Option<int?>("--replicas") { Description = "How many there are to be, within the range of the specification.", HelpName = "N" };
        var instanceClass = new Option<string>("--class") { Description = "Instead, of a managed database: the class that it is to have, one of those of the specification.", HelpName = "CLASS" };
        var region = new Option<string>("--region") { Description = "The region whose replicas are meant.", HelpName = "NAME", Required = true };
        var parameter = new Option<string>("--parameter") { Description = "Which number is meant. [default: what the catalog scales, usually replicas]", HelpName = "NAME" };
        var until = new Option<string>("--until") { Description = "When the number or class of before comes back, in UTC, for example 2026-03-01T18:00:00Z; or after how long, for example 2h. [default: it stays]", HelpName = "TIME" };
        var watch = new Option<string>("--watch-for") { Description = "How long signals are watched afterwards; one that misses its target because of the change takes it back. [default: 5m]", HelpName = "DURATION" };
        var plan = new Option<bool>("--plan") { Description = "Only show what would change, and whether it may be." };
        var detach = RunArguments.Detach();
        var reason = RunArguments.Reason(required: true);
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "scale",
            "Change how many replicas a component has, or the class of a managed database: refused when what they share has no room for it, and taken back when it does not do well.",
            new Example("scale production temporal-frontend --region us-east-1 --replicas 6 --reason \"sale\" --until 2h", "six for two hours, then as many as before"),
            new Example("scale production temporal-history --region us-east-1 --replicas 8 --reason \"more load\" --plan", "whether that would be accepted"),
            new Example("scale production managed-database --region us-east-1 --class db.r6g.xlarge --reason \"more load\"", "another class of the managed database; clients wait while RDS makes it"),
            new Example("scale production business-workers --region us-east-1 --replicas 3 --reason \"night\" --detach", "those that are in the middle of an activity go when it is done"))
        {
            environment, component, replicas, instanceClass, region, parameter, until, watch, plan, detach, reason, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var end = invocation.Get(until);
            var isTime = end is not null && DateTimeOffset.TryParse(end, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);
            var input = new ScaleComponentInput
            {
                Environment = name,
                Component = invocation.Get(component),
                Region = invocation.Get(region),
                Replicas = invocation.Get(replicas),
                InstanceClass = invocation.Get(instanceClass),
                Parameter = invocation.Get(parameter),
                Until = isTime ? end : null,
                For = isTime ? null : end,
                WatchFor = invocation.Get(watch),
                Mode = invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply,
                Reason = invocation.Get(reason),
            };
            var id = ScaleComponent.WorkflowId(name, input.Component, input.Region!);
            var run = await RunbookRun.StartAsync(
                client, nameof(ScaleComponent), input.Mode == RunbookMode.Plan ? $"{id}/plan/{Guid.NewGuid():N}" : id, name, input, taskQueue, ct);
            run.RequireStarted("run");
            if (invocation.Get(detach))
                return run.Detached(invocation);
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            foreach (var signal in outcome.Report?.As<ScaleReport>().Signals ?? [])
                invocation.Terminal.Line(string.Create(CultureInfo.InvariantCulture, $"  {signal.Name}: {Number(signal.Before, signal.Unit)}{(signal.After is null ? "" : $", afterwards {Number(signal.After, signal.Unit)}")} (target {signal.Target:0.##}{signal.Unit})"));
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.Report?.Outcome == "refused" ? ExitCode.Refused : outcome.ExitCode;
        });
    }

    private static string Number(double? value, string unit) => value is null ? "unknown" : string.Create(CultureInfo.InvariantCulture, $"{value:0.##}{unit}");
}
