using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Changes;

/// <summary>Takes the node out of service, and back.</summary>
internal sealed class Fencing(GuardParts parts)
{
    /// <summary>For the standby to get what it has not got yet, when sessions took all of the caller's patience.</summary>
    private static readonly TimeSpan LeastForStandby = TimeSpan.FromSeconds(1);

    /// <summary>A fraction of the lease.</summary>
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromMilliseconds(200);

    /// <summary>Lets nobody through any more and stops the server. Can be repeated, and goes on where a killed guard left it.</summary>
    /// <param name="drain">For transactions under way, and for the standby; zero: not at all.</param>
    /// <param name="shutdown">For the server to end in an orderly way when there is no drain: a rewind is then faster. Default: none.</param>
    public async Task FenceAsync(long epoch, TimeSpan drain, string why, TimeSpan shutdown, CancellationToken ct)
    {
        var started = parts.Clock.GetTimestamp();
        if (drain > TimeSpan.Zero && parts.Gate.IsOpen)
        {
            // Most of the shutdown's checkpoint is done while clients still work.
            await TriedAsync(() => parts.SlowSql.RunAsync("CHECKPOINT", drain, ct));
            started = parts.Clock.GetTimestamp();
            if (await parts.Clients.DrainAsync(drain, parts.Clock, ct) is > 0 and var left)
                parts.Log.LogWarning("{Left} sessions were in the middle of something after {Drain:0.0} s and were ended", left, drain.TotalSeconds);
        }

        parts.Cut();
        parts.Memory.Change(memory => memory.Fenced(epoch, why));
        // The claim on the lease goes with the answer of this call; the server's end takes longer.
        parts.Keeper.Held.End();
        var rest = drain - parts.Clock.GetElapsedTime(started);
        var wasRunning = parts.Server.Running;
        var orderly = await parts.Server.StopAsync(drain == TimeSpan.Zero ? shutdown : rest > LeastForStandby ? rest : LeastForStandby, ct);
        if (!orderly && drain > TimeSpan.Zero)
            parts.Log.LogWarning("The server did not stop in time: it was ended at once, and the standby may lack the last commits");
        if (wasRunning)
            parts.Status.Down(orderly ? await EndAsync(ct) : null);
        await parts.Keeper.ReleaseAsync(ct);
        parts.Status.Changed();
        parts.Log.LogInformation("Fenced in epoch {Epoch}: {Why}", epoch, why);
    }

    /// <summary>Takes back a fence: the server starts again, and serves when its epoch is still its own.</summary>
    public async Task UnfenceAsync(TimeSpan patience, CancellationToken ct)
    {
        var memory = parts.Memory.Change(known => known with { Fence = null });
        if (memory.Rebuild is not null || parts.Server.Data.Content == NodeData.None)
            return;
        await parts.Server.StartAsync(memory, patience, ct);
        parts.Keeper.Nudge();
    }

    /// <summary>The server ended by itself: what is left of it is ended too, and the lease is given back, so that nobody has to wait for it. Then those who watch are told, all at once.</summary>
    public async Task ServerDiedAsync(CancellationToken ct)
    {
        parts.CutDead();
        parts.Keeper.Held.End();
        try
        {
            await EndDeadAsync(ct);
        }
        finally
        {
            parts.Status.Down(null);
        }
    }

    private async Task EndDeadAsync(CancellationToken ct)
    {
        // Killing what is left does not wait for the disk: whatever becomes of it, a guard that starts again finds a server that is down.
        var killed = parts.Server.KillRestAsync(ct);
        var memory = parts.Memory.Change(known => known.ServesIn > 0 && known.Rebuild is null ? known.Fenced(known.Epoch, "the server ended by itself, see its log") : known);
        await killed;
        if (memory.Fence is null)
            return;
        // A claim that comes before it has to wait the lease out. A witness that is slow keeps nobody from hearing of the rest.
        var released = parts.Keeper.ReleaseAsync(ct);
        await Task.WhenAny(released, Task.Delay(ReleasePatience, parts.Clock, ct));
    }

    /// <summary>The end of the log of a server that stopped in an orderly way: its last record is the checkpoint of the shutdown. One that stopped in its recovery wrote none:
    /// its last checkpoint lies before what it may have and its standby lacks.</summary>
    private async Task<long?> EndAsync(CancellationToken ct)
    {
        var (code, said, _) = await parts.Tools.TryAsync("pg_controldata", [parts.Configuration.Data], ct);
        return code == 0 && ControlData.Of(said, "Database cluster state") == "shut down" ? Lsn.Parse(ControlData.Of(said, "Latest checkpoint location")) : null;
    }

    private async Task TriedAsync(Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (GuardException failure)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
        }
    }
}
