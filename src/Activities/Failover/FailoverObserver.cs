using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>Looks at both nodes, the witness and the regions' services again and again, each in its own rhythm, and reports when something changed. What counts against
/// the primary is repeated, so that nobody decides by what is old.</summary>
/// <param name="services">Asks the services of a region.</param>
internal sealed class FailoverObserver(
    string region, IReadOnlyList<string> nodes, FailoverPair pair, Func<string, CancellationToken, Task<IReadOnlyList<ServiceReport>>> services,
    Func<ObserverReport, CancellationToken, Task> report, Action heartbeat, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbePatience = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan WitnessRhythm = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ProbeRhythm = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ServiceRhythm = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ReportRhythm = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan AskPatience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMilliseconds(50);

    /// <summary>How often an unchanged report is repeated: one that counts against the primary, and one that does not.</summary>
    private static readonly (TimeSpan Bad, TimeSpan Good) Repeated = (TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30));

    private readonly Lock gate = new();
    private readonly Dictionary<string, Sight> sights = nodes.ToDictionary(node => node, node => new Sight(node));
    private readonly LeaseSight leaseSight = new(time);
    private readonly SemaphoreSlim looking = new(1);
    private LeaseReport? lease;
    private IReadOnlyList<ServiceReport> around = [];
    private TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private string Primary
    {
        get
        {
            lock (gate)
                return lease?.Primary is { } named && sights.ContainsKey(named) ? named : nodes[0];
        }
    }

    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var loops = nodes.Select(node => WatchAsync(node, stop.Token))
            .Append(RepeatAsync(WitnessRhythm, ReadWitnessAsync, stop.Token))
            .Append(RepeatAsync(ProbeRhythm, ProbeAsync, stop.Token))
            .Append(RepeatAsync(ServiceRhythm, AskServicesAsync, stop.Token))
            .Append(ReportAsync(stop.Token)).ToList();
        // One that ends has a bug, or the run was told to stop: in either case none goes on.
        await Task.WhenAny(loops);
        await stop.CancelAsync();
        await Task.WhenAll(loops);
    }

    /// <inheritdoc/>
    public void Dispose() => looking.Dispose();

    private async Task WatchAsync(string node, CancellationToken ct)
    {
        DatabaseNode? known = null;
        while (true)
        {
            try
            {
                var before = known;
                known = await pair.Database.WatchAsync(node, known, Patience, ct);
                // It has given back its lease: whoever decides by its word is not to be held up by what the witness said before.
                if (known.Fenced && before is not { Fenced: true } && node == Primary)
                    await ReadWitnessAsync(ct);
                Note(node, sight => sight.Says(known, time.GetUtcNow()));
            }
            catch (AdapterException)
            {
                known = null;
                Note(node, sight => sight with { Node = null });
                await Task.Delay(AfterRefusal, time, ct);
            }
        }
    }

    /// <summary>One look at a time: the later one counts.</summary>
    private async Task ReadWitnessAsync(CancellationToken ct)
    {
        await looking.WaitAsync(ct);
        try
        {
            LeaseReport? read = null;
            try
            {
                read = await pair.Witness.ReadAsync(ct) is { } entry ? leaseSight.See(entry.Record) : null;
            }
            catch (AdapterException)
            {
                // Unknown, which is what null says.
            }

            if (read is { Lease.Released: true, Primary: var named } && GaveBack(named))
                await AskAsync(named, ct);
            Keep(read);
        }
        finally
        {
            looking.Release();
        }
    }

    /// <summary>Whether that is new, and the node has not said why: its guard is heard before anybody decides without it.</summary>
    private bool GaveBack(string node)
    {
        lock (gate)
            return lease is { Lease.Released: false } && sights.GetValueOrDefault(node) is { Node: not { Fenced: true } };
    }

    private async Task AskAsync(string node, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(AskPatience);
        try
        {
            var found = await pair.Database.ObserveAsync(node, deadline.Token);
            Note(node, sight => sight.Says(found, time.GetUtcNow()));
        }
        catch (Exception silent) when (silent is AdapterException || (silent is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // The watch says the rest.
        }
    }

    private void Keep(LeaseReport? read)
    {
        TaskCompletionSource? told = null;
        lock (gate)
        {
            if ((lease?.Epoch, lease?.Lease?.Released) != (read?.Epoch, read?.Lease?.Released))
                told = news;
            lease = read;
        }

        told?.TrySetResult();
    }

    private async Task ProbeAsync(CancellationToken ct)
    {
        var primary = Primary;
        var probe = await pair.TryWriteAsync(primary, ProbePatience, ct);
        if (probe == WriteProbe.Written && pair.Database is OperatedDatabase operated)
            await KeepLeaseAsync(operated, primary, ct);
        foreach (var node in nodes)
            Note(node, sight => sight with { Probe = node == primary ? probe : WriteProbe.NotTried, ServedAt = node == primary && probe == WriteProbe.Written ? time.GetUtcNow() : sight.ServedAt });
    }

    /// <summary>A database without guards has nobody who renews its lease but those who see it serve.</summary>
    private static async Task KeepLeaseAsync(OperatedDatabase operated, string primary, CancellationToken ct)
    {
        try
        {
            await operated.KeepLeaseAsync(primary, ct);
        }
        catch (AdapterException)
        {
            // A lease that is not renewed is what the witness then says.
        }
    }

    private async Task AskServicesAsync(CancellationToken ct)
    {
        var found = await Task.WhenAll(nodes.Select(node => services(node, ct)));
        lock (gate)
            around = [.. found.SelectMany(reports => reports)];
    }

    private async Task ReportAsync(CancellationToken ct)
    {
        string? said = null;
        var saidAt = time.GetTimestamp();
        while (true)
        {
            heartbeat();
            TaskCompletionSource next;
            lock (gate)
                next = news = new(TaskCreationOptions.RunContinuationsAsynchronously);
            var now = Now();
            var (words, bad) = Describe(now);
            if (words != said || time.GetElapsedTime(saidAt) >= (bad ? Repeated.Bad : Repeated.Good))
            {
                await report(now, ct);
                (said, saidAt) = (words, time.GetTimestamp());
            }

            // What is new is said at once.
            await Task.WhenAny(next.Task, Task.Delay(ReportRhythm, time, ct));
            ct.ThrowIfCancellationRequested();
        }
    }

    private ObserverReport Now()
    {
        lock (gate)
        {
            return new()
            {
                Observer = region,
                SeenAt = time.GetUtcNow(),
                Nodes = [.. nodes.Select(node => sights[node].Report)],
                Lease = lease,
                Services = around,
            };
        }
    }

    /// <summary>What makes a report another one. How far logs are and sequences go on is not among it.</summary>
    private (string Words, bool Bad) Describe(ObserverReport now)
    {
        var stalled = now.Lease is { Lease: { Released: false } held } && now.Lease.UnchangedFor >= held.Duration * pair.Timing.StalledAfter;
        var primary = now.Lease is { } named ? now.Of(named.Primary) : null;
        var words = $"{string.Join(' ', now.Nodes.Select(node => $"{node.Finding}:{node.Node?.Role}:{node.Node?.Synchronous}"))} {now.Lease?.Epoch} {now.Lease?.Primary} {now.Lease?.Lease is null} {now.Lease?.Lease?.Released} {stalled} {string.Join(' ', now.Services.Select(service => service.Answers))}";
        return (words, stalled || primary is null || primary.Finding != NodeFinding.Serving);
    }

    private void Note(string node, Func<Sight, Sight> change)
    {
        TaskCompletionSource? told = null;
        lock (gate)
        {
            var before = sights[node];
            var after = change(before);
            if (after.Report.Finding != before.Report.Finding)
                told = news;
            sights[node] = after.Report.Finding == before.Report.Finding && before.Since is not null ? after : after with { Since = time.GetUtcNow() };
        }

        told?.TrySetResult();
    }

    private async Task RepeatAsync(TimeSpan rhythm, Func<CancellationToken, Task> look, CancellationToken ct)
    {
        while (true)
        {
            await look(ct);
            await Task.Delay(rhythm, time, ct);
        }
    }

    private sealed record Sight(
        string Name, DatabaseNode? Node = null, WriteProbe Probe = WriteProbe.NotTried, DatabaseNode? Last = null, DateTimeOffset? LastAt = null, DateTimeOffset? Since = null, DateTimeOffset? ServedAt = null)
    {
        /// <summary>A write that was acknowledged before says nothing of a node that says by now that it takes none.</summary>
        public Sight Says(DatabaseNode now, DateTimeOffset at) => this with
        {
            Node = now,
            Last = now,
            LastAt = at,
            Probe = now.Writable || Probe != WriteProbe.Written ? Probe : WriteProbe.NotTried,
            ServedAt = now.Writable && (Probe is WriteProbe.NotTried or WriteProbe.Unclear) ? at : ServedAt,
        };

        public NodeReport Report => new(Name, Node, Probe, Last, LastAt, Since, ServedAt);
    }
}
