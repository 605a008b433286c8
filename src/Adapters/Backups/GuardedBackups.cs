using System.Text.Json;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Backups;

/// <summary>Backups of PostgreSQL behind guards: each guard runs pgBackRest where its server runs. Sets are made on the primary; copies are restored beside the standby where there is one, so that the primary has its disk for itself.</summary>
public sealed partial class GuardedBackups : IBackupStore
{
    /// <summary>For how long a guard keeps back its answer while an order goes on: what it says of its progress is as old as that.</summary>
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(1);

    /// <summary>Between looks at what a guard is doing that answers at once, as those of before do.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(20), LongestLook = TimeSpan.FromSeconds(2);

    /// <summary>What a look too late may add to what an order takes, as a part of it.</summary>
    private const double Lateness = 0.02;

    /// <summary>Nobody waits for an answer as they do in a failover.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The server of what was staged ends in an orderly way before its data is moved.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromMinutes(1);

    private readonly GuardAccess access;
    private readonly GuardClient client;
    private readonly TimeProvider time;
    private readonly RowTolerance? rows;

    /// <summary>Nothing is called yet.</summary>
    /// <param name="rows">By how much the rows of restored tables may be off; null: as is usual.</param>
    /// <exception cref="AdapterException">The certificates cannot be read.</exception>
    public GuardedBackups(GuardAccess access, TimeProvider time, RowTolerance? rows = null) => (this.access, client, this.time, this.rows) = (access, new(access with { LookTimeout = Patience }), time, rows);

