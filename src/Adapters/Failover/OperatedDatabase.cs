using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>A database that somebody else operates (CloudNativePG, RDS) and that has no guard of ours: nothing on its nodes ends by itself when a lease ends. So what a
/// guard does by its lease is done here by asking: nobody is promoted before whoever operates the other node has said that it is closed.</summary>
/// <remarks><para>The lease at the witness is kept all the same, by the observers that see the database serve (<see cref="KeepLeaseAsync"/>). It is evidence, and no permission: that it has
/// run out says that nobody who reaches the witness sees the database serve.</para>
/// <para>Epochs are refused by the witness's record, and by the epoch that the object of the node carries.</para></remarks>
/// <param name="nodes">Both, named after their regions.</param>
/// <param name="rhythm">How often somebody is asked while something is waited for.</param>
public abstract class OperatedDatabase(IReadOnlyList<string> nodes, IWitness witness, TimeProvider time, TimeSpan rhythm) : IFailoverDatabase
{
    /// <summary>For how long a renewal counts. Observers write every 250 ms and renew after a third of it; nothing ends with it, so that it is longer than a guard's.</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(3);

    /// <summary>For how long a node is asked to close when people have said to go on without it.</summary>
    private static readonly TimeSpan ForcedPatience = TimeSpan.FromSeconds(60);

    private readonly Lock gate = new();
    private readonly Dictionary<string, long> asked = [];
    private (long Sequence, long At)? renewed;

    /// <summary>For how long whoever operates it may take to close a node, to hand over, or to let it serve again, before somebody is told that it did not.</summary>
    public abstract TimeSpan ClosesWithin { get; }

    /// <summary>Whether a planned change is known to lose nothing. Default true.</summary>
    public virtual bool HandsOverEverything => true;

