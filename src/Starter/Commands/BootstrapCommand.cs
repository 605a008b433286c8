using System.CommandLine;
using PlatformOps.Activities;
using PlatformOps.Adapters.Bootstrap;
using PlatformOps.Platform.Bootstrap;
using PlatformOps.Platform.Yaml;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Starter.Commands;

/// <summary>Where the runbooks' own Temporal cluster is, and moving their standing work to another one.</summary>
internal static class BootstrapCommand
{
    public static Command Create() => new CliCommand("bootstrap", "The Temporal cluster that the runbooks run on: whether it is the active one, and moving their standing work to another.",
        new Example("bootstrap status", "whether this is the active one"),
        new Example("bootstrap pivot --to temporal.example.com:7233 --plan", "what moving to that one would do"))
    {
        StatusCommand(), PivotCommand(),
    };

    /// <summary>What of a cluster's work is the product's.</summary>
    public static StandingWork Work { get; } = new(
        [.. WorkerRegistration.Workflows.Select(type => type.Name)], (type, id) => type == nameof(RegionFailover) && id.StartsWith(RegionFailover.WorkflowId(""), StringComparison.Ordinal));

    private static CliCommand StatusCommand() => new CliCommand(
        "status", "Show whether a cluster is the active bootstrap cluster, and what works there. Changes nothing.", new Example("bootstrap status", "of the cluster that other commands use"))
        .Runs(async (invocation, ct) =>
        {
            var sight = await new BootstrapCluster(await TemporalTarget.Find(invocation.Locations.Data).ConnectAsync(ct), Work).ObserveAsync(ct);
            invocation.Terminal.Line($"{sight.Name}: {BootstrapGate.Why(sight.Says)}");
            foreach (var what in sight.Work)
                invocation.Terminal.Line($"  {what}");
            invocation.Terminal.Result(new { cluster = sight.Name, sight.Says.Role, sight.Says.Epoch, sight.Says.PivotId, sight.Says.Peer, takesWork = sight.Says.TakesWork, work = sight.Work });
            return ExitCode.Success;
        });

    private static CliCommand PivotCommand()
    {
        var to = new Option<string>("--to") { Description = "The cluster that is to be active, host:port.", HelpName = "ADDRESS" };
        var space = new Option<string>("--to-namespace") { Description = "Its namespace; made when there is none. [default: that of the profile, else that of the source]", HelpName = "NAME" };
        var profile = new Option<string>("--to-profile") { Description = "A profile of the Temporal configuration file: its address, namespace, TLS and API key.", HelpName = "NAME" };
        var plan = new Option<bool>("--plan") { Description = "Only show the steps." };
        var abort = new Option<bool>("--abort") { Description = "Take a move back that has not handed over yet: the source stays active." };
        var wait = new Option<string>("--wait") { Description = "How long to wait for runs that have to end first. [default: not at all]", HelpName = "DURATION" };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        return new CliCommand(
            "pivot",
            "Move the standing work (schedules, watches over databases) from the cluster that other commands use to another one. Killed at any moment, it goes on when it is run again.",
            new Example("bootstrap pivot --to temporal.example.com:7233 --plan", "show every step"),
            new Example("bootstrap pivot --to temporal.example.com:7233 --to-namespace platformops --yes --wait 30m", "move it, and wait half an hour for runs to end"),
            new Example("bootstrap pivot --to-profile durable --abort", "take it back: the source stays active"))
        {
            to, space, profile, plan, abort, wait, yes,
        }
        .Runs(async (invocation, ct) =>
        {
            var patience = Patience(invocation.Get(wait));
            var from = TemporalTarget.Find(invocation.Locations.Data);
            var goal = TemporalTarget.Named(invocation.Get(to), invocation.Get(space), invocation.Get(profile), from.Options.Namespace);
            var (source, target) = (new BootstrapCluster(await from.ConnectAsync(ct), Work), new BootstrapCluster(await goal.ConnectAsync(ct), Work));
            var pivot = new BootstrapPivot(source, target, PivotTiming.Default, TimeProvider.System, invocation.Terminal.Progress);
            var direction = invocation.Get(abort) ? PivotDirection.Back : PivotDirection.Forward;
            var planned = await pivot.PlanAsync(direction, ct);
            if (invocation.Get(plan))
                return Show(invocation, new(planned.Facts, planned.Steps, planned.End), planned: true);
            if (planned.Steps.Count > 0)
            {
                invocation.Terminal.Progress($"From {source.Name} to {target.Name}: {planned.Steps.Count} steps.");
                invocation.Confirm(invocation.Get(yes), direction == PivotDirection.Forward
                    ? $"Move the standing work of {source.Name} to {target.Name}?"
                    : $"Take the move to {target.Name} back?");
            }

            return Show(invocation, await pivot.RunAsync(direction, patience, ct), planned: false);
        });
    }

    private static TimeSpan Patience(string? wait) => wait is null ? TimeSpan.Zero : Units.TryParseDuration(wait, out var time)
        ? time
        : throw new CommandFailure(ExitCode.Usage, $"--wait is '{wait}'.", "A number with its unit is expected (90s, 30m, 1h).", "platformops bootstrap pivot --help");

    private static ExitCode Show(Invocation invocation, PivotEnd end, bool planned)
    {
        var (source, target) = (end.Facts.Source, end.Facts.Target);
        if (end.Decision is PivotDecision.Refuse refused)
            throw new CommandFailure(ExitCode.Refused, refused.Reason, end.UnderWay ? $"Active is {Active(end)}." : "Nothing was changed.", refused.Next);
        if (planned)
        {
            foreach (var step in end.Steps)
                invocation.Terminal.Line($"- {step}");
        }

        var (outcome, reason) = end.Decision switch
        {
            PivotDecision.Wait wait => ("waiting", $"{wait.Reason} {string.Join(", ", wait.For)}"),
            PivotDecision.Done => (planned ? "planned" : "done", planned ? $"{end.Steps.Count} steps. Nothing was changed." : ((PivotDecision.Done)end.Decision).Reason),
            _ => throw new InvalidOperationException($"A move does not end with {end.Decision}."),
        };
        invocation.Terminal.Line(reason);
        if (end.Decision is PivotDecision.Wait && !planned)
            invocation.Terminal.Line(end.UnderWay
                ? "Run the command again to go on, with --wait to wait; --abort takes it back unless it has handed over."
                : "Nothing was changed. Run the command again when they have ended, or with --wait.");
        invocation.Terminal.Result(new { outcome, source = source.Name, target = target.Name, active = Active(end), target.Says.Epoch, steps = end.Steps, waitingFor = (end.Decision as PivotDecision.Wait)?.For, reason });
        return end.Decision is PivotDecision.Wait && !planned ? end.UnderWay ? ExitCode.Parked : ExitCode.Refused : ExitCode.Success;
    }

    private static string Active(PivotEnd end) => PivotRules.Active(end.Facts.Source.Record) == PivotSide.Source ? end.Facts.Source.Name : end.Facts.Target.Name;
}
