using System.Text.Json;
using PlatformOps.Integration.Tests.CommandLine;

namespace PlatformOps.Integration.Tests.Up;

/// <summary>One healthy <c>up</c> in the foreground, for the tests that only look at it or ask it again.</summary>
public sealed class RunningUp : IAsyncLifetime
{
    private RunningCli? up;

    internal Cli Cli { get; } = new();

    public string Data => Path.Combine(Cli.Home, "data");

    public string Address => JsonDocument.Parse(File.ReadAllText(Path.Combine(Data, "running.json"))).RootElement.GetProperty("address").GetString()!;

    internal string Written => up!.Written;

    public async ValueTask InitializeAsync()
    {
        up = Cli.Start("up", "--data", Data, "--port", "0", "--time-scale", "0.05");
        await up.WaitForAsync("Ctrl-C ends it", TimeSpan.FromMinutes(5));
    }

    public ValueTask DisposeAsync()
    {
        up?.Dispose();
        Cli.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A command on the same data directory.</summary>
    internal Task<CliResult> RunAsync(params string[] args) => Cli.RunAsync([.. args, "--data", Data]);
}
