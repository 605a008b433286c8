using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>Which cluster of a global database a node is.</summary>
/// <param name="GlobalCluster">The identifier of the global database, the same for both nodes.</param>
/// <param name="Cluster">The cluster's identifier in the region of the node.</param>
/// <param name="ClosedSecurityGroup">A security group that lets nobody in: a cluster that has it alone is closed.</param>
public sealed record AuroraNode(string GlobalCluster, string Cluster, string ClosedSecurityGroup);

/// <summary>Aurora PostgreSQL: a cluster in each of two regions, both members of one global database, of which one writes. Failover within a region stays with Aurora; here the two regions change places.</summary>
/// <remarks><para>A planned change is a switchover of the global database: the primary cluster stops writing, the other one gets everything and becomes primary, all in one operation of RDS, so that what is
/// called a fence here hands over already, and taking it back switches over again. An unplanned one closes the old cluster by a security group that lets nobody in and a reboot of its writer, and then fails
/// the global database over with loss of data allowed. Aurora keeps what only the old cluster had as a snapshot, and makes a secondary of it by itself when its region is healthy.</para>
/// <para>The epoch is a tag, which knows no precondition: that two who act in the same second do not both act is the witness's doing, and RDS's, which has one switchover or failover at a time.</para></remarks>
public sealed class AuroraPostgres : OperatedDatabase, IDisposable
{
    private readonly IReadOnlyDictionary<string, (AwsConnection Connection, AuroraNode Place)> clusters;

    /// <param name="clusters">By node.</param>
    /// <param name="rhythm">How often RDS is asked while something is waited for. Default 2 s: it takes minutes, and counts calls.</param>
    public AuroraPostgres(IReadOnlyDictionary<string, (AwsConnection Connection, AuroraNode Place)> clusters, IWitness witness, TimeProvider time, TimeSpan? rhythm = null)
        : base([.. clusters.Keys], witness, time, rhythm ?? TimeSpan.FromSeconds(2)) => this.clusters = clusters;

    /// <summary>15 min: a switchover of a global database takes minutes.</summary>
    public override TimeSpan ClosesWithin => TimeSpan.FromMinutes(15);

    /// <inheritdoc/>
    protected override string What => "The Aurora cluster";

