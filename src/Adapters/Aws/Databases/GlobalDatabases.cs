namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>Databases that span regions (Aurora global clusters). Every region of a member answers for the whole.</summary>
public sealed class GlobalDatabases(AwsConnection connection)
{
    /// <summary>Null when there is no such global cluster.</summary>
    public async Task<GlobalDatabase?> FindAsync(string identifier, CancellationToken ct)
    {
        var answer = await connection.FindAsync(Named(identifier), token => connection.Rds.DescribeGlobalClustersAsync(new() { GlobalClusterIdentifier = identifier }, token), ct);
        // A server may list more than was asked for.
        if (answer?.GlobalClusters?.Find(cluster => cluster.GlobalClusterIdentifier == identifier) is not { } found)
            return null;
        var members = (found.GlobalClusterMembers ?? []).Where(member => member.DBClusterArn is not null).GroupBy(member => member.DBClusterArn!);
        return new(
            identifier,
            found.Status ?? "unknown",
            [.. members.Select(member => new GlobalMember(member.Key, member.Any(entry => entry.IsWriter == true), member.Select(entry => entry.SynchronizationStatus).FirstOrDefault(said => said is { Length: > 0 })))],
            found.FailoverState is { Status: { Length: > 0 }, ToDbClusterArn: { Length: > 0 } target } ? target : null);
    }

    /// <summary>Lets two regions change places: nothing is lost, because the primary one stops writing first. RDS takes the call in the region of the primary cluster.</summary>
    public Task SwitchOverAsync(string identifier, string targetArn, CancellationToken ct) =>
        connection.CallAsync("switch over", Named(identifier), token => connection.Rds.SwitchoverGlobalClusterAsync(
            new() { GlobalClusterIdentifier = identifier, TargetDbClusterIdentifier = targetArn }, token), ct);

    /// <summary>Makes another region primary without the one that is: what it has not got is lost. RDS takes the call in the region of the target.</summary>
    public Task FailOverAsync(string identifier, string targetArn, CancellationToken ct) =>
        connection.CallAsync("fail over", Named(identifier), token => connection.Rds.FailoverGlobalClusterAsync(
            new() { GlobalClusterIdentifier = identifier, TargetDbClusterIdentifier = targetArn, AllowDataLoss = true }, token), ct);

    internal static string Named(string identifier) => $"global database {identifier}";
}

/// <summary>A database that spans regions.</summary>
/// <param name="ChangingTo">The ARN of the cluster that a switchover or failover under way makes primary; null: none is.</param>
public sealed record GlobalDatabase(string Identifier, string Status, IReadOnlyList<GlobalMember> Members, string? ChangingTo);

/// <summary>One region's cluster.</summary>
/// <param name="Synchronization">RDS's word for how it follows: <c>connected</c> or <c>pending-resync</c>; null: it does not say.</param>
public sealed record GlobalMember(string ClusterArn, bool Writer, string? Synchronization);
