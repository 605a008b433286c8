using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>A pair of guarded nodes and their witness in memory: leases are renewed, run out and are waited for in real time, as guards do.</summary>
internal sealed class GuardedMemory : IFailoverDatabase, IWitness, IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    private readonly Lock gate = new();
    private readonly Dictionary<string, DatabaseNode> nodes;
    private readonly HashSet<string> gone = [];
    private (WitnessRecord Record, long Version) entry = (new(1, East, "first", new(1, Lease, false), null), 1);
    private volatile bool stopped;
    private long metSequence;
    private long metAt;

    public GuardedMemory()
    {
        var primary = new DatabaseNode { Name = East, Role = NodeRole.Primary, Writable = true, Fenced = false, Epoch = 1, Timeline = 1, ReceivedLsn = 100, Synchronous = true, Streaming = true };
        nodes = new() { [East] = primary, [West] = primary with { Name = West, Role = NodeRole.Standby, Writable = false, Synchronous = null } };
        Renewing = RenewAsync();
    }

    /// <summary>Ends with the pair; fails when the renewing has a bug.</summary>
    public Task Renewing { get; }

    /// <summary>An export ends when this does.</summary>
    public Task Exporting { get; set; } = Task.CompletedTask;

    /// <summary>What was done, in order.</summary>
    public List<string> Events { get; } = [];

    public WitnessRecord Record
    {
        get
        {
            lock (gate)
                return entry.Record;
        }
    }

    /// <summary>When the node was lost and when it was first writable again elsewhere.</summary>
    public long LostAt { get; private set; }

    public long WritableAt { get; private set; }

    /// <summary>The node and its guard are gone at once.</summary>
    public void Lose(string node)
    {
        lock (gate)
        {
            gone.Add(node);
            LostAt = TimeProvider.System.GetTimestamp();
        }
    }

    public void Return(string node)
    {
        lock (gate)
        {
            gone.Remove(node);
            nodes[node] = nodes[node] with { Role = NodeRole.Stopped, Writable = false, Fenced = true };
        }
    }

    public Task WriteAsync(string node, CancellationToken ct)
    {
        lock (gate)
            return gone.Contains(node) || !nodes[node].Writable ? throw Unavailable(node) : Task.CompletedTask;
    }

    public Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct)
    {
        lock (gate)
            return gone.Contains(node) ? throw Unavailable(node) : Task.FromResult(nodes[node]);
    }

    public async Task<DatabaseNode> WatchAsync(string node, DatabaseNode? known, TimeSpan patience, CancellationToken ct)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var now = await ObserveAsync(node, ct);
            if (now != known || TimeProvider.System.GetElapsedTime(since) > patience)
                return now;
            await Task.Delay(10, ct);
        }
    }

    public Task<DatabaseNode> FenceAsync(string node, long epoch, TimeSpan drain, CancellationToken ct) => ChangeAsync("fence", node, epoch, now =>
    {
        if (entry.Record.Primary == node && entry.Record.Lease is not null)
            entry = (entry.Record.Release(), entry.Version + 1);
        return now with { Role = NodeRole.Stopped, Writable = false, Fenced = true };
    });

    public Task<DatabaseNode> UnfenceAsync(string node, long epoch, CancellationToken ct) => ChangeAsync("unfence", node, epoch, now =>
    {
        entry = (entry.Record.Renew(Lease), entry.Version + 1);
        return now with { Role = NodeRole.Primary, Writable = true, Fenced = false };
    });

    public async Task<DatabaseNode> PromoteAsync(string node, long epoch, CancellationToken ct)
    {
        while (true)
        {
            TimeSpan rest;
            lock (gate)
                rest = LeaseRules.WaitFor(entry.Record.Replaced, TimeProvider.System.GetElapsedTime(metAt));
            if (rest == TimeSpan.Zero)
                break;
            await Task.Delay(rest, ct);
        }

        return await ChangeAsync("promote", node, epoch, now =>
        {
            Assert.Equal((epoch, node), (entry.Record.Epoch, entry.Record.Primary));
            if (!now.Writable)
                entry = (entry.Record.Renew(Lease), entry.Version + 1);
            WritableAt = TimeProvider.System.GetTimestamp();
            return now with { Role = NodeRole.Primary, Writable = true, Timeline = now.Writable ? now.Timeline : now.Timeline + 1, Synchronous = false };
        });
    }

    public async Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct)
    {
        await Exporting;
        await ChangeAsync("export", node, epoch, now => now);
        return new(100, 120, 1, 2, "/divergence/1");
    }

    public Task<DatabaseNode> FollowAsync(string node, string primary, long epoch, CancellationToken ct) => ChangeAsync("follow", node, epoch, now =>
        now with { Role = NodeRole.Standby, Writable = false, Fenced = false, Streaming = true, Synchronous = null, Timeline = nodes[primary].Timeline });

    public Task<DatabaseNode> SetSynchronousAsync(string node, bool synchronous, long epoch, CancellationToken ct) => ChangeAsync("synchronous", node, epoch, now => now with { Synchronous = synchronous });

    public Task<WitnessEntry?> ReadAsync(CancellationToken ct)
    {
        lock (gate)
            return Task.FromResult<WitnessEntry?>(new(entry.Record, $"{entry.Version}"));
    }

    public Task<WitnessEntry> WriteAsync(WitnessRecord record, string? version, CancellationToken ct)
    {
        lock (gate)
        {
            if (version != $"{entry.Version}")
                throw new AdapterException(AdapterFailureKind.Moved, "Somebody else wrote first.");
            Events.Add($"write {record.Epoch} {record.Primary}");
            entry = (record, entry.Version + 1);
            return Task.FromResult(new WitnessEntry(record, $"{entry.Version}"));
        }
    }

    public void Dispose() => stopped = true;

    private Task<DatabaseNode> ChangeAsync(string what, string node, long epoch, Func<DatabaseNode, DatabaseNode> change)
    {
        lock (gate)
        {
            if (gone.Contains(node))
                throw Unavailable(node);
            if (nodes[node].Epoch > epoch)
                throw new AdapterException(AdapterFailureKind.Rejected, $"{node} is in epoch {nodes[node].Epoch}.");
            Events.Add($"{what} {node}");
            return Task.FromResult(nodes[node] = change(nodes[node]) with { Epoch = epoch });
        }
    }

    private async Task RenewAsync()
    {
        while (!stopped)
        {
            lock (gate)
            {
                if (entry.Record is { Lease: { Released: false } } held && !gone.Contains(held.Primary) && nodes[held.Primary].Writable)
                    entry = (held.Renew(Lease), entry.Version + 1);
                if ((entry.Record.Lease ?? entry.Record.Replaced)?.Sequence is { } sequence && sequence != metSequence)
                    (metSequence, metAt) = (sequence, TimeProvider.System.GetTimestamp());
            }

            await Task.Delay(100);
        }
    }

    private static AdapterException Unavailable(string node) => new(AdapterFailureKind.Unavailable, $"{node} does not answer.");
}