    /// <inheritdoc/>
    public override async Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct)
    {
        var seen = await ReadAsync(node, ct);
        var role = seen.Role;
        return new()
        {
            Name = node,
            Role = role,
            Writable = role == NodeRole.Primary && !seen.Closed,
            Fenced = seen.HandedOver || (seen.Closed && seen.SessionsEnded && await WriterRunsAsync(node, seen, ct)),
            Epoch = seen.Epoch,
            // One that lets no clients in serves nobody when it is promoted, and is not done being rebuilt.
            Streaming = role == NodeRole.Standby && seen.Member?.Synchronization is { } how ? how == "connected" && !seen.Closed : null,
            Trouble = seen.Trouble,
        };
    }

    /// <summary>Nothing is exported: what only the old cluster had is in a snapshot that Aurora takes of it, named <c>rds:unplanned-global-failover-...</c>.</summary>
    public override Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct) => Task.FromResult(new Divergence(0, 0, 0, 0, null));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (connection, _) in clusters.Values)
            connection.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task CloseAsync(string node, string other, long epoch, bool planned, CancellationToken ct)
    {
        var seen = await ReadAsync(node, ct);
        RefuseOld(node, seen.Epoch, epoch);
        if (seen.Global.ChangingTo is not null && (planned || !seen.Writer))
            return;
        await TagAsync(node, seen, ct, (RdsMarks.Epoch, RdsMarks.Text(epoch)));
        if (planned || seen.Member is { Writer: false })
            await TagAsync(node, seen, ct, (RdsMarks.HandedOver, RdsMarks.Text(epoch)));
        if (seen.Member is { Writer: false })
            return;
        if (planned)
            await SwitchOverAsync(node, seen, other, ct);
        else
            await ShutAsync(node, seen, epoch, ct);
    }

    /// <inheritdoc/>
    protected override async Task ReopenAsync(string node, long epoch, CancellationToken ct)
    {
        var seen = await ReadAsync(node, ct);
        RefuseOld(node, seen.Epoch, epoch);
        if (seen.Global.ChangingTo is { } target)
        {
            if (target == seen.Cluster.Arn)
                return;
            throw Changing(seen, $"{node} cannot serve again yet");
        }

        await TagAsync(node, seen, ct, (RdsMarks.Epoch, RdsMarks.Text(epoch)));
        await UntagAsync(node, seen, ct, RdsMarks.HandedOver);
        if (seen.Member is { Writer: false })
            await SwitchOverAsync(Other(node), await ReadAsync(Other(node), ct), node, ct);
        else
            await OpenAsync(node, seen, ct);
    }

    /// <inheritdoc/>
    protected override async Task MakePrimaryAsync(string node, DatabaseNode? other, long epoch, CancellationToken ct)
    {
        var seen = await ReadAsync(node, ct);
        RefuseOld(node, seen.Epoch, epoch);
        if (seen.Member is null)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{seen.Subject} of {node} is no member of {seen.GlobalSubject}: promoting it would bring an old state back. Add a cluster in {node} to the global database, and name it in the connections file.");
        if (seen.Global.ChangingTo is { } target && target != seen.Cluster.Arn)
            throw Changing(seen, $"{node} cannot become primary yet");
        if (seen.Global.ChangingTo is null && seen.Global.Members.FirstOrDefault(member => member.Writer)?.ClusterArn is { } writer && writer != seen.Cluster.Arn && !IsOf(writer, Other(node)))
            throw new AdapterException(AdapterFailureKind.Rejected, $"The primary of {seen.GlobalSubject} is {writer}, and that is none of the two nodes that are known here. Nothing was changed. Correct failover.*.nodes of the connections file.");
        await TagAsync(node, seen, ct, (RdsMarks.Epoch, RdsMarks.Text(epoch)));
        await UntagAsync(node, seen, ct, RdsMarks.HandedOver, RdsMarks.Rebooted);
        if (!seen.Writer && seen.Global.ChangingTo is null)
            await new GlobalDatabases(At(node).Connection).FailOverAsync(seen.Global.Identifier, seen.Cluster.Arn, ct);
        if (seen.Closed)
            await OpenAsync(node, seen, ct);
    }

    /// <inheritdoc/>
    protected override async Task MakeStandbyAsync(string node, string primary, long epoch, CancellationToken ct)
    {
        var seen = await ReadAsync(node, ct);
        RefuseOld(node, seen.Epoch, epoch);
        // While it is made anew RDS refuses changes.
        if (seen.Global.ChangingTo is not null || seen.Role is NodeRole.Unknown or NodeRole.Stopped)
            return;
        if (seen.Member is not { Writer: false })
            throw new AdapterException(
                AdapterFailureKind.Rejected, seen.Writer
                    ? $"{seen.Subject} of {node} is the primary of {seen.GlobalSubject}, and {primary} was to be. Nothing was changed. Find out who failed it over."
                    : $"{seen.Subject} is no member of {seen.GlobalSubject}: Aurora makes a secondary of it by itself when its region is healthy. Wait for that and retry; or add a cluster in {node} to the global database, name it in failover.*.nodes.{node}.aurora of the connections file, start the workers again, and retry; or leave the step out.");
        await TagAsync(node, seen, ct, (RdsMarks.Epoch, RdsMarks.Text(epoch)));
        await UntagAsync(node, seen, ct, RdsMarks.HandedOver);
        await OpenAsync(node, seen, ct);
    }

    private static AdapterException Changing(Seen seen, string what) => new(
        AdapterFailureKind.Unavailable, $"{what}: {seen.GlobalSubject} is changing over to {seen.Global.ChangingTo}. Look again when that has ended.");

    /// <summary>Shuts clients out. Sessions that were open go on through a closed group; a reboot of the writer ends them. Twice does no harm.</summary>
    private async Task ShutAsync(string node, Seen seen, long epoch, CancellationToken ct)
    {
        var (connection, place) = At(node);
        if (!seen.Closed)
        {
            if (seen.Cluster.SecurityGroups.Count > 0)
                await TagAsync(node, seen, ct, (RdsMarks.OpenGroups, string.Join(' ', seen.Cluster.SecurityGroups)));
            await new DatabaseClusters(connection).SetSecurityGroupsAsync(place.Cluster, [place.ClosedSecurityGroup], ct);
        }

        if (seen.SessionsEnded)
            return;
        if (seen.Cluster.Writer is { } writer)
            await connection.CallAsync("reboot", DatabaseInstances.Named(writer), token => connection.Rds.RebootDBInstanceAsync(new() { DBInstanceIdentifier = writer }, token), ct);
        await TagAsync(node, seen, ct, (RdsMarks.Rebooted, RdsMarks.Text(epoch)));
    }

    private async Task OpenAsync(string node, Seen seen, CancellationToken ct)
    {
        var (connection, place) = At(node);
        var groups = seen.Closed ? RdsMarks.OpenGroupsOf(seen.Cluster.Tags, seen.Subject) : null;
        await UntagAsync(node, seen, ct, RdsMarks.Rebooted);
        if (groups is not null)
            await new DatabaseClusters(connection).SetSecurityGroupsAsync(place.Cluster, groups, ct);
    }

    /// <param name="from">The node that is primary: RDS takes the call there.</param>
    private async Task SwitchOverAsync(string from, Seen seen, string to, CancellationToken ct) =>
        await new GlobalDatabases(At(from).Connection).SwitchOverAsync(seen.Global.Identifier, (await ReadAsync(to, ct)).Cluster.Arn, ct);

    /// <summary>Whether the reboot that ends sessions is over, as far as the writer can be seen.</summary>
    private async Task<bool> WriterRunsAsync(string node, Seen seen, CancellationToken ct) =>
        seen.Cluster.Writer is not { } writer || await new DatabaseInstances(At(node).Connection).FindAsync(writer, ct) is null or { Status: not "rebooting" };

    private bool IsOf(string arn, string node)
    {
        var (connection, place) = At(node);
        return Arn.RegionOf(arn) == connection.Region && arn.EndsWith($":cluster:{place.Cluster}", StringComparison.Ordinal);
    }

    private (AwsConnection Connection, AuroraNode Place) At(string node) =>
        clusters.TryGetValue(node, out var at) ? at : throw new AdapterException(AdapterFailureKind.Rejected, $"There is no cluster of {node}: there are those of {string.Join(", ", clusters.Keys)}. Correct the connections.");

    private async Task<Seen> ReadAsync(string node, CancellationToken ct)
    {
        var (connection, place) = At(node);
        var cluster = await new DatabaseClusters(connection).FindAsync(place.Cluster, ct)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{DatabaseClusters.Named(place.Cluster)} does not exist in {connection.Region}. Create it, or correct failover.*.nodes.{node}.aurora in the connections file.");
        var whole = await new GlobalDatabases(connection).FindAsync(place.GlobalCluster, ct)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{GlobalDatabases.Named(place.GlobalCluster)} does not exist. Create it, or correct failover.*.nodes.{node}.aurora in the connections file.");
        return new(cluster, whole, place.ClosedSecurityGroup);
    }

    private Task TagAsync(string node, Seen seen, CancellationToken ct, params (string Key, string Value)[] tags) =>
        RdsMarks.TagAsync(At(node).Connection, seen.Subject, seen.Cluster.Arn, seen.Cluster.Tags, ct, tags);

    private Task UntagAsync(string node, Seen seen, CancellationToken ct, params string[] keys) =>
        RdsMarks.UntagAsync(At(node).Connection, seen.Subject, seen.Cluster.Arn, seen.Cluster.Tags, ct, keys);

    /// <summary>A cluster and the whole, as they were seen.</summary>
    private sealed record Seen(DatabaseCluster Cluster, GlobalDatabase Global, string ClosedGroup)
    {
        public string Subject => DatabaseClusters.Named(Cluster.Identifier);

        public string GlobalSubject => GlobalDatabases.Named(Global.Identifier);

        /// <summary>Null: it was taken out, and is a cluster of its own, which takes writes.</summary>
        public GlobalMember? Member => Global.Members.FirstOrDefault(member => member.ClusterArn == Cluster.Arn);

        public bool Writer => Member is { Writer: true };

        public bool Closed => Cluster.SecurityGroups is [var only] && only == ClosedGroup;

        public bool SessionsEnded => Cluster.Tags.ContainsKey(RdsMarks.Rebooted);

        /// <summary>It takes no writes because the other one does: it stays so until it is let follow.</summary>
        public bool HandedOver => Member is { Writer: false } && Global.ChangingTo is null && Cluster.Tags.ContainsKey(RdsMarks.HandedOver);

        public long Epoch => RdsMarks.EpochOf(Cluster.Tags);

        public NodeRole Role => Cluster.Status switch
        {
            "stopped" or "stopping" or "starting" or "deleting" => NodeRole.Stopped,
            "creating" or "promoting" or "unknown" => NodeRole.Unknown,
            var status when status.StartsWith("inaccessible-", StringComparison.Ordinal) => NodeRole.Stopped,
            // Nobody can say from outside at which moment the one stops writing and the other begins.
            _ when Global.ChangingTo is not null => NodeRole.Unknown,
            _ => Member is { Writer: false } ? NodeRole.Standby : NodeRole.Primary,
        };

        public string? Trouble => Global.ChangingTo is { } target ? $"The global database is changing over to {target}."
            : Member is null ? $"It is no member of {GlobalSubject} any more, and takes writes of its own."
            : Closed ? $"It is closed by {ClosedGroup}."
            : Role is NodeRole.Stopped or NodeRole.Unknown ? $"RDS says {Cluster.Status}."
            : Member is { Writer: false, Synchronization: { } how and not "connected" } ? $"Its replication is {how}." : null;
    }
}
