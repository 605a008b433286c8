using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Yaml;
using PlatformOps.Starter.Capacity;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Specifications;
using Temporalio.Client;

namespace PlatformOps.Starter.Commands;

/// <summary>Whether a Temporal cluster carries what the specification promises.</summary>
internal static class VerifyCapacityCommand
{
    /// <summary>Removing many workflows takes its time, also after Ctrl-C.</summary>
    private static readonly TimeSpan RemoveWithin = TimeSpan.FromMinutes(15);

    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var steps = new Option<string>("--steps") { Description = "Parts of the targets, in percent, one step of load each.", HelpName = "LIST", DefaultValueFactory = _ => "10,25,50,75,100" };
        var each = new Option<string>("--step") { Description = "How long each step takes, 1s to 1h.", HelpName = "DURATION", DefaultValueFactory = _ => "2m" };
        var starts = new Option<int?>("--starts") { Description = "Workflow starts each second. [default: what the specification promises]", HelpName = "N" };
        var activities = new Option<int?>("--activities") { Description = "Activities each second. [default: what the specification promises]", HelpName = "N" };
        var open = new Option<int?>("--open") { Description = "Workflows that are open at the same time. [default: what the specification promises]", HelpName = "N" };
        var startWithin = new Option<string>("--start-within") { Description = "The load ends when 99 of 100 starts take longer.", HelpName = "DURATION", DefaultValueFactory = _ => "1s" };
        var pickUpWithin = new Option<string>("--pick-up-within") { Description = "The load ends when 99 of 100 activities wait longer for a worker.", HelpName = "DURATION", DefaultValueFactory = _ => "1s" };
        var svg = new Option<string>("--svg") { Description = "Where the picture is written. [default: nowhere]", HelpName = "FILE" };
        var clean = new Option<bool>("--clean") { Description = "Remove what a load has left that was killed, and begin none." };
        var yes = RunArguments.Yes();
        return new CliCommand(
            "verify-capacity",
            "Load the Temporal cluster that TEMPORAL_ADDRESS names with workflows of its own, in steps up to what the specification promises; stop when an objective is not kept, and remove them all.",
            new Example("verify-capacity production --yes --svg capacity.svg", "up to the targets of production, with a picture"),
            new Example("verify-capacity production --steps 10 --step 30s --yes", "a tenth of them for half a minute"),
            new Example("verify-capacity production --clean --yes", "remove what a load has left that was killed"))
        {
            environment, steps, each, starts, activities, open, startWithin, pickUpWithin, svg, clean, yes,
        }
        .StopsWithin(RemoveWithin)
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var validation = Validation.Of(invocation.Locations);
            var specification = validation.Specification ?? throw validation.Refusal(invocation.Locations);
            var promised = (specification.Find(name) ?? throw KnownEnvironments.Unknown(name, invocation.Locations.Specification, specification.Environments.Select(known => known.Name))).Performance;
            var targets = new CapacityTargets(
                Number(invocation.Get(starts) ?? promised.WorkflowStartsPerSecond, "--starts"), Number(invocation.Get(activities) ?? promised.ActivityExecutionsPerSecond, "--activities"),
                Number(invocation.Get(open) ?? promised.ConcurrentWorkflows, "--open"), Duration(invocation.Get(startWithin)!, "--start-within", TimeSpan.FromMilliseconds(1)), Duration(invocation.Get(pickUpWithin)!, "--pick-up-within", TimeSpan.FromMilliseconds(1)));
            var (percents, length) = (Percents(invocation.Get(steps)!), Duration(invocation.Get(each)!, "--step", TimeSpan.FromSeconds(1)));
            var target = TemporalTarget.Find(invocation.Locations.Data);
            var client = await target.ConnectAsync(ct);
            var left = await CanaryRemoval.FindAsync(client, ct);
            if (invocation.Get(clean))
                return await CleanAsync(invocation, client, left, invocation.Get(yes), ct);
            if (left.Count > 0)
                throw new CommandFailure(ExitCode.Busy, $"{left.Count} workflows of a load are in namespace {client.Options.Namespace} of {target.Address}.", "Another load runs there, or one was killed.", $"When none runs: platformops verify-capacity {name} --clean --yes");
            invocation.Confirm(invocation.Get(yes), string.Create(CultureInfo.InvariantCulture, $"Up to {targets.StartsPerSecond} workflows will be started each second at {target.Address}. Go on?"));
            return await VerifyAsync(invocation, client, name, target.Address, targets, percents, length, invocation.Get(svg), ct);
        });
    }

    private static async Task<ExitCode> VerifyAsync(
        Invocation invocation, TemporalClient client, string environment, string address, CapacityTargets targets, IReadOnlyList<int> percents, TimeSpan length, string? svg, CancellationToken ct)
    {
        var operation = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray())[..8];
        var load = new CapacityLoad(client, targets, operation, TimeProvider.System);
        invocation.Terminal.Progress(string.Create(
            CultureInfo.InvariantCulture, $"Load {operation} at {address}: each workflow has {targets.ActivitiesEach} activities and is open for {targets.OpenFor.TotalSeconds:0} s; {percents.Count} steps of {length.TotalSeconds:0} s."));
        using var self = Process.GetCurrentProcess();
        var (cpu, clock) = (self.TotalProcessorTime, Stopwatch.StartNew());
        var (steps, breach) = await load.RunAsync(percents, length, step => invocation.Terminal.Progress(InWords(step)), ct);
        self.Refresh();
        var busy = Math.Round((self.TotalProcessorTime - cpu) / clock.Elapsed / Environment.ProcessorCount, 2);
        invocation.Terminal.Progress($"Removing {load.Names} workflows.");
        // Whoever interrupts it wants to leave nothing behind either.
        using var patience = new CancellationTokenSource(RemoveWithin - TimeSpan.FromMinutes(1));
        var left = await load.RemoveAsync(patience.Token);
        var summary = CapacityRules.Verdict(targets, steps, breach, ct.IsCancellationRequested)
            + (busy >= 0.8 ? string.Create(CultureInfo.InvariantCulture, $" The load itself used {busy * 100:0} % of this machine: the limit may be here and not there.") : "")
            + (left == 0 ? "" : $" {left} workflows could not be removed; they end by themselves. platformops verify-capacity {environment} --clean removes them.");
        foreach (var line in CapacityChart.Text(targets, steps).Append(summary))
            invocation.Terminal.Line(line);
        if (svg is not null)
            await File.WriteAllTextAsync(svg, CapacityChart.Svg($"{environment}: {address}, load {operation}", targets, steps), CancellationToken.None);
        var outcome = ct.IsCancellationRequested ? "interrupted" : breach is not null ? "breached" : CapacityRules.Reached(targets, steps) ? "reached" : "held";
        invocation.Terminal.Result(new { environment, outcome, summary, operationId = operation, address, targets, steps, busy, left });
        return outcome switch
        {
            "interrupted" => ExitCode.Interrupted,
            "breached" => ExitCode.RunFailed,
            _ => left == 0 ? ExitCode.Success : ExitCode.Failure,
        };
    }

    private static async Task<ExitCode> CleanAsync(Invocation invocation, TemporalClient client, IReadOnlyList<string> ids, bool yes, CancellationToken ct)
    {
        if (ids.Count > 0)
            invocation.Confirm(yes, $"{ids.Count} workflows of loads will be ended and deleted, also of one that runs now. Go on?");
        var left = 0;
        await Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = ct }, async (id, token) =>
        {
            if (!await CanaryRemoval.RemoveAsync(client, id, token))
                Interlocked.Increment(ref left);
        });
        invocation.Terminal.Line($"{ids.Count - left} of {ids.Count} workflows of loads were removed.");
        invocation.Terminal.Result(new { outcome = "cleaned", removed = ids.Count - left, left });
        return left == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static string InWords(CapacityStep step) => string.Create(
        CultureInfo.InvariantCulture, $"{step.Percent,3} %: {step.StartsPerSecond:0.0} starts and {step.ActivitiesPerSecond:0.0} activities each second, {step.MostOpen} open; 99 of 100 starts within {step.Starts?.P99 ?? 0:0} ms, activities picked up within {step.PickUps?.P99 ?? 0:0} ms.");

    private static IReadOnlyList<int> Percents(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var percents = parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent is >= 1 and <= 200 ? percent : 0).ToList();
        return percents.Contains(0) || percents.Zip(percents.Skip(1)).Any(pair => pair.First >= pair.Second)
            ? throw Wrong("--steps", text, "numbers from 1 to 200 that rise, with commas, are expected") : percents;
    }

    private static int Number(int number, string option) => number is >= 1 and <= 1_000_000 ? number : throw Wrong(option, $"{number}", "a number from 1 to 1000000 is expected");

    private static TimeSpan Duration(string text, string option, TimeSpan least) =>
        Units.TryParseDuration(text, out var duration) && duration >= least && duration <= TimeSpan.FromHours(1) ? duration : throw Wrong(option, text, $"a duration from {Units.Format(least)} to 1h is expected");

    private static CommandFailure Wrong(string option, string text, string expected) => new(ExitCode.Usage, $"{option} is '{text}': {expected}.", "", "platformops verify-capacity --help");
}