    /// <inheritdoc/>
    public abstract Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct);

    /// <inheritdoc/>
    public async Task<DatabaseNode> WatchAsync(string node, DatabaseNode? known, TimeSpan patience, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            // Whoever watches asks again at once: the rhythm, not its patience, is what whoever operates the database can bear.
            await TurnAsync(node, ct);
            var now = await ObserveAsync(node, ct);
            if (known is null || now.StateText() != known.StateText() || time.GetElapsedTime(started) + rhythm > patience)
                return now;
        }
    }

    /// <inheritdoc/>
    public async Task<DatabaseNode> FenceAsync(string node, long epoch, TimeSpan drain, CancellationToken ct)
    {
        await RefuseOldAsync(node, epoch, ct);
        var closed = await ClosedAsync(node, epoch, drain, drain > TimeSpan.Zero ? drain : ClosesWithin, ct);
        await ReleaseAsync(node, ct);
        return closed;
    }

    /// <inheritdoc/>
    public async Task<DatabaseNode> UnfenceAsync(string node, long epoch, CancellationToken ct)
    {
        var now = await RefuseOldAsync(node, epoch, ct);
        await OwnAsync(node, null, ct);
        if (!now.Writable)
        {
            await ReopenAsync(node, epoch, ct);
            now = await UntilAsync(node, seen => seen.Writable, ClosesWithin, "serve again", ct);
        }

        await TakeAsync(node, ct);
        return now;
    }

    /// <inheritdoc/>
    public Task<DatabaseNode> PromoteAsync(string node, long epoch, CancellationToken ct) => PromoteAsync(node, epoch, unfenced: false, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> PromoteUnfencedAsync(string node, long epoch, CancellationToken ct) => PromoteAsync(node, epoch, unfenced: true, ct);

    /// <inheritdoc/>
    public abstract Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct);

    /// <inheritdoc/>
    public async Task<DatabaseNode> FollowAsync(string node, string primary, long epoch, CancellationToken ct)
    {
        var now = await RefuseOldAsync(node, epoch, ct);
        if (now is { Role: NodeRole.Standby, Streaming: true, Fenced: false })
            return now;
        await OwnAsync(primary, epoch, ct);
        await MakeStandbyAsync(node, primary, epoch, ct);
        return await ObserveAsync(node, ct);
    }

    /// <summary>Commits never wait for another region here: asked to, it refuses.</summary>
    public async Task<DatabaseNode> SetSynchronousAsync(string node, bool synchronous, long epoch, CancellationToken ct)
    {
        var now = await RefuseOldAsync(node, epoch, ct);
        return !synchronous ? now : throw new AdapterException(
            AdapterFailureKind.Rejected, $"Commits on {node} cannot wait for the other region: {What} replicates between regions asynchronously. State synchronous: false for this environment in the connections file.");
    }

    /// <summary>An observer has seen the primary of the record serve: renews its lease when a third of it is over. Of two observers one is first, and the other does nothing.</summary>
    /// <returns>The record as it is now; null: there is none, which the first of all observers that see a node serve replaces.</returns>
    public async Task<WitnessRecord?> KeepLeaseAsync(string serving, CancellationToken ct)
    {
        var found = await witness.ReadAsync(ct);
        if (found is null)
            return await WrittenAsync(new WitnessRecord(1, serving, "first-seen", Lease: null, Replaced: null).Renew(LeaseDuration), null, ct);
        // What was given back, or belongs to an epoch whose primary has not been promoted yet, is not taken by looking.
        if (found.Record.Primary != serving || found.Record.Lease is not { Released: false } lease)
            return found.Record;
        lock (gate)
        {
            if (renewed is { } known && known.Sequence == lease.Sequence && time.GetElapsedTime(known.At) < LeaseDuration / 3)
                return found.Record;
            if (renewed?.Sequence != lease.Sequence)
            {
                renewed = (lease.Sequence, time.GetTimestamp());
                return found.Record;
            }
        }

        return await WrittenAsync(found.Record.Renew(LeaseDuration), found.Version, ct);
    }

    /// <summary>Who operates it, for messages.</summary>
    protected abstract string What { get; }

    protected TimeProvider Time => time;

    /// <summary>How often somebody is asked while something is waited for.</summary>
    protected TimeSpan Rhythm => rhythm;

    /// <summary>Has the node closed. Can be repeated.</summary>
    /// <param name="planned">Everything that was committed has to reach the other node first; false: at once.</param>
    protected abstract Task CloseAsync(string node, string other, long epoch, bool planned, CancellationToken ct);

    /// <summary>Takes back what <see cref="CloseAsync"/> did, while nobody else was promoted.</summary>
    protected abstract Task ReopenAsync(string node, long epoch, CancellationToken ct);

    /// <summary>Begins the promotion. Can be repeated.</summary>
    /// <param name="other">The node that was primary, as it was seen last; null: nobody could say how it is, and people have said to go on.</param>
    protected abstract Task MakePrimaryAsync(string node, DatabaseNode? other, long epoch, CancellationToken ct);

    /// <summary>Begins to make a standby of a node that is closed. Can be repeated.</summary>
    protected abstract Task MakeStandbyAsync(string node, string primary, long epoch, CancellationToken ct);

    /// <summary>The other node.</summary>
    protected string Other(string node) => nodes.Contains(node)
        ? nodes.First(name => name != node)
        : throw new AdapterException(AdapterFailureKind.Rejected, $"There is no node {node}: there are {string.Join(" and ", nodes)}. Correct the connections.");

    /// <summary>Refuses an epoch that is over for the node's object.</summary>
    protected void RefuseOld(string node, long seen, long epoch)
    {
        if (epoch < seen)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{What} of {node}: epoch {epoch} is over: epoch {seen} was claimed since. Nothing was changed. Whoever acts for {epoch} has to stop.");
    }

    private async Task<DatabaseNode> PromoteAsync(string node, long epoch, bool unfenced, CancellationToken ct)
    {
        var now = await RefuseOldAsync(node, epoch, ct);
        await OwnAsync(node, epoch, ct);
        if (now is not { Writable: true } || now.Epoch != epoch)
        {
            var other = await OtherClosedAsync(node, epoch, unfenced, ct);
            await MakePrimaryAsync(node, other, epoch, ct);
            now = await UntilAsync(node, seen => seen.Writable && seen.Epoch == epoch, Timeout.InfiniteTimeSpan, "become primary", ct);
        }

        await TakeAsync(node, ct);
        return now;
    }

    /// <summary>Waits until whoever operates the other node says that it is closed.</summary>
    private async Task<DatabaseNode?> OtherClosedAsync(string node, long epoch, bool unfenced, CancellationToken ct)
    {
        var other = Other(node);
        using var forced = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (unfenced)
            forced.CancelAfter(ForcedPatience);
        try
        {
            return await ClosedAsync(other, epoch, TimeSpan.Zero, ClosesWithin, forced.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // It answers, and does not close.
            return null;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return unfenced ? null : throw new AdapterException(
                AdapterFailureKind.Unavailable, $"{node} is not promoted while nobody can tell that {other} is closed: {failure.Message} Nothing closes it by itself. Close it by hand, or ask for the failover by force.", failure);
        }
    }

    private async Task<DatabaseNode> ClosedAsync(string node, long epoch, TimeSpan drain, TimeSpan patience, CancellationToken ct)
    {
        var now = await ObserveAsync(node, ct);
        if (now.Fenced)
            return now;
        await CloseAsync(node, Other(node), epoch, drain > TimeSpan.Zero, ct);
        return await UntilAsync(node, seen => seen.Fenced, patience, "be closed", ct);
    }

    private async Task<DatabaseNode> UntilAsync(string node, Func<DatabaseNode, bool> wanted, TimeSpan patience, string what, CancellationToken ct)
    {
        for (var started = time.GetTimestamp(); ;)
        {
            var now = await ObserveAsync(node, ct);
            if (wanted(now))
                return now;
            if (patience != Timeout.InfiniteTimeSpan && time.GetElapsedTime(started) > patience)
                throw new AdapterException(AdapterFailureKind.Unavailable, $"{What} of {node} was told to {what}, and is {now.Role} after {patience.TotalSeconds:0} s. {now.Trouble}".TrimEnd());
            await Task.Delay(rhythm, time, ct);
        }
    }

    /// <summary>When a node may be asked again by those who watch it.</summary>
    private async Task TurnAsync(string node, CancellationToken ct)
    {
        TimeSpan wait;
        lock (gate)
        {
            var (now, step) = (time.GetTimestamp(), (long)(rhythm.TotalSeconds * time.TimestampFrequency));
            var turn = asked.TryGetValue(node, out var last) ? Math.Max(now, last + step) : now;
            asked[node] = turn;
            wait = time.GetElapsedTime(now, turn);
        }

        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, time, ct);
    }

    private async Task<DatabaseNode> RefuseOldAsync(string node, long epoch, CancellationToken ct)
    {
        var now = await ObserveAsync(node, ct);
        RefuseOld(node, now.Epoch, epoch);
        if (await witness.ReadAsync(ct) is { Record: { } record })
            RefuseOld(node, record.Epoch, epoch);
        return now;
    }

    /// <summary>The witness has to name the node.</summary>
    private async Task OwnAsync(string node, long? epoch, CancellationToken ct)
    {
        var record = (await witness.ReadAsync(ct))?.Record;
        if (record is null || record.Primary != node || (epoch is { } wanted && record.Epoch != wanted))
            throw new AdapterException(AdapterFailureKind.Rejected, record is null
                ? $"The witness has no record, so {node} is nobody's primary. Claim an epoch first."
                : $"The witness gives epoch {record.Epoch} to {record.Primary}, not {(epoch is { } asked ? $"epoch {asked} " : "")}to {node}. Claim it first.");
    }

    private async Task TakeAsync(string node, CancellationToken ct)
    {
        var found = await witness.ReadAsync(ct);
        if (found is { Record: { } record } && record.Primary == node && record.Lease is not { Released: false })
            await WrittenAsync(record.Renew(LeaseDuration), found.Version, ct);
    }

    private async Task ReleaseAsync(string node, CancellationToken ct)
    {
        var found = await witness.ReadAsync(ct);
        if (found is { Record: { Lease.Released: false } record } && record.Primary == node)
            await witness.WriteAsync(record.Release(), found.Version, ct);
    }

    private async Task<WitnessRecord?> WrittenAsync(WitnessRecord record, string? version, CancellationToken ct)
    {
        try
        {
            return (await witness.WriteAsync(record, version, ct)).Record;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
        {
            // Somebody else was first: a claim, or the other observer.
            return (await witness.ReadAsync(ct))?.Record;
        }
    }
}
