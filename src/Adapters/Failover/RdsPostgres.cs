using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>Which instance a node is.</summary>
/// <param name="Instance">Its identifier in the region of the node.</param>
/// <param name="ClosedSecurityGroup">A security group that lets nobody in: an instance that has it alone is closed.</param>
public sealed record RdsNode(string Instance, string ClosedSecurityGroup);

/// <summary>PostgreSQL in RDS: an instance, and a read replica of it in the other region. Failover within a region stays with RDS (Multi-AZ); here the two change places.</summary>
/// <remarks><para>An instance is closed by a security group that lets nobody in, and a reboot that ends the sessions that were open: RDS can neither stop an instance that has replicas nor revoke a
/// promotion. The epoch is a tag; tags know no preconditions, so that of two who act in the same second for different epochs only the witness's record tells who is right.</para>
/// <para>How far a replica is behind is not in RDS's API: nobody can say before what would be lost.</para></remarks>
public sealed class RdsPostgres : OperatedDatabase, IDisposable
{
    private readonly IReadOnlyDictionary<string, (AwsConnection Connection, RdsNode Place)> instances;

    /// <param name="instances">By node.</param>
    /// <param name="rhythm">How often RDS is asked while something is waited for. Default 2 s: it takes minutes, and counts calls.</param>
    public RdsPostgres(IReadOnlyDictionary<string, (AwsConnection Connection, RdsNode Place)> instances, IWitness witness, TimeProvider time, TimeSpan? rhythm = null)
        : base([.. instances.Keys], witness, time, rhythm ?? TimeSpan.FromSeconds(2)) => this.instances = instances;

    /// <summary>10 min: security groups are changed, and a reboot is waited for.</summary>
    public override TimeSpan ClosesWithin => TimeSpan.FromMinutes(10);

    /// <summary>False: RDS does not say how far a replica is, so that what it lacks when the instance is closed is not known.</summary>
    public override bool HandsOverEverything => false;

    /// <inheritdoc/>
    protected override string What => "The RDS instance";

