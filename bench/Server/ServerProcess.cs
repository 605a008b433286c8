using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using PlatformOps.Bench.Provisioning;
using Temporalio.Client;

namespace PlatformOps.Bench.Server;

/// <summary>A Temporal server in a process of its own, ours or the official dev server, and what the kernel says of it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly Task drained;

    private ServerProcess(Process process, string address)
    {
        this.process = process;
        Address = address;
        drained = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    public string Address { get; }

    /// <summary>Processor time that it has used, of all its threads.</summary>
    public TimeSpan Cpu
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory now.</summary>
    public double MemoryMiB => Status("VmRSS:") / 1024;

    /// <summary>The official command line tool, when there is one: <c>TEMPORAL_CLI</c>, or <c>temporal</c> on the PATH.</summary>
    public static string? OfficialCli { get; } =
        Environment.GetEnvironmentVariable("TEMPORAL_CLI") is { Length: > 0 } given
            ? given
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "temporal")).FirstOrDefault(File.Exists);

    /// <param name="database">The file that keeps everything; in memory when null.</param>
    public static async Task<ServerProcess> StartOursAsync(string? database)
    {
        var process = UpProcess.Run(["server", "--port", "0", "--output", "json", .. database is null ? Array.Empty<string>() : ["--database", database]]);
        var line = await process.StandardOutput.ReadLineAsync();
        if (line is null)
            throw new InvalidOperationException($"The server did not start: {await process.StandardError.ReadToEndAsync()}");
        return new ServerProcess(process, JsonDocument.Parse(line).RootElement.GetProperty("address").GetString()!);
    }

    /// <summary>What is started as the official dev server is, which says nothing when it is ready: it is asked until it answers.</summary>
    /// <param name="database">The file that keeps everything; in memory when null.</param>
    public static async Task<ServerProcess> StartDevServerAsync(string executable, string? database)
    {
        var port = FreePort();
        var start = new ProcessStartInfo(executable, ["server", "start-dev", "--headless", "--log-level", "error", "--port", port.ToString(CultureInfo.InvariantCulture), .. database is null ? Array.Empty<string>() : ["--db-filename", database]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var server = new ServerProcess(Process.Start(start)!, $"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}");
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                var client = await TemporalClient.ConnectAsync(new(server.Address));
                await client.WorkflowService.DescribeNamespaceAsync(new() { Namespace = "default" });
                return server;
            }
            catch (Exception e) when (patience.Elapsed < TimeSpan.FromSeconds(60) && e is InvalidOperationException or Temporalio.Exceptions.RpcException)
            {
                await Task.Delay(20);
            }
        }
    }

    /// <summary>SIGKILL: what is to be there afterwards has to be on disk.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await KillAsync();
        await drained;
        process.Dispose();
    }

    private double Status(string field)
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/status")).First(l => l.StartsWith(field, StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
