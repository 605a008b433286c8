using System.Diagnostics;
using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Configuration;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Postgres;

/// <summary>The server's process: starts it, takes over one that an earlier guard started, stops it, and sees it end.</summary>
/// <param name="ended">Called once for every server that ended without being told to.</param>
internal sealed class ServerProcess(GuardConfiguration configuration, ServerUser user, ServerSettings settings, TimeProvider clock, ILogger log, Action ended) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim turn = new(1);
    private volatile int postmaster;
    private volatile bool stopping, remains;
    private Task following = Task.CompletedTask;

    public DataDirectory Data { get; } = new(configuration.Data);

    public bool Running => postmaster != 0;

    /// <summary>It ended by itself, and processes of it may still be there.</summary>
    public bool Remains => remains;

    /// <summary>Its process; 0: none.</summary>
    public int Id => postmaster;

    /// <summary>It runs, and lets in.</summary>
    public bool Ready => Running && Data.Ready();

    /// <summary>Starts the server, or takes over the running one; returns when it lets in, or has ended.</summary>
    public async Task StartAsync(GuardMemory memory, TimeSpan patience, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            if (!Running)
                Begin(memory);
        }
        finally
        {
            turn.Release();
        }

        var started = clock.GetTimestamp();
        while (!Ready)
        {
            if (!Running)
                throw new GuardException($"The server on {configuration.Data} ended while it started: see {Log}.");
            if (clock.GetElapsedTime(started) > patience)
                throw new GuardException($"The server on {configuration.Data} does not let in after {patience.TotalSeconds:0} s: see {Log}.");
            await Task.Delay(Look, clock, ct);
        }
    }

    /// <summary>Has it read its settings again.</summary>
    public void Reload()
    {
        if (postmaster is > 0 and var process)
            Posix.Signal(process, Posix.HangUp);
    }

    /// <summary>Stops it and everything that is left of it.</summary>
    /// <param name="patience">For an orderly end, in which standbys get everything; zero: at once.</param>
    /// <returns>Whether the end was orderly.</returns>
    public async Task<bool> StopAsync(TimeSpan patience, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            stopping = true;
            if (!Running && Data.Postmaster() is { } left)
                following = FollowAsync(postmaster = left, null);
            var process = postmaster;
            var orderly = process == 0 || (patience > TimeSpan.Zero && await EndedAsync(process, Posix.Interrupt, patience, ct));
            if (!orderly)
                await EndedAsync(process, Posix.Quit, TimeSpan.FromMilliseconds(500), ct);
            await KillRestAsync(ct);
            postmaster = 0;
            return orderly;
        }
        finally
        {
            stopping = false;
            turn.Release();
        }
    }

    /// <summary>Kills what outlives a dead postmaster: such processes go on committing for a while.</summary>
    public async Task KillRestAsync(CancellationToken ct)
    {
        while (Data.Processes() is { Count: > 0 } left)
        {
            foreach (var process in left)
                Posix.Signal(process, Posix.Kill);
            await Task.Delay(TimeSpan.FromMilliseconds(2), clock, ct);
        }

        Data.ForgetDead();
        remains = false;
    }

    public void Dispose() => turn.Dispose();

    private string Log => Path.Combine(configuration.State, "server.log");

    private void Begin(GuardMemory memory)
    {
        if (Data.Postmaster() is { } running)
        {
            log.LogInformation("The server (process {Process}) runs already: it is taken over", running);
            settings.Prepare();
            settings.WriteInto(configuration.Data, memory);
            Posix.Signal(running, Posix.HangUp);
            postmaster = running;
            following = FollowAsync(running, null);
            return;
        }

        // Without a postmaster, what is left of it is nobody's.
        foreach (var process in Data.Processes())
            Posix.Signal(process, Posix.Kill);
        Data.ForgetDead();
        settings.Prepare();
        settings.WriteInto(configuration.Data, memory);
        // A session of its own: what a terminal sends to the guard is not for the server. The log is a file, which outlives the guard.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec setsid \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", Log, .. user.Run(settings.CommandLine())]) { WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C.UTF-8";
        var child = Process.Start(start)!;
        log.LogInformation("The server is started (process {Process})", child.Id);
        postmaster = child.Id;
        following = FollowAsync(child.Id, child);
    }

    /// <summary>Sees a server end: at once when it is our child, else by looking.</summary>
    private async Task FollowAsync(int process, Process? child)
    {
        if (child is not null)
        {
            await child.WaitForExitAsync();
            child.Dispose();
        }
        else
        {
            while (Data.Processes().Contains(process))
                await Task.Delay(Look, clock);
        }

        var alone = postmaster == process && !stopping;
        // Before it counts as down: of one that remains, nobody says that it is.
        if (alone)
            remains = true;
        if (Interlocked.CompareExchange(ref postmaster, 0, process) == process && alone)
            ended();
        else if (alone)
            remains = false; // It was stopped in that very moment, with all that was left of it.
    }

    private async Task<bool> EndedAsync(int process, int signal, TimeSpan patience, CancellationToken ct)
    {
        Posix.Signal(process, signal);
        try
        {
            await following.WaitAsync(patience, clock, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