    /// <inheritdoc/>
    public override async Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        var closed = Closed(node, found);
        var replica = found.ReplicaOf is not null;
        var role = found.Status switch
        {
            "stopped" or "stopping" or "starting" or "rebooting" or "deleting" or "failed" => NodeRole.Stopped,
            "creating" or "promoting" or "unknown" => NodeRole.Unknown,
            _ when found.Status.StartsWith("incompatible-", StringComparison.Ordinal) || found.Status.StartsWith("inaccessible-", StringComparison.Ordinal) => NodeRole.Stopped,
            _ => replica ? NodeRole.Standby : NodeRole.Primary,
        };
        return new()
        {
            Name = node,
            Role = role,
            Writable = role == NodeRole.Primary && !closed,
            Fenced = closed && found.Available && found.Tags.ContainsKey(RdsMarks.Rebooted),
            Epoch = RdsMarks.EpochOf(found.Tags),
            Streaming = role == NodeRole.Standby ? found.ReplicatesNormally : null,
            Trouble = closed ? $"It is closed by {instances[node].Place.ClosedSecurityGroup}."
                : role is NodeRole.Stopped or NodeRole.Unknown ? $"RDS says {found.Status}."
                : replica && found.ReplicatesNormally == false ? $"Its replication is {found.Replication}." : null,
        };
    }

    /// <summary>Nothing is exported: the closed instance keeps what only it has until its owner removes it.</summary>
    public override Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct) => Task.FromResult(new Divergence(0, 0, 0, 0, null));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (connection, _) in instances.Values)
            connection.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task CloseAsync(string node, string other, long epoch, bool planned, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        RefuseOld(node, RdsMarks.EpochOf(found.Tags), epoch);
        if (found.ReplicaOf is not null)
            return;
        await TagAsync(node, found, ct, (RdsMarks.Epoch, RdsMarks.Text(epoch)));
        if (!Closed(node, found))
        {
            if (found.SecurityGroups.Count > 0)
                await TagAsync(node, found, ct, (RdsMarks.OpenGroups, string.Join(' ', found.SecurityGroups)));
            await ChangeGroupsAsync(node, [instances[node].Place.ClosedSecurityGroup], ct);
        }

        // Sessions that were open go on through a closed group; a reboot ends them. Twice does no harm.
        if (!found.Tags.ContainsKey(RdsMarks.Rebooted))
        {
            await AvailableAsync(node, ct);
            var (connection, place) = At(node);
            await connection.CallAsync("reboot", Named(place), token => connection.Rds.RebootDBInstanceAsync(new() { DBInstanceIdentifier = place.Instance }, token), ct);
            await TagAsync(node, found, ct, (RdsMarks.Rebooted, RdsMarks.Text(epoch)));
        }
    }

    /// <inheritdoc/>
    protected override async Task ReopenAsync(string node, long epoch, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        RefuseOld(node, RdsMarks.EpochOf(found.Tags), epoch);
        await TagAsync(node, found, ct, (RdsMarks.Epoch, RdsMarks.Text(epoch)));
        if (!Closed(node, found))
            return;
        var (connection, place) = At(node);
        var groups = RdsMarks.OpenGroupsOf(found.Tags, Named(place));
        await RdsMarks.UntagAsync(connection, Named(place), found.Arn, found.Tags, ct, RdsMarks.Rebooted);
        await ChangeGroupsAsync(node, groups, ct);
    }

    /// <inheritdoc/>
    protected override async Task MakePrimaryAsync(string node, DatabaseNode? other, long epoch, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        RefuseOld(node, RdsMarks.EpochOf(found.Tags), epoch);
        if (found.ReplicaOf is null && RdsMarks.EpochOf(found.Tags) != epoch)
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"{Named(At(node).Place)} is no replica: promoting it would bring an old state back. Make a replica of the primary, and name it in the connections file.");
        await TagAsync(node, found, ct, (RdsMarks.Epoch, RdsMarks.Text(epoch)));
        if (found.ReplicaOf is null || found.Status == "promoting")
            return;
        var (connection, place) = At(node);
        await connection.CallAsync("promote", Named(place), token => connection.Rds.PromoteReadReplicaAsync(new() { DBInstanceIdentifier = place.Instance }, token), ct);
    }

    /// <inheritdoc/>
    protected override async Task MakeStandbyAsync(string node, string primary, long epoch, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        if (found.ReplicaOf is not null)
            return;
        throw new AdapterException(
            AdapterFailureKind.Rejected,
            $"RDS makes no replica of an instance that was primary. {Named(At(node).Place)} is closed and keeps what only it has. Create a replica of {(await ReadAsync(primary, ct)).Arn} in {node}, name it in failover.*.nodes.{node}.rds.instance of the connections file, start the workers again, and retry; or leave the step out.");
    }

    private static string Named(RdsNode place) => DatabaseInstances.Named(place.Instance);

    private bool Closed(string node, DatabaseInstance found) => found.SecurityGroups is [var only] && only == instances[node].Place.ClosedSecurityGroup;

    private (AwsConnection Connection, RdsNode Place) At(string node) =>
        instances.TryGetValue(node, out var at) ? at : throw new AdapterException(AdapterFailureKind.Rejected, $"There is no instance of {node}: there are those of {string.Join(", ", instances.Keys)}. Correct the connections.");

    private async Task<DatabaseInstance> ReadAsync(string node, CancellationToken ct)
    {
        var (connection, place) = At(node);
        return await new DatabaseInstances(connection).FindAsync(place.Instance, ct)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{Named(place)} does not exist in {connection.Region}. Create it, or correct failover.*.nodes.{node}.rds in the connections file.");
    }

    private async Task AvailableAsync(string node, CancellationToken ct)
    {
        while (await ReadAsync(node, ct) is { Available: false } other)
        {
            if (other.Status is "stopped" or "failed" or "deleting")
                return;
            await Task.Delay(Rhythm, Time, ct);
        }
    }

    private async Task ChangeGroupsAsync(string node, IReadOnlyList<string> groups, CancellationToken ct)
    {
        await AvailableAsync(node, ct);
        var (connection, place) = At(node);
        await connection.CallAsync("change the security groups of", Named(place), token => connection.Rds.ModifyDBInstanceAsync(
            new() { DBInstanceIdentifier = place.Instance, ApplyImmediately = true, VpcSecurityGroupIds = [.. groups] }, token), ct);
    }

    private Task TagAsync(string node, DatabaseInstance found, CancellationToken ct, params (string Key, string Value)[] tags)
    {
        var (connection, place) = At(node);
        return RdsMarks.TagAsync(connection, Named(place), found.Arn, found.Tags, ct, tags);
    }
}
