using System.Globalization;
using System.Text.Json;
using PlatformOps.Bench.Backups;
using PlatformOps.Bench.Failover;
using PlatformOps.Bench.Provisioning;
using PlatformOps.Bench.Secrets;
using PlatformOps.Bench.Server;

namespace PlatformOps.Bench;

/// <summary>The benchmarks by name.</summary>
internal static class Benchmarks
{
    private static readonly Dictionary<string, (string Summary, Func<BenchmarkOptions, Task<IBenchmarkResult>> Run)> All = new()
    {
        ["backup"] = (
            "`demo backup` with 32 and 128 MB: throughput of a full backup and of its restore beside pgBackRest alone on the same data, and what a verification costs per GB",
            options => BackupBenchmark.RunAsync(options.Rounds)),
        ["failover"] = (
            "`demo failover` in every scenario: from the fault to the first acknowledged write, by phase, beside Patroni with etcd when both are there, and a bare pg_promote by somebody who knows at once",
            options => FailoverBenchmark.RunAsync(options.Rounds)),
        ["provisioning"] = (
            "`up` on a fresh data directory: its makespan against the critical path of its components' ready times, its memory, and a second run; the same objects with kubectl apply and wait (--environment NAME, --pace N: pods take N times 1 to 2.5 s, --parallel N: steps at once instead of what its guard rails say, --no-kubectl)",
            ProvisioningBenchmark.RunAsync),
        ["rotation"] = (
            "`demo rotation` with 1, 20 and 200 consumers: from the new value to the last consumer that is proved to use it, beside restarting the same consumers one after another without a rotation",
            options => RotationBenchmark.RunAsync(options.Rounds)),
        ["server"] = (
            "the bootstrap server, in memory and durable, beside the official dev server when its CLI is there: rates, CPU, latency, memory, restart",
            options => ServerBenchmark.RunAsync(options.Rounds)),
    };

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var name = args.Count > 0 && !args[0].StartsWith('-') && !args.Contains("--help") ? args[0] : null;
        var json = Value(args, "--output") == "json";
        var options = new BenchmarkOptions(
            int.Parse(Value(args, "--rounds") ?? "3", CultureInfo.InvariantCulture), Value(args, "--environment") ?? "development",
            double.Parse(Value(args, "--pace") ?? "1", CultureInfo.InvariantCulture),
            Value(args, "--parallel") is { } parallel ? int.Parse(parallel, CultureInfo.InvariantCulture) : null, !args.Contains("--no-kubectl"));
        if (name is null || !All.TryGetValue(name, out var benchmark))
        {
            await Console.Error.WriteLineAsync(name is null ? "Usage: bench/run NAME [--output json] [--rounds N] [OPTIONS]" : $"There is no benchmark \"{name}\".");
            foreach (var (known, (summary, _)) in All)
                await Console.Error.WriteLineAsync($"  {known}: {summary}");
            return 2;
        }

        var result = await benchmark.Run(options);
        Console.WriteLine(json ? JsonSerializer.Serialize(result, result.GetType(), Json) : result.ToText());
        return 0;
    }

    private static string? Value(IReadOnlyList<string> args, string option)
    {
        var index = args.ToList().IndexOf(option);
        return index >= 0 && index + 1 < args.Count ? args[index + 1] : null;
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Environment">Of provisioning: which one to bring up. Its approval is given by the benchmark.</param>
/// <param name="Pace">Of provisioning: how many times longer pods take than the 1 to 2.5 s of the sandbox.</param>
/// <param name="Parallel">Of provisioning: how many steps may be worked on at once; null: as the environment's guard rails say.</param>
/// <param name="Kubectl">Of provisioning: whether to apply the same objects with kubectl, too, where there is one.</param>
internal sealed record BenchmarkOptions(int Rounds, string Environment, double Pace, int? Parallel, bool Kubectl);

/// <summary>What a benchmark measured; serialized as it is with <c>--output json</c>.</summary>
internal interface IBenchmarkResult
{
    /// <summary>For people.</summary>
    string ToText();
}
