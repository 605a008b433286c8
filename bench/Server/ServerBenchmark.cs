using System.Globalization;
using Temporalio.Client;

namespace PlatformOps.Bench.Server;

/// <summary>
/// The bootstrap server under load, in memory and durable, beside the official dev server when its command line tool is
/// there: same load, same run, same machine.
/// </summary>
internal static class ServerBenchmark
{
    /// <summary>Open workflows for the memory of one and for the time of a restart.</summary>
    private const string OpenVariable = "BENCH_OPEN_WORKFLOWS";

    /// <summary>The native executable (<c>dotnet publish src/NativeServer</c>), to be measured beside the others.</summary>
    private const string NativeVariable = "BENCH_NATIVE_SERVER";

    /// <summary>A factor on the number of operations of each load.</summary>
    private const string SizeVariable = "BENCH_SIZE";

    public static async Task<IBenchmarkResult> RunAsync(int rounds)
    {
        var size = double.Parse(Environment.GetEnvironmentVariable(SizeVariable) ?? "1", CultureInfo.InvariantCulture);
        var open = int.Parse(Environment.GetEnvironmentVariable(OpenVariable) ?? "20000", CultureInfo.InvariantCulture);
        var servers = new List<ServerMeasurement>
        {
            await InMemoryAsync("PlatformOps", ServerProcess.StartOursAsync, size, open, rounds),
            await DurableAsync("PlatformOps", ServerProcess.StartOursAsync, size, open, rounds),
        };
        if (Environment.GetEnvironmentVariable(NativeVariable) is { Length: > 0 } native)
        {
            servers.Add(await InMemoryAsync("PlatformOps, native", database => ServerProcess.StartDevServerAsync(native, database), size, open, rounds));
            servers.Add(await DurableAsync("PlatformOps, native", database => ServerProcess.StartDevServerAsync(native, database), size, open, rounds));
        }

        if (ServerProcess.OfficialCli is { } cli)
            servers.Add(await DevServerAsync("official dev server, in memory", cli, size, rounds));
        return new ServerResult(
            "server", Environment.ProcessorCount, servers,
            ServerProcess.OfficialCli is null ? "The official dev server was not measured: put `temporal` on the PATH, or set TEMPORAL_CLI." : null);
    }

    private static async Task<ServerMeasurement> InMemoryAsync(string name, Func<string?, Task<ServerProcess>> start, double size, int open, int rounds)
    {
        await using var server = await start(null);
        var measured = await LoadAsync($"{name}, in memory", server, size, rounds);
        if (open == 0)
            return measured;
        await using var fresh = await start(null);
        return measured with { Open = open, OpenKiB = await OpenWorkflows.CostAsync(fresh, await TemporalClient.ConnectAsync(new(fresh.Address)), open) };
    }

    private static async Task<ServerMeasurement> DurableAsync(string name, Func<string?, Task<ServerProcess>> start, double size, int open, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
        try
        {
            await using var server = await start(Path.Combine(folder, "loads.db"));
            var measured = await LoadAsync($"{name}, durable", server, size, rounds);
            if (open == 0)
                return measured;
            var database = Path.Combine(folder, "open.db");
            var fresh = await start(database);
            var cost = await OpenWorkflows.CostAsync(fresh, await TemporalClient.ConnectAsync(new(fresh.Address)), open);
            var (again, seconds) = await OpenWorkflows.StartAgainAsync(fresh, () => start(database));
            await again.DisposeAsync();
            return measured with { Open = open, OpenKiB = cost, StartAgainSeconds = seconds };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<ServerMeasurement> DevServerAsync(string name, string executable, double size, int rounds)
    {
        await using var server = await ServerProcess.StartDevServerAsync(executable, null);
        return await LoadAsync(name, server, size, rounds);
    }

    private static async Task<ServerMeasurement> LoadAsync(string name, ServerProcess server, double size, int rounds)
    {
        await Console.Error.WriteLineAsync($"{name} ...");
        var before = server.MemoryMiB;
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        var loads = await new Loads(server, client, rounds).RunAsync(size);
        return new ServerMeasurement(name, before, server.MemoryMiB, loads);
    }
}
