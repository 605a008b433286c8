using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Changes;

/// <summary>Makes a streaming standby of the node, whatever it is: by letting it stream, else by rewinding, else by cloning. What an interrupted attempt left is where the next one starts.</summary>
internal sealed class Rebuilding(GuardParts parts, Divergences divergences, PeerServer peer)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>For a standby whose data fits to find its place and stream.</summary>
    private static readonly TimeSpan StreamPatience = TimeSpan.FromSeconds(15);

    /// <summary>Says what it does, for people who wait.</summary>
    public string? Progress { get; private set; }

    public async Task RunAsync(GuardRebuild rebuild, TimeSpan startPatience, CancellationToken ct)
    {
        var content = parts.Server.Data.Content;
        if (content == NodeData.Standby && await StreamsAsync(startPatience, ct))
        {
            Done();
            return;
        }

        await parts.Server.StopAsync(TimeSpan.FromSeconds(10), ct);
        parts.Status.Down(null);
        if (content != NodeData.None)
        {
            if (content == NodeData.Primary)
                await divergences.ExportAsync(rebuild.Primary, rebuild.Epoch, ct);
            if (await RewindAsync(ct) && await StreamsAsync(startPatience, ct))
            {
                Done();
                return;
            }

            await parts.Server.StopAsync(TimeSpan.Zero, ct);
        }

        await CloneAsync(ct);
        if (!await StreamsAsync(startPatience, ct))
            throw new GuardException($"{parts.Configuration.Node} was cloned from {rebuild.Primary} and does not stream. See its server's log.");
        Done();
    }

    /// <summary>False: it cannot be rewound; then only cloning helps.</summary>
    private async Task<bool> RewindAsync(CancellationToken ct)
    {
        Says("rewinding");
        parts.Settings.Prepare();
        parts.Settings.WriteInto(parts.Configuration.Data, parts.Memory.Memory);
        await peer.UntilItsTimelineIsWrittenAsync(ct);
        var (code, _, errors) = await EndRecoveryAsync(ct) is { Code: not 0 } failed ? failed : await parts.Tools.TryAsync(
            "pg_rewind", ["--target-pgdata", parts.Configuration.Data, "--source-server", parts.Settings.PeerConnection("postgres")], ct);
        if (code != 0)
        {
            parts.Log.LogWarning("The data cannot be rewound and is cloned instead: {Why}", errors.Length > 500 ? errors[^500..] : errors);
            return false;
        }

        Mark(parts.Configuration.Data);
        return true;
    }

    /// <summary>A server that was stopped while it recovered from a crash says that it was shut down, and its control file does not say how far its log goes: <c>pg_rewind</c>
    /// would find nothing to rewind, and the standby would read on past the place where its primary left its timeline. Its recovery is ended first, as <c>pg_rewind</c> itself
    /// does for a server that was not stopped at all.</summary>
    private async Task<(int Code, string Output, string Errors)> EndRecoveryAsync(CancellationToken ct)
    {
        var (code, said, errors) = await parts.Tools.TryAsync("pg_controldata", [parts.Configuration.Data], ct);
        return code == 0 && parts.Server.Data.Content == NodeData.Primary && ControlData.Of(said, "Database cluster state") == "shut down in recovery"
            ? await parts.Tools.TryAsync("postgres", ["--single", "-F", "-D", parts.Configuration.Data, "template1"], ct)
            : (code, said, errors);
    }

    private async Task CloneAsync(CancellationToken ct)
    {
        Says("cloning");
        parts.Settings.Prepare();
        Directory.CreateDirectory(parts.Configuration.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        parts.Settings.Own(parts.Configuration.Data);
        foreach (var entry in new DirectoryInfo(parts.Configuration.Data).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo folder && folder.LinkTarget is null)
                folder.Delete(recursive: true);
            else
                entry.Delete();
        }

        // Data of a server that does not care for its disk is not worth waiting for the disk.
        IEnumerable<string> unsynced = await peer.SyncsAsync(ct) ? [] : ["--no-sync"];
        await parts.Tools.RunAsync(
            "pg_basebackup", ["--pgdata", parts.Configuration.Data, "--dbname", parts.Settings.PeerConnection("replication"), "--wal-method=stream", "--checkpoint=fast", .. unsynced], ct);
        Mark(parts.Configuration.Data);
    }

    /// <summary>From now on its start is a standby's.</summary>
    private void Mark(string data)
    {
        var signal = Path.Combine(data, "standby.signal");
        File.WriteAllText(signal, "");
        parts.Settings.Own(signal);
        parts.Settings.WriteInto(data, parts.Memory.Memory);
    }

    private async Task<bool> StreamsAsync(TimeSpan startPatience, CancellationToken ct)
    {
        Says("starting");
        try
        {
            await parts.Server.StartAsync(parts.Memory.Memory, startPatience, ct);
            await parts.Sql.RunAsync(ServerStatements.DropSlots, TimeSpan.FromSeconds(5), ct);
            var started = parts.Clock.GetTimestamp();
            while (parts.Clock.GetElapsedTime(started) < StreamPatience)
            {
                // One that is past the place where its primary left its timeline asks for the old one again and again, and streams for a moment each time.
                if (await parts.Sql.RunAsync("SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming'", TimeSpan.FromSeconds(5), ct) is int timeline
                    && timeline == await peer.TimelineAsync(ct))
                    return true;
                await Task.Delay(Look, parts.Clock, ct);
            }
        }
        catch (GuardException failure)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
        }

        return false;
    }

    private void Done()
    {
        Progress = null;
        parts.Memory.Change(memory => memory.Rebuilt());
        parts.Status.Troubled(null);
        parts.Log.LogInformation("A streaming standby");
    }

    private void Says(string what)
    {
        Progress = what;
        parts.Log.LogInformation("Becoming a standby: {What}", what);
    }
}
