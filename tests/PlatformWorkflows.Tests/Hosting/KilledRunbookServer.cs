using System.Diagnostics;
using System.Globalization;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Testing;

namespace PlatformOps.PlatformWorkflows.Tests.Hosting;

/// <summary>A server whose runs are in a file, in a process of its own: it can be killed, and goes on at the same address.</summary>
internal sealed class KilledRunbookServer : RunbookServer
{
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-runbooks-").FullName;
    private Process? process;
    private int port;

    public async Task KillAsync()
    {
        await StopAsync();
        await BeginAsync();
    }

    /// <summary>Ends the process too.</summary>
    public new async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }

    protected override async Task<WorkflowEnvironment> StartAsync()
    {
        await BeginAsync();
        return new(await TemporalClient.ConnectAsync(new(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")) { DataConverter = PlatformOpsDataConverter.Instance, Identity = Identity }));
    }

    private async Task BeginAsync()
    {
        string[] words =
        [
            "exec", Executable + ".dll", "server", "start-dev", "--port", $"{port}", "--db-filename", Path.Combine(folder, "state.db"),
            .. RunbookSearchAttributes.All.SelectMany(key => new[] { "--search-attribute", $"{key.Name}={key.ValueType}" }),
        ];
        process = Process.Start(new ProcessStartInfo("dotnet", words) { RedirectStandardOutput = true })!;
        // It says where it listens when it does.
        port = int.Parse((await process.StandardOutput.ReadLineAsync())!.Split(':')[^1], CultureInfo.InvariantCulture);
    }

    private async Task StopAsync()
    {
        if (process is not { } running)
            return;
        process = null;
        running.Kill(entireProcessTree: true);
        await running.WaitForExitAsync();
        running.Dispose();
    }
}
