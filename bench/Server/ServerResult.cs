using System.Globalization;
using System.Text;

namespace PlatformOps.Bench.Server;

/// <summary>One load on one server: medians of the rounds, column by column.</summary>
/// <param name="PerSecond">Operations per second, of the whole machine: client, worker and server share its cores.</param>
/// <param name="ServerCpuMs">Processor time of the server for one operation.</param>
/// <param name="ClientCpuMs">Processor time of the SDK's client and worker for one operation; it bounds what any server can reach.</param>
/// <param name="P50Ms">Median latency, where operations go one at a time.</param>
internal sealed record LoadResult(string Load, int Count, double PerSecond, double ServerCpuMs, double ClientCpuMs, double? P50Ms, double? P99Ms);

/// <summary>One server under all loads.</summary>
/// <param name="StartMiB">Resident memory before the first call.</param>
/// <param name="OpenKiB">Memory of an open workflow that waits for a timer; null when it was not measured.</param>
/// <param name="StartAgainSeconds">From the start of the process to its first answer, with so many open workflows in its file.</param>
internal sealed record ServerMeasurement(
    string Server, double StartMiB, double AfterLoadsMiB, IReadOnlyList<LoadResult> Loads, int Open = 0, double? OpenKiB = null, double? StartAgainSeconds = null);

/// <summary>Every server that was measured in this run, the official one last when there is one.</summary>
internal sealed record ServerResult(string Benchmark, int Cores, IReadOnlyList<ServerMeasurement> Servers, string? NotMeasured) : IBenchmarkResult
{
    /// <inheritdoc/>
    public string ToText()
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"server: the same load on each, {Cores} cores for server, client and worker together");
        foreach (var server in Servers)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{server.Server}: {server.StartMiB:0} MiB at start, {server.AfterLoadsMiB:0} MiB after the loads");
            text.AppendLine("  load                          per second   server CPU   client CPU        p50        p99");
            foreach (var load in server.Loads)
            {
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"  {load.Load,-28} {load.PerSecond,11:0} {load.ServerCpuMs,9:0.000} ms {load.ClientCpuMs,9:0.000} ms {Ms(load.P50Ms),10} {Ms(load.P99Ms),10}{Against(server, load)}");
            }
            if (server.OpenKiB is { } open)
                text.AppendLine(CultureInfo.InvariantCulture, $"  {server.Open} open workflows with a timer: {open:0.0} KiB each{(server.StartAgainSeconds is { } again ? $"; killed and started again in {again.ToString("0.0", CultureInfo.InvariantCulture)} s" : "")}");
        }
        return NotMeasured is null ? text.ToString().TrimEnd() : text.AppendLine().Append(NotMeasured).ToString();
    }

    /// <summary>Ratios to the official server, in the same run.</summary>
    private string Against(ServerMeasurement server, LoadResult load)
    {
        if (NotMeasured is not null || server == Servers[^1] || Servers[^1].Loads.FirstOrDefault(l => l.Load == load.Load) is not { } official)
            return "";
        return string.Create(CultureInfo.InvariantCulture, $"   {load.PerSecond / official.PerSecond:0.0}x the official server's rate, 1/{official.ServerCpuMs / load.ServerCpuMs:0.0} of its CPU");
    }

    private static string Ms(double? value) => value is { } ms ? ms.ToString("0.0", CultureInfo.InvariantCulture) + " ms" : "";
}
