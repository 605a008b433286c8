using System.Diagnostics;
using PlatformOps.Guard;
using PlatformOps.Guard.Postgres;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Starter.Demos;

/// <summary>The guards of a pair as processes of their own, which can die as machines do.</summary>
internal sealed class GuardProcesses(LocalPair pair) : IAsyncDisposable
{
    private readonly Dictionary<string, Process> running = [];

    /// <summary>Prepares a node.</summary>
    /// <exception cref="CommandFailure">It cannot be; with what it said.</exception>
    public async Task InitAsync(string node, IEnumerable<string> arguments, CancellationToken ct)
    {
        using var process = Start(["guard", "init", "--config", pair.ConfigurationFile(node), .. arguments]);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0)
            throw new CommandFailure(ExitCode.Failure, $"The node {node} cannot be prepared.", $"{await output}{await errors}".Trim(), "Look whether PostgreSQL is installed and its user may reach the temporary directory.");
    }

    /// <summary>Starts the guard of a node; what it says goes to a file of the pair's folder.</summary>
    public void Start(string node)
    {
        var process = Start(["guard", "--config", pair.ConfigurationFile(node)]);
        var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(pair.Folder, $"{node}.log"), append: true) { AutoFlush = true });
        process.OutputDataReceived += (_, line) => log.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (running.Remove(node, out var before))
            before.Dispose();
        running[node] = process;
    }

    /// <summary>Whether the guard's process is there.</summary>
    public bool Lives(string node) => !running[node].HasExited;

    /// <summary>The end of a machine: guard and server die at once, unasked.</summary>
    public async Task LoseAsync(string node)
    {
        Posix.Signal(running[node].Id, Posix.Kill);
        await KillServerAsync(node);
        await running[node].WaitForExitAsync();
    }

    /// <summary>Only the server's first process dies.</summary>
    public void KillPostmaster(string node) => Posix.Signal(new DataDirectory(pair[node].Data).Postmaster() ?? throw new InvalidOperationException($"{node} has no postmaster."), Posix.Kill);

    /// <summary>Only the guard dies; its server lives on.</summary>
    public void KillGuard(string node) => Posix.Signal(running[node].Id, Posix.Kill);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var (node, process) in running)
        {
            if (!process.HasExited)
                Posix.Signal(process.Id, Posix.Kill);
            await process.WaitForExitAsync();
            process.Dispose();
            await KillServerAsync(node);
        }
    }

    private async Task KillServerAsync(string node)
    {
        var data = new DataDirectory(pair[node].Data);
        while (data.Processes() is { Count: > 0 } left)
        {
            foreach (var process in left)
                Posix.Signal(process, Posix.Kill);
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        }
    }

    private static Process Start(IEnumerable<string> arguments)
    {
        // The same program, whether it runs as an executable of its own or under dotnet.
        var program = Environment.ProcessPath!;
        IEnumerable<string> first = Path.GetFileNameWithoutExtension(program) == "dotnet" ? ["exec", typeof(GuardProcesses).Assembly.Location] : [];
        return Process.Start(new ProcessStartInfo(program, [.. first, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
