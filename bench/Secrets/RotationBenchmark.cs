using System.Globalization;
using System.Text;

namespace PlatformOps.Bench.Secrets;

/// <summary>How long a rotation takes until its last consumer is proved, beside the time that the consumers themselves take.</summary>
internal static class RotationBenchmark
{
    private static readonly int[] Counts = [1, 20, 200];

    public static async Task<IBenchmarkResult> RunAsync(int rounds)
    {
        var rows = new List<RotationRow>();
        foreach (var count in Counts)
        {
            var (proved, reload) = (new List<double>(), new List<double>());
            for (var round = 1; round <= rounds; round++)
            {
                await Console.Error.WriteLineAsync($"{count} consumers, round {round} of {rounds} ...");
                var measured = await Demo.MeasuredAsync("rotation", "--consumers", count.ToString(CultureInfo.InvariantCulture));
                proved.Add((double)measured["provedAfterSeconds"]!);
                reload.Add((double)measured["reloadSeconds"]!);
            }

            rows.Add(new(count, Median(proved), Median(reload)));
        }

        return new RotationResult("rotation", rounds, Environment.ProcessorCount, rows);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

/// <param name="ProvedAfterSeconds">From the new value to the last consumer that is proved; the median of the rounds.</param>
/// <param name="ReloadSeconds">Restarting the same consumers one after another, and nothing else.</param>
internal sealed record RotationRow(int Consumers, double ProvedAfterSeconds, double ReloadSeconds);

internal sealed record RotationResult(string Benchmark, int Rounds, int Processors, IReadOnlyList<RotationRow> Rows) : IBenchmarkResult
{
    public string ToText()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"Rotation, median of {Rounds} rounds on {Processors} cores, in seconds\n{"consumers",10} {"proved after",13} {"reload alone",13}\n");
        foreach (var row in Rows)
            text.Append(CultureInfo.InvariantCulture, $"{row.Consumers,10} {row.ProvedAfterSeconds,13:0.00} {row.ReloadSeconds,13:0.00}\n");
        return text.ToString();
    }
}
