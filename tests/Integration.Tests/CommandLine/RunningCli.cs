using System.Diagnostics;
using System.Text;

namespace PlatformOps.Integration.Tests.CommandLine;

/// <summary>A command that has been started. Disposing it kills what is left of it.</summary>
internal sealed class RunningCli : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();
    private readonly Task read;

    public RunningCli(ProcessStartInfo start)
    {
        process = Process.Start(start)!;
        process.StandardInput.Close();
        read = Task.WhenAll(ReadAsync(process.StandardOutput, output), ReadAsync(process.StandardError, error));
    }

    /// <summary>Of its process.</summary>
    public int Id => process.Id;

    public bool HasEnded => process.HasExited;

    /// <summary>Everything written so far, on both streams.</summary>
    public string Written
    {
        get
        {
            lock (output)
            {
                lock (error)
                    return $"{output}{error}";
            }
        }
    }

    /// <summary>Waits until <paramref name="text"/> was written.</summary>
    public async Task WaitForAsync(string text, TimeSpan? atMost = null)
    {
        bool IsWritten() => Written.Contains(text, StringComparison.Ordinal);
        await Wait.UntilAsync(() => IsWritten() || read.IsCompleted, () => $"\"{text}\" was not written:\n{Written}", atMost);
        Assert.True(IsWritten(), $"The command ended without writing \"{text}\":\n{Written}");
    }

    /// <summary>Asks it to end, as a service manager or a container runtime does.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Ends it without asking (SIGKILL).</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <param name="atMost">Longer only means that it never ends. Default: five minutes.</param>
    public async Task<CliResult> EndAsync(TimeSpan? atMost = null)
    {
        var limit = atMost ?? TimeSpan.FromMinutes(5);
        using var patience = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // So that it ends what it has started.
            Terminate();
            process.WaitForExit(TimeSpan.FromSeconds(30));
            Assert.Fail($"The command has not ended within {limit}:\n{Written}");
        }

        await read;
        return new CliResult(process.ExitCode, output.ToString(), error.ToString());
    }

    /// <summary>Ends it, and what it has started: a program in namespaces of its own outlives who has made them.</summary>
    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    private static async Task ReadAsync(StreamReader reader, StringBuilder into)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (into)
                into.Append(line).Append('\n');
        }
    }
}
