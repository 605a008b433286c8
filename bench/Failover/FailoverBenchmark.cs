using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PlatformOps.Bench.Provisioning;

namespace PlatformOps.Bench.Failover;

/// <summary>What clients see of a failover, scenario by scenario, beside the limit (a bare <c>pg_promote</c> by somebody who knows at once) and beside Patroni with etcd, interleaved in one run.</summary>
internal static class FailoverBenchmark
{
    public const string NodeLost = "node lost", PostmasterKilled = "postmaster killed", Switchover = "planned switchover (longest gap)", AgentKilled = "agent killed", AgentKilledAsynchronous = "agent killed, asynchronous";

    internal const string Ours = "platformops";

    private const int Attempts = 3;

    private static readonly (string Name, string[] Options)[] Scenarios =
    [
        (NodeLost, ["--scenario", "NodeLost"]),
        ("node lost, asynchronous", ["--scenario", "NodeLost", "--asynchronous"]),
        (PostmasterKilled, ["--scenario", "PostmasterKilled"]),
        (Switchover, ["--scenario", "Switchover"]),
        (AgentKilled, ["--scenario", "GuardKilled"]),
        (AgentKilledAsynchronous, ["--scenario", "GuardKilled", "--asynchronous"]),
    ];

    public static async Task<IBenchmarkResult> RunAsync(int rounds)
    {
        if (LocalPostgres.Binaries is null)
            throw new InvalidOperationException("PostgreSQL is not installed (Debian: apt-get install postgresql).");
        var measured = new Dictionary<(string Scenario, string System), List<FailoverRound>>();
        var bare = new List<double>();
        var loads = new List<double> { Load() };
        var repeated = 0;
        for (var round = 1; round <= rounds; round++)
        {
            await SayAsync("bare pg_promote", round, rounds);
            bare.Add(await BarePair.MeasureAsync());
            foreach (var (name, options) in Scenarios)
            {
                await SayAsync($"{Ours}: {name}", round, rounds);
                Note(name, Ours, await RepeatedlyAsync(() => OnceAsync(options)));
            }

            if (PatroniPair.Missing is null)
                await MeasurePatroniAsync(round, rounds, RepeatedlyAsync, Note);
            loads.Add(Load());
        }

        return new FailoverResult(
            "failover", rounds, Environment.ProcessorCount, [.. loads], repeated, await VersionAsync(Path.Combine(LocalPostgres.Binaries, "postgres"), "--version"),
            PatroniPair.Missing is null ? await VersionAsync("patroni", "--version") : null, PatroniPair.Missing, Median(bare),
            [.. measured.OrderBy(entry => Array.FindIndex(Scenarios, scenario => scenario.Name == entry.Key.Scenario)).Select(entry => Summary(entry.Key.Scenario, entry.Key.System, entry.Value))]);

        // On a machine that others use, something may not come about in time that has nothing to do with a failover. It is counted, and measured again.
        async Task<T> RepeatedlyAsync<T>(Func<Task<T>> measure)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await measure();
                }
                catch (InvalidOperationException failure) when (attempt < Attempts)
                {
                    repeated++;
                    await Console.Error.WriteLineAsync($"Measured again: {failure.Message}");
                }
            }
        }

        void Note(string scenario, string system, FailoverRound round)
        {
            if (!measured.TryGetValue((scenario, system), out var known))
                measured[(scenario, system)] = known = [];
            known.Add(round);
        }
    }

    private static async Task MeasurePatroniAsync(int round, int rounds, Func<Func<Task<IReadOnlyDictionary<string, FailoverRound>>>, Task<IReadOnlyDictionary<string, FailoverRound>>> repeatedly, Action<string, string, FailoverRound> note)
    {
        foreach (var settings in PatroniScenarios.Settings)
        {
            await SayAsync($"{settings.Name}: switchover, postmaster killed, node lost", round, rounds);
            foreach (var (scenario, result) in await repeatedly(() => PatroniScenarios.MeasureAsync(settings)))
                note(scenario, settings.Name, result);
        }

        foreach (var (scenario, synchronous) in new[] { (AgentKilled, true), (AgentKilledAsynchronous, false) })
        {
            await SayAsync($"{PatroniScenarios.ForAgent.Name}: {scenario}", round, rounds);
            foreach (var (_, result) in await repeatedly(async () => new Dictionary<string, FailoverRound> { [scenario] = await PatroniScenarios.KillAgentAsync(synchronous) }))
                note(scenario, PatroniScenarios.ForAgent.Name, result);
        }
    }

    private static async Task<FailoverRound> OnceAsync(string[] options)
    {
        using var demo = UpProcess.Run(["demo", "failover", "--output", "json", .. options]);
        var errors = demo.StandardError.ReadToEndAsync();
        var line = await demo.StandardOutput.ReadToEndAsync();
        await demo.WaitForExitAsync();
        return demo.ExitCode == 0 && JsonSerializer.Deserialize<FailoverRound>(line, JsonSerializerOptions.Web) is { Outcome: "completed" } round
            ? round
            : throw new InvalidOperationException($"The demo ended with {demo.ExitCode}: {line}{await errors}");
    }

    private static FailoverScenarioResult Summary(string scenario, string system, List<FailoverRound> rounds) => new(
        scenario, system, Median(rounds.Select(round => round.WritableAfterSeconds)), rounds.Min(round => round.WritableAfterSeconds), rounds.Max(round => round.WritableAfterSeconds),
        rounds.Sum(round => round.Lost), rounds.Max(round => round.Lost), rounds.Sum(round => round.ReportedRows ?? 0), rounds.Max(round => round.MaxWritablePrimaries), rounds.Max(round => round.TwoWritableSeconds),
        rounds[0].OwnSeconds is null ? null : Median(rounds.Select(round => round.OwnSeconds ?? double.PositiveInfinity)),
        rounds[0].Phases.Keys.ToDictionary(phase => phase, phase => Median(rounds.Select(round => round.Phases.GetValueOrDefault(phase)))));

    private static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return ordered[ordered.Count / 2];
    }

    /// <summary>The load average of the last minute: above the number of cores, times say more about the machine than about what ran.</summary>
    private static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static async Task<string> VersionAsync(string program, string option)
    {
        using var asked = Process.Start(new ProcessStartInfo(program, [option]) { RedirectStandardOutput = true })!;
        var said = await asked.StandardOutput.ReadToEndAsync();
        await asked.WaitForExitAsync();
        return said.Trim();
    }

    private static Task SayAsync(string what, int round, int rounds) => Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{what}, round {round} of {rounds} ..."));
}

