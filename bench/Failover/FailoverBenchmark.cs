using System.Globalization;
using System.Text.Json;
using PlatformOps.Bench.Provisioning;

namespace PlatformOps.Bench.Failover;

/// <summary>What clients see of a failover, scenario by scenario, beside the limit: a bare <c>pg_promote</c> by somebody who knows at once.</summary>
internal static class FailoverBenchmark
{
    private static readonly (string Name, string[] Options)[] Scenarios =
    [
        ("node lost, synchronous", ["--scenario", "NodeLost"]),
        ("node lost, asynchronous", ["--scenario", "NodeLost", "--asynchronous"]),
        ("postmaster killed", ["--scenario", "PostmasterKilled"]),
        ("guard killed", ["--scenario", "GuardKilled"]),
        ("planned switchover (longest gap)", ["--scenario", "Switchover"]),
    ];

    public static async Task<IBenchmarkResult> RunAsync(int rounds)
    {
        var measured = Scenarios.ToDictionary(scenario => scenario.Name, _ => new List<FailoverRound>());
        var bare = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            bare.Add(await BarePair.MeasureAsync());
            foreach (var (name, options) in Scenarios)
            {
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{name}, round {round + 1} of {rounds} ..."));
                measured[name].Add(await OnceAsync(options));
            }
        }

        return new FailoverResult("failover", Environment.ProcessorCount, Median(bare), [.. measured.Select(scenario => Summary(scenario.Key, scenario.Value))]);
    }

    private static async Task<FailoverRound> OnceAsync(string[] options)
    {
        using var demo = UpProcess.Run(["demo", "failover", "--output", "json", .. options]);
        var errors = demo.StandardError.ReadToEndAsync();
        var line = await demo.StandardOutput.ReadToEndAsync();
        await demo.WaitForExitAsync();
        return demo.ExitCode == 0
            ? JsonSerializer.Deserialize<FailoverRound>(line, JsonSerializerOptions.Web)!
            : throw new InvalidOperationException($"The demo ended with {demo.ExitCode}: {line}{await errors}");
    }

    private static FailoverScenarioResult Summary(string name, List<FailoverRound> rounds) => new(
        name, Median(rounds.Select(round => round.WritableAfterSeconds)), rounds.Max(round => round.WritableAfterSeconds), rounds.Sum(round => round.Lost), rounds.Sum(round => round.ReportedRows ?? 0),
        rounds.Max(round => round.MaxWritablePrimaries), rounds[0].Phases.Keys.ToDictionary(phase => phase, phase => Median(rounds.Select(round => round.Phases.GetValueOrDefault(phase)))));

    private static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return ordered[ordered.Count / 2];
    }
}

/// <summary>What one <c>demo failover</c> said.</summary>
internal sealed record FailoverRound(int Lost, int? ReportedRows, int MaxWritablePrimaries, double WritableAfterSeconds, IReadOnlyDictionary<string, double> Phases);

/// <param name="WritableAfterSeconds">Median, from the fault to the first write that the new primary acknowledged; of a switchover the longest gap between two acknowledged writes.</param>
/// <param name="Lost">Acknowledged rows that the new primary does not have, of all rounds.</param>
/// <param name="ReportedRows">Row changes that the runs reported to exist on the old primary only, of all rounds.</param>
/// <param name="Phases">Medians, in seconds, as the run measured them.</param>
internal sealed record FailoverScenarioResult(
    string Name, double WritableAfterSeconds, double WorstSeconds, int Lost, int ReportedRows, int MaxWritablePrimaries, IReadOnlyDictionary<string, double> Phases);

/// <param name="BareSeconds">Median: pg_promote by somebody who knows at once, to the first acknowledged write.</param>
internal sealed record FailoverResult(string Benchmark, int Cores, double BareSeconds, IReadOnlyList<FailoverScenarioResult> Scenarios) : IBenchmarkResult
{
    /// <inheritdoc/>
    public string ToText() => string.Join('\n',
    [
        string.Create(CultureInfo.InvariantCulture, $"failover: from the fault to the first acknowledged write; medians, on {Cores} cores"),
        string.Create(CultureInfo.InvariantCulture, $"  bare pg_promote, known at once       {BareSeconds,6:0.00} s"),
        .. Scenarios.Select(scenario => string.Create(
            CultureInfo.InvariantCulture,
            $"  {scenario.Name,-36} {scenario.WritableAfterSeconds,6:0.00} s (worst {scenario.WorstSeconds:0.00})  lost {scenario.Lost}, reported {scenario.ReportedRows}, writable at once {scenario.MaxWritablePrimaries}; {string.Join(", ", scenario.Phases.Select(phase => string.Create(CultureInfo.InvariantCulture, $"{phase.Key} {phase.Value:0.00}")))}")),
    ]);
}
