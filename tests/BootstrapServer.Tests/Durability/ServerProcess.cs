using System.Diagnostics;

namespace PlatformOps.BootstrapServer.Tests.Durability;

/// <summary>A server of its own process, that can be killed as a machine would kill it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process process;

    private ServerProcess(Process process, string address)
    {
        this.process = process;
        Address = address;
    }

    public string Address { get; }

    /// <summary>Another executable of the server that the tests are to judge: the native one.</summary>
    private static readonly string? Other = Environment.GetEnvironmentVariable("PLATFORMOPS_TEST_SERVER");

    /// <summary>The executable, as the SDK's harness would start it.</summary>
    public static string Executable { get; } = Other ?? Path.Combine(AppContext.BaseDirectory, "PlatformOps.BootstrapServer");

    private static string[] Command => Other is null ? ["dotnet", "exec", Executable + ".dll"] : [Executable];

    public static Task<ServerProcess> StartAsync(params string[] arguments) => StartUnderAsync([], arguments);

    /// <param name="command">A command that runs the server's command line, which follows it.</param>
    public static async Task<ServerProcess> StartUnderAsync(IEnumerable<string> command, IEnumerable<string> arguments)
    {
        string[] words = [.. command, .. Command, .. arguments];
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_TieredPGO"] = "0"; // lives for seconds only
        var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(); // read all along: a server whose log nobody takes stands still once the pipe is full
        var line = await process.StandardOutput.ReadLineAsync();
        if (line?.Split(": ") is [_, var address])
            return new ServerProcess(process, address);
        throw new InvalidOperationException($"The server did not start: {await errors}");
    }

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    public void Kill()
    {
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
    }

    /// <summary>Waits for its end, by itself or by a fault that it was started with. False when it lives longer than this.</summary>
    public bool Ended(TimeSpan patience) => process.WaitForExit(patience);

    /// <summary>What it says when it refuses to start.</summary>
    public static async Task<string> RefusalAsync(params string[] arguments) => await RefusalUnderAsync([], arguments);

    public static async Task<string> RefusalUnderAsync(IEnumerable<string> command, IEnumerable<string> arguments)
    {
        try
        {
            using var started = await StartUnderAsync(command, arguments);
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
        return "It started.";
    }

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
    }
}