/// <summary>What one failover was like for clients; what one <c>demo failover</c> said.</summary>
internal sealed record FailoverRound(int Lost, int? ReportedRows, int MaxWritablePrimaries, double WritableAfterSeconds, IReadOnlyDictionary<string, double> Phases)
{
    /// <summary>For how long two nodes took writes.</summary>
    public double TwoWritableSeconds { get; init; }

    /// <summary>As the demo says it; null: it is not known of others.</summary>
    public string? Outcome { get; init; }

    /// <summary>What deciding and ordering the steps took; null: it is not known of others.</summary>
    public double? OwnSeconds { get; init; }
}

/// <param name="System">Who decided, with its settings.</param>
/// <param name="WritableAfterSeconds">Median, from the fault to the first write that the new primary acknowledged; of a switchover the longest gap between two acknowledged writes.</param>
/// <param name="Lost">Acknowledged rows that the new primary does not have, of all rounds.</param>
/// <param name="MostLost">The same of the worst round.</param>
/// <param name="ReportedRows">Row changes that the runs reported to exist on the old primary only, of all rounds; Patroni reports none.</param>
/// <param name="TwoWritableSeconds">The longest time for which two nodes took writes.</param>
/// <param name="OwnSeconds">Median of what deciding and ordering the steps took of it; of ours only.</param>
/// <param name="Phases">Medians, in seconds, as the run measured them; of ours only.</param>
internal sealed record FailoverScenarioResult(
    string Scenario, string System, double WritableAfterSeconds, double BestSeconds, double WorstSeconds, int Lost, int MostLost, int ReportedRows, int MaxWritablePrimaries, double TwoWritableSeconds, double? OwnSeconds,
    IReadOnlyDictionary<string, double> Phases);

/// <param name="LoadAverages">Of the machine, at the beginning and after each round.</param>
/// <param name="Repeated">How often something had to be measured again because it did not come about.</param>
/// <param name="Patroni">Its version; null: it was not measured, and <paramref name="Missing"/> says why.</param>
/// <param name="BareSeconds">Median: pg_promote by somebody who knows at once, to the first acknowledged write.</param>
internal sealed record FailoverResult(
    string Benchmark, int Rounds, int Cores, IReadOnlyList<double> LoadAverages, int Repeated, string Postgres, string? Patroni, string? Missing, double BareSeconds, IReadOnlyList<FailoverScenarioResult> Scenarios) : IBenchmarkResult
{
    /// <summary>By scenario and system: how many times as long as ours.</summary>
    public IReadOnlyDictionary<string, double> TimesOurs => Scenarios.Where(result => Own(result) is { } ours && ours != result)
        .ToDictionary(result => $"{result.Scenario}: {result.System}", result => Math.Round(result.WritableAfterSeconds / Own(result)!.WritableAfterSeconds, 1));

    /// <inheritdoc/>
    public string ToText()
    {
        var lines = new List<string>
        {
            Line($"failover: from the fault to the first acknowledged write of the new primary; medians of {Rounds}, on {Cores} cores; load average {string.Join(", ", LoadAverages.Select(load => Line($"{load:0.0}")))}"),
            Line($"{Postgres}; {Patroni ?? "no Patroni"}{(Repeated > 0 ? Line($"; {Repeated} measured again") : "")}"),
            Line($"  {"bare pg_promote, known at once",-36} {"",-16} {BareSeconds,7:0.00} s"),
        };
        foreach (var result in Scenarios)
        {
            lines.Add(Line($"  {result.Scenario,-36} {result.System,-16} {result.WritableAfterSeconds,7:0.00} s ({result.BestSeconds:0.00} to {result.WorstSeconds:0.00}){Times(result)}  lost {result.Lost}{(result.ReportedRows > 0 ? Line($" (reported {result.ReportedRows})") : "")}, writable at once {result.MaxWritablePrimaries}{(result.TwoWritableSeconds > 0 ? Line($" for {result.TwoWritableSeconds:0.0} s") : "")}"));
            if (result.Phases.Count > 0)
                lines.Add($"    {(result.OwnSeconds is { } own ? Line($"deciding and ordering {own:0.000}; ") : "")}{string.Join(", ", result.Phases.Select(phase => Line($"{phase.Key} {phase.Value:0.00}")))}");
        }

        if (Missing is not null)
            lines.Add(Missing);
        return string.Join('\n', lines);
    }

    private string Times(FailoverScenarioResult result) => TimesOurs.TryGetValue($"{result.Scenario}: {result.System}", out var times) ? Line($" {times:0.0} x ours") : "";

    private FailoverScenarioResult? Own(FailoverScenarioResult of) => Scenarios.FirstOrDefault(result => result.Scenario == of.Scenario && result.System == FailoverBenchmark.Ours);

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