    /// <inheritdoc/>
    public async Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, CancellationToken ct) =>
        await DoAsync<StoredBackup>(await NodeAsync(primary: true, ct), new() { Operation = operation, Kind = BackupJobKind.Make, Method = method }, progress, ct);

    /// <inheritdoc/>
    public async Task<RepositorySight> LookAsync(CancellationToken ct) =>
        await DoAsync<RepositorySight>(await NodeAsync(primary: true, ct), new() { Operation = "look", Kind = BackupJobKind.Look }, _ => { }, ct);

    /// <inheritdoc/>
    public async Task<RestoredCopy> RestoreAsync(string operation, string label, DateTimeOffset? target, Action<string> progress, CancellationToken ct) =>
        await DoAsync<RestoredCopy>(await PlaceOfAsync(operation, ct), new() { Operation = operation, Kind = BackupJobKind.Restore, Label = label, Target = target }, progress, ct);

    /// <inheritdoc/>
    public async Task<CopyFindings> ProbeAsync(string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct)
    {
        var (node, silent) = await CopyOfAsync(operation, ct);
        try
        {
            return await DoAsync<CopyFindings>(node, new() { Operation = operation, Kind = BackupJobKind.Probe, RpoSeconds = rpo.TotalSeconds, Rows = rows }, progress, ct);
        }
        // It was asked because its guard may have been started anew, and forgotten what lies beside it.
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Missing)
        {
            throw silent.Count == 0 ? new AdapterException(AdapterFailureKind.Unavailable, failure.Message, failure) : Elsewhere($"The copy of {operation} is not beside {node}: it may be where a guard does not answer.", silent);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> CleanUpAsync(string operation, CancellationToken ct)
    {
        // On every node: which one was the standby may have changed meanwhile.
        var removed = new List<string>();
        foreach (var node in access.Nodes.Keys.Order(StringComparer.Ordinal))
            removed.AddRange((await DoAsync<IReadOnlyList<string>>(node, new() { Operation = operation, Kind = BackupJobKind.CleanUp }, _ => { }, ct)).Select(left => $"{left} on {node}"));
        return removed;
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string label, CancellationToken ct) =>
        await DoAsync<string>(await NodeAsync(primary: true, ct), new() { Operation = $"remove-{label}", Kind = BackupJobKind.Remove, Label = label }, _ => { }, ct);

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>Gives an order and waits for its end, however often it has to be looked.</summary>
    private async Task<T> DoAsync<T>(string node, BackupOrder order, Action<string> progress, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        var job = await client.PostAsync<BackupJob>(node, "/v1/backups", order, access.ChangeTimeout, ct);
        while (job.State == BackupJobState.Running)
        {
            progress(job.Progress);
            var asked = time.GetTimestamp();
            job = await FindAsync(node, order.Operation, order.Kind, ct, AnswersWithin)
                ?? throw new AdapterException(AdapterFailureKind.Unavailable, $"The guard of {node} knows nothing of {order.Kind} of {order.Operation} any more: it was started anew. The order is given again.");
            if (job.State != BackupJobState.Running || time.GetElapsedTime(asked) > AnswersWithin / 2)
                continue;
            var pause = time.GetElapsedTime(began) * Lateness;
            await Task.Delay(pause < FirstLook ? FirstLook : pause > LongestLook ? LongestLook : pause, time, ct);
        }

        return job.State == BackupJobState.Done
            ? job.Result!.Value.Deserialize<T>(GuardWire.Json)!
            : throw new AdapterException(
                job.Damaged ? AdapterFailureKind.Damaged : job is { Missing: true, Kind: BackupJobKind.Probe } ? AdapterFailureKind.Missing : AdapterFailureKind.Unavailable, $"The guard of {node}: {job.Failure}");
    }

    /// <summary>Where a copy of this operation is; where it would be made when there is none.</summary>
    private async Task<string> PlaceOfAsync(string operation, CancellationToken ct)
    {
        var (place, _) = await FindAsync(operation, ct);
        return place ?? await NodeAsync(primary: false, ct);
    }

    /// <summary>Where the copy is that this operation has had made.</summary>
    /// <returns>The node to ask, and why others do not answer beside which it may be as well; empty: it is beside this one.</returns>
    /// <exception cref="AdapterException">The guard beside which it may be does not answer.</exception>
    private async Task<(string Node, IReadOnlyList<string> Silent)> CopyOfAsync(string operation, CancellationToken ct)
    {
        var (place, silent) = await FindAsync(operation, ct);
        if (place is not null)
            return (place, []);
        // One that was started anew since has forgotten what it made.
        var (_, standby, _) = await ServingAsync(ct);
        return (standby ?? (silent.Count == 0 ? await NodeAsync(primary: false, ct)
            : throw Elsewhere($"The copy of {operation} is beside none of the servers whose guards answer: it is where one does not.", silent)), silent);
    }

    private static AdapterException Elsewhere(string said, IReadOnlyList<string> silent) => new(
        AdapterFailureKind.Unavailable,
        $"{said} {string.Join(" ", silent)} It is asked again: start the guard; when the node is lost, cancel the run and begin another one, which restores beside a node that answers.");

    /// <returns>Null: no guard that answers knows of it. And why others do not answer.</returns>
    private async Task<(string? Place, IReadOnlyList<string> Silent)> FindAsync(string operation, CancellationToken ct)
    {
        var silent = new List<string>();
        foreach (var node in access.Nodes.Keys.Order(StringComparer.Ordinal))
        {
            try
            {
                if (await FindAsync(node, operation, BackupJobKind.Restore, ct) is not null)
                    return (node, []);
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
            {
                silent.Add(failure.Message);
            }
            catch (AdapterException)
            {
                // It makes no backups.
            }
        }

        return (null, silent);
    }

    /// <summary>What became of an order; null: the guard knows nothing of it.</summary>
    private async Task<BackupJob?> FindAsync(string node, string operation, BackupJobKind kind, CancellationToken ct, TimeSpan patience = default)
    {
        try
        {
            return await client.GetAsync<BackupJob>(node, $"/v1/backups?operation={Uri.EscapeDataString(operation)}&kind={kind}&patienceMs={(int)patience.TotalMilliseconds}", ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Missing)
        {
            return null;
        }
    }

    /// <param name="primary">False: the standby, where one answers.</param>
    private async Task<string> NodeAsync(bool primary, CancellationToken ct)
    {
        var (writable, standby, silent) = await ServingAsync(ct);
        return (primary ? writable : standby ?? writable)
            ?? throw new AdapterException(AdapterFailureKind.Unavailable, $"No node serves: sets are made and read on the primary. {string.Join(" ", silent)} Look at platformops failover status.");
    }

    private async Task<(string? Writable, string? Standby, IReadOnlyList<string> Silent)> ServingAsync(CancellationToken ct)
    {
        var (found, silent) = (new Dictionary<string, DatabaseNode>(), new List<string>());
        foreach (var node in access.Nodes.Keys.Order(StringComparer.Ordinal))
        {
            try
            {
                found[node] = await client.GetAsync<DatabaseNode>(node, "/v1/status", ct);
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
            {
                silent.Add(failure.Message);
            }
        }

        return (found.FirstOrDefault(node => node.Value.Writable).Key, found.FirstOrDefault(node => node.Value is { Role: NodeRole.Standby }).Key, silent);
    }
}
