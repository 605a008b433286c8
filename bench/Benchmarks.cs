using System.Globalization;
using System.Text.Json;
using PlatformOps.Bench.Failover;
using PlatformOps.Bench.Provisioning;
using PlatformOps.Bench.Server;

namespace PlatformOps.Bench;

/// <summary>The benchmarks by name.</summary>
internal static class Benchmarks
{
    private static readonly Dictionary<string, (string Summary, Func<int, Task<IBenchmarkResult>> Run)> All = new()
    {
        ["failover"] = (
            "`demo failover` in every scenario: from the fault to the first acknowledged write, by phase, beside Patroni with etcd when both are there, and a bare pg_promote by somebody who knows at once",
            FailoverBenchmark.RunAsync),
        ["provisioning"] = (
            "`up` on a fresh data directory: its makespan against the critical path of its components' ready times, its memory, and a second run; the same objects with kubectl apply and wait",
            ProvisioningBenchmark.RunAsync),
        ["server"] = (
            "the bootstrap server, in memory and durable, beside the official dev server when its CLI is there: rates, CPU, latency, memory, restart",
            ServerBenchmark.RunAsync),
    };

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var name = args.Count > 0 && !args[0].StartsWith('-') ? args[0] : null;
        var json = Value(args, "--output") == "json";
        var rounds = int.Parse(Value(args, "--rounds") ?? "3", CultureInfo.InvariantCulture);
        if (name is null || !All.TryGetValue(name, out var benchmark))
        {
            await Console.Error.WriteLineAsync(name is null ? "Usage: bench/run NAME [--output json] [--rounds N]" : $"There is no benchmark \"{name}\".");
            foreach (var (known, (summary, _)) in All)
                await Console.Error.WriteLineAsync($"  {known}: {summary}");
            return 2;
        }

        var result = await benchmark.Run(rounds);
        Console.WriteLine(json ? JsonSerializer.Serialize(result, result.GetType(), Json) : result.ToText());
        return 0;
    }

    private static string? Value(IReadOnlyList<string> args, string option)
    {
        var index = args.ToList().IndexOf(option);
        return index >= 0 && index + 1 < args.Count ? args[index + 1] : null;
    }
}

/// <summary>What a benchmark measured; serialized as it is with <c>--output json</c>.</summary>
internal interface IBenchmarkResult
{
    /// <summary>For people.</summary>
    string ToText();
}
