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

    public int Port => int.Parse(Address.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The executable, as the SDK's harness would start it.</summary>
    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "PlatformOps.BootstrapServer");

    public static async Task<ServerProcess> StartAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Executable + ".dll", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync();
        if (line?.Split(": ") is [_, var address])
            return new ServerProcess(process, address);
        throw new InvalidOperationException($"The server did not start: {await process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
    }
}
