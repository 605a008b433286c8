using Microsoft.Extensions.Logging;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Backups;
using PlatformOps.Guard.Changes;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Leasing;
using PlatformOps.Guard.Postgres;
using PlatformOps.Guard.Traffic;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard;

/// <summary>The guard of one node: what it remembers, sees and is told decides what it does with its server, and who gets through to it. It starts with nobody getting through.</summary>
public sealed class GuardAgent : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(10);

    private readonly GuardParts parts;
    private readonly GuardDuties duties;
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim turn = new(1);
    private readonly Fencing fencing;
    private readonly Promotion promotion;
    private readonly Divergences divergences;
    private readonly BackupMarkers? markers;
    private CancellationTokenSource? running;

    /// <summary>Nothing is done yet.</summary>
    /// <exception cref="GuardException">It cannot start here: another guard runs, a port is taken, a file is missing.</exception>
    public GuardAgent(GuardConfiguration configuration, IWitness witness, TimeProvider clock, ILogger log)
    {
        var memory = MemoryFile.Open(configuration.State);
        var user = new ServerUser(configuration.ServerUser);
        var settings = new ServerSettings(configuration, user);
        GuardParts made = null!;
        var status = new NodeStatus(configuration, memory, () => made.Server, () => made.Keeper, () => made.Gate);
        var server = new ServerProcess(configuration, user, settings, clock, log, OnServerEnded);
        var keeper = new LeaseKeeper(witness, configuration.Node, configuration.Lease, clock, log, MayHold, OnWitness);
        var gate = new ClientGate(keeper.Held);
        var sql = new ServerSql(configuration, () => server.Id);
        var clients = new ClientPath(configuration, gate, Elsewhere, MayCancelAsync, log);
        parts = made = new(configuration, memory, keeper, gate, clients, new(configuration, log), server, settings, sql, new(configuration, () => server.Id), new(configuration, user, clock), user, status, clock, log, stop.Token);
        fencing = new(parts);
        promotion = new(parts);
        var peer = new PeerServer(parts.Tools, settings, clock);
        divergences = new(parts, peer);
        duties = new(parts, fencing, promotion, new(parts, divergences, peer));
        if (configuration.Backup is not null)
            (Backups, markers) = (new(parts), new(parts));
    }

    /// <summary>Runs until it is cancelled; then it takes the node out of service, and stops the server.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(ct, stop.Token);
        Task[] loops =
        [
            parts.Keeper.RunAsync(all.Token), parts.Clients.RunAsync(all.Token), parts.Replication.RunAsync(all.Token), new LeaseWatch(parts).RunAsync(all.Token),
            new Observing(parts).RunAsync(all.Token), Api.GuardApi.RunAsync(this, parts.Configuration, parts.Log, all.Token),
            Api.MetricsEndpoint.RunAsync(parts.Configuration.Metrics?.Listen, Metrics, all.Token), duties.RunAsync(turn, all.Token),
            markers?.RunAsync(all.Token) ?? Task.Delay(Timeout.InfiniteTimeSpan, all.Token),
        ];
        var first = await Task.WhenAny(loops);
        await stop.CancelAsync();
        parts.Cut();
        await Task.WhenAll(loops.Select(loop => loop.ContinueWith(_ => { }, TaskScheduler.Default)));
        using var patience = new CancellationTokenSource(ShutdownPatience * 2);
        await parts.Server.StopAsync(ShutdownPatience, patience.Token);
        await parts.Keeper.ReleaseAsync(patience.Token);
        if (!ct.IsCancellationRequested)
            await first;
    }

    /// <summary>What the node is now.</summary>
    internal DatabaseNode Now => parts.Status.Now();

    /// <summary>False: its server has ended by itself, and what comes of that is under way. Whoever watches is not told of the half.</summary>
    internal bool Settled => parts.Status.Settled;

    /// <summary>What it does about backups; null: it makes none.</summary>
    internal BackupJobs? Backups { get; }

    /// <summary>Ends with the next change of the node.</summary>
    internal Task NextChange => parts.Status.NextChange;

    /// <summary>The same for Prometheus.</summary>
    internal string Metrics() => Api.GuardMetrics.Write(parts.Configuration.Environment, Now, parts.Status.View, parts.Keeper.Held.Left, parts.Clients.Sessions, markers?.ArchivedAt);

    internal Task<DatabaseNode> FenceAsync(long epoch, TimeSpan drain, CancellationToken ct) =>
        ChangeAsync(epoch, token => fencing.FenceAsync(epoch, drain, "it was asked to", TimeSpan.Zero, token), ct);

    internal Task<DatabaseNode> UnfenceAsync(long epoch, CancellationToken ct) => ChangeAsync(epoch, async token =>
    {
        RefuseRestoring("serves again");
        await fencing.UnfenceAsync(GuardDuties.StartPatience, token);
        // What it is now for is done before the answer: it serves, or it does not and says why.
        var started = parts.Clock.GetTimestamp();
        while (duties.Duty().Task == GuardTask.Serve && !parts.Gate.IsOpen && parts.Clock.GetElapsedTime(started) < GuardDuties.OpenPatience)
        {
            await duties.OpenAsync(token);
            await Task.Delay(TimeSpan.FromMilliseconds(5), parts.Clock, token);
        }
    }, ct);

    internal Task<DatabaseNode> PromoteAsync(long epoch, CancellationToken ct) =>
        ChangeAsync(epoch, token => promotion.PromoteAsync(epoch, GuardDuties.StartPatience, token), ct);

    internal Task<DatabaseNode> FollowAsync(string primary, long epoch, CancellationToken ct)
    {
        if (primary != parts.Configuration.Peer.Node)
            throw new GuardException($"{parts.Configuration.Node} can follow {parts.Configuration.Peer.Node} only, not {primary}: see peer.node in its configuration.") { Refused = true };
        Refuse(epoch);
        RefuseRestoring("follows");
        // It goes on by itself; who asks again is told how far it is.
        if (parts.Memory.Memory.Rebuild is not null)
            return Task.FromResult(Now);
        return ChangeAsync(epoch, _ =>
        {
            if (Now is { Role: NodeRole.Standby, Streaming: true })
                return Task.CompletedTask;
            parts.Cut();
            parts.Memory.Change(memory => memory.Rebuilding(primary, epoch));
            duties.Nudge();
            return Task.CompletedTask;
        }, ct);
    }

    internal Task<DatabaseNode> SetSynchronousAsync(bool synchronous, long epoch, CancellationToken ct) => ChangeAsync(epoch, async token =>
    {
        if (parts.Memory.Memory.ServesIn == 0)
            throw new GuardException($"{parts.Configuration.Node} is not the primary: commits do not happen here.") { Refused = true };
        parts.Settings.WriteInto(parts.Configuration.Data, parts.Memory.Change(memory => memory with { Synchronous = synchronous }));
        parts.Server.Reload();
        for (var started = parts.Clock.GetTimestamp(); Now.Synchronous != synchronous && parts.Clock.GetElapsedTime(started) < GuardDuties.OpenPatience;)
            await Task.Delay(TimeSpan.FromMilliseconds(10), parts.Clock, token);
    }, ct);

    /// <summary>What was restored beside the node's data takes its place.</summary>
    internal Task<DatabaseNode> PlaceAsync(string operation, long epoch, CancellationToken ct) => ChangeAsync(epoch, token => InPlace.PlaceAsync(operation, token), ct);

    /// <summary>The data that was replaced is in its place again.</summary>
    internal Task<DatabaseNode> PutBackAsync(string operation, long epoch, CancellationToken ct) => ChangeAsync(epoch, async token =>
    {
        if (parts.Memory.Memory.Restoring is not null)
            await parts.Server.StopAsync(TimeSpan.Zero, token);
        InPlace.PutBack(operation);
    }, ct);

    internal async Task<Divergence> ExportAsync(string primary, long epoch, CancellationToken ct)
    {
        Divergence found = null!;
        await ChangeAsync(epoch, async token =>
        {
            if (parts.Gate.IsOpen)
                throw new GuardException($"{parts.Configuration.Node} serves: nothing exists here only. Fence it first.") { Refused = true };
            found = await divergences.ExportAsync(primary, epoch, token);
        }, ct);
        return found;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        parts.Clients.Dispose();
        parts.Replication.Dispose();
        await parts.Sql.DisposeAsync();
        await parts.SlowSql.DisposeAsync();
        parts.Keeper.Dispose();
        parts.Server.Dispose();
        duties.Dispose();
        turn.Dispose();
        parts.Memory.Dispose();
        stop.Dispose();
    }

    /// <summary>One change at a time; a later call ends an earlier one, which is then repeated by its caller or refused for its epoch. An old epoch changes nothing.</summary>
    private async Task<DatabaseNode> ChangeAsync(long epoch, Func<CancellationToken, Task> change, CancellationToken ct)
    {
        Refuse(epoch);
        duties.Interrupt();
        if (Interlocked.Exchange(ref running, null) is { } other)
            await other.CancelAsync();
        using var mine = CancellationTokenSource.CreateLinkedTokenSource(ct, stop.Token);
        await turn.WaitAsync(mine.Token);
        try
        {
            Refuse(epoch);
            Interlocked.Exchange(ref running, mine);
            parts.Memory.Change(memory => memory.Seen(epoch));
            await change(mine.Token);
            parts.Status.Changed();
            return Now;
        }
        finally
        {
            Interlocked.CompareExchange(ref running, null, mine);
            turn.Release();
        }
    }

    private void Refuse(long epoch)
    {
        if (parts.Memory.Memory.WhyRefused(epoch) is { } why)
            throw new GuardException($"{parts.Configuration.Node} refuses: {why}.") { Refused = true };
    }

    private InPlaceRestore InPlace => (Backups ?? throw new GuardException($"{parts.Configuration.Node} makes no backups: state backup in its configuration.") { Refused = true }).InPlace;

    private void RefuseRestoring(string what)
    {
        if (parts.Memory.Memory.Restoring is { } operation)
            throw new GuardException($"{operation} has restored data in the place of that of {parts.Configuration.Node}: before it {what}, promote it, or put the old back.") { Refused = true };
    }

    private bool MayHold(WitnessRecord? record) =>
        parts.Server.Ready && GuardRules.Decide(parts.Memory.Memory, parts.Configuration.Node, parts.Server.Data.Content, new(record)).Task == GuardTask.Serve;

    private void OnWitness()
    {
        // A witness that has answered with a record once is never again one that has nothing yet.
        if (parts.Keeper.View is { Record: { } record })
            parts.Memory.Change(memory => memory.Seen(record.Epoch) with { First = false });
        parts.Status.Changed();
        duties.Nudge();
    }

    private void OnServerEnded()
    {
        // Before anything else: what is left of a dead server may still acknowledge.
        parts.CutDead();
        parts.Log.LogError("The server ended by itself");
        _ = fencing.ServerDiedAsync(stop.Token).ContinueWith(_ => duties.Nudge(), TaskScheduler.Default);
    }

    private async Task<bool> MayCancelAsync(int process, CancellationToken ct)
    {
        try
        {
            return await parts.Sql.RunAsync(ServerStatements.WaitsForStandby, TimeSpan.FromSeconds(2), ct, process) is false;
        }
        catch (GuardException)
        {
            return false;
        }
    }

    private string Elsewhere() => parts.Keeper.View?.Record is { } record && record.Primary != parts.Configuration.Node
        ? $"{parts.Configuration.Node} is not the primary of {parts.Configuration.Environment}: {record.Primary} is, in epoch {record.Epoch}."
        : $"{parts.Configuration.Node} does not serve {parts.Configuration.Environment} now: {duties.Duty().Why}.";
}
