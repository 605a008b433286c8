using System.CommandLine;
using System.Globalization;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.Starter.Commands;

/// <summary>Numbers of replicas that follow their signals.</summary>
internal static class AutoscaleCommand
{
    public static Command Create() => new CliCommand("autoscale", "Keep the numbers of replicas of an environment where their signals want them.",
        new Example("autoscale start production", "until it is stopped"),
        new Example("autoscale decisions production", "what was decided for each, and why"),
        new Example("autoscale pause production --component temporal-history --reason \"an upgrade\"", "it keeps its number"),
        new Example("autoscale override production temporal-frontend --region us-east-1 --replicas 10 --for 2h --reason sale", "another number for a while"))
    {
        StartCommand(), DecisionsCommand(), Control("pause", "Change nothing any more, of one component or at all; goes on looking.", needsReason: true),
        Control("resume", "Follow the signals again: ends a pause, and an override.", needsReason: false), OverrideCommand(), StopCommand(),
    };

    private static CliCommand StartCommand()
    {
        var environment = RunArguments.Environment();
        var components = RunArguments.Components();
        var every = new Option<string>("--every") { Description = "Time between looks, 10s to 1m. [default: 30s]", HelpName = "DURATION" };
        var queue = RunArguments.TaskQueue();
        return new CliCommand("start", "Start it; it goes on until it is stopped.", new Example("autoscale start production", "everything that has signals and a range"))
        {
            environment, components, every, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var input = new AutoscaleInput { Environment = name, Components = invocation.Get(components) is { Length: > 0 } some ? some : null, Every = invocation.Get(every) };
            var run = await RunbookRun.StartAsync(client, nameof(Autoscale), Autoscale.WorkflowId(name), name, input, invocation.TaskQueueOr(invocation.Get(queue)), ct);
            if (run.Joined)
                throw new CommandFailure(ExitCode.Refused, $"{run.Handle.Id} is running already.", "One for each environment; it was started with other input.", $"platformops autoscale decisions {name}");
            invocation.Terminal.Line($"Started {run.Handle.Id}.");
            invocation.Terminal.Line($"See what it decides: platformops autoscale decisions {name}");
            invocation.Terminal.Result(new { environment = name, workflowId = run.Handle.Id, run.Handle.RunId, outcome = "started" });
            return ExitCode.Success;
        });
    }

    private static CliCommand DecisionsCommand()
    {
        var environment = RunArguments.Environment();
        return new CliCommand("decisions", "Show what was decided for each component, and the last changes, each with its reason.", new Example("autoscale decisions production", "now")) { environment }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var run = await invocation.FindRunAsync(name, Autoscale.WorkflowId(name), ct);
            var decisions = await run.Handle.QueryAsync<AutoscaleDecisions>("decisions", [], new() { Rpc = new() { CancellationToken = ct } });
            foreach (var latest in decisions.Latest)
                invocation.Terminal.Line($"{latest.Component}@{latest.Region}: {Word(latest)}  {latest.Why}");
            if (decisions.Changes.Count > 0)
                invocation.Terminal.Line($"The last {decisions.Changes.Count} of {decisions.ChangeCount} changes, {decisions.Oscillations} of which took back the one before:");
            foreach (var change in decisions.Changes)
                invocation.Terminal.Line($"  {change.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}Z {change.Component}@{change.Region}: {Word(change)}  {change.Why}");
            invocation.Terminal.Result(new { environment = name, workflowId = run.Handle.Id, decisions.Latest, decisions.Changes, decisions.ChangeCount, decisions.Oscillations });
            return ExitCode.Success;
        });
    }

    private static CliCommand OverrideCommand()
    {
        var environment = RunArguments.Environment();
        var component = new Argument<string>("component") { Description = "The component's name in the catalog." };
        var region = new Option<string>("--region") { Description = "The region whose replicas are meant.", HelpName = "NAME", Required = true };
        var replicas = new Option<int>("--replicas") { Description = "How many there are to be.", HelpName = "N", Required = true };
        var duration = new Option<string>("--for") { Description = "How long, at most 7d. [default: 1h]", HelpName = "DURATION" };
        var reason = RunArguments.Reason(required: true);
        return new CliCommand("override", "Want another number than the signals do, for a while.", new Example("autoscale override production temporal-frontend --region us-east-1 --replicas 10 --reason sale", "for an hour"))
        {
            environment, component, region, replicas, duration, reason,
        }
        .Runs((invocation, ct) => TellAsync(
            invocation, invocation.Get(environment), "override",
            new OverrideInput(invocation.Get(component), invocation.Get(region), invocation.Get(replicas), invocation.Get(reason), invocation.Get(duration)), ct));
    }

    private static CliCommand StopCommand()
    {
        var environment = RunArguments.Environment();
        var reason = RunArguments.Reason(required: true);
        return new CliCommand("stop", "End it. The numbers stay as they are.", new Example("autoscale stop production --reason \"an audit\"", "until it is started again")) { environment, reason }
            .Runs((invocation, ct) => TellAsync(invocation, invocation.Get(environment), "stop", new AbortInput(invocation.Get(reason)), ct));
    }

    private static CliCommand Control(string name, string what, bool needsReason)
    {
        var environment = RunArguments.Environment();
        var component = new Option<string>("--component") { Description = "Only this one. [default: everything]", HelpName = "NAME" };
        var reason = RunArguments.Reason(needsReason);
        return new CliCommand(name, what, new Example($"autoscale {name} production{(needsReason ? " --reason \"an upgrade\"" : "")}", "everything")) { environment, component, reason }
            .Runs((invocation, ct) => TellAsync(invocation, invocation.Get(environment), name, new PauseInput(invocation.Get(component), invocation.Get(reason)), ct));
    }

    private static Task<ExitCode> TellAsync(Invocation invocation, string environment, string control, object input, CancellationToken ct) =>
        invocation.ControlAsync(environment, Autoscale.WorkflowId(environment), control, input, ct);

    private static string Word(AutoscaleDecision decision) => decision.To == decision.From ? $"{decision.From?.ToString(CultureInfo.InvariantCulture) ?? "?"}" : $"{decision.From} to {decision.To}";
}
