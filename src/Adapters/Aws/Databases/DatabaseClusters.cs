namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>Aurora clusters of a region.</summary>
public sealed class DatabaseClusters(AwsConnection connection)
{
    /// <summary>Null when there is no such cluster.</summary>
    public async Task<DatabaseCluster?> FindAsync(string identifier, CancellationToken ct)
    {
        var answer = await connection.FindAsync(Named(identifier), token => connection.Rds.DescribeDBClustersAsync(new() { DBClusterIdentifier = identifier }, token), ct);
        return answer?.DBClusters is not [var found, ..] ? null : new(
            identifier,
            found.DBClusterArn ?? "",
            found.Status ?? "unknown",
            found.DBClusterMembers?.Find(member => member.IsClusterWriter == true)?.DBInstanceIdentifier,
            [.. (found.VpcSecurityGroups ?? []).Select(group => group.VpcSecurityGroupId ?? "")],
            RdsWords.ToDictionary(found.TagList));
    }

    /// <summary>Changes who may connect, at once.</summary>
    public Task SetSecurityGroupsAsync(string identifier, IReadOnlyList<string> groups, CancellationToken ct) =>
        connection.CallAsync("change the security groups of", Named(identifier), token => connection.Rds.ModifyDBClusterAsync(
            new() { DBClusterIdentifier = identifier, ApplyImmediately = true, VpcSecurityGroupIds = [.. groups] }, token), ct);

    internal static string Named(string identifier) => $"database cluster {identifier}";
}

/// <summary>An Aurora cluster as RDS reports it.</summary>
/// <param name="Status">RDS's word: <c>available</c>, <c>failing-over</c>, <c>stopped</c>, ...</param>
/// <param name="Writer">The identifier of its instance that writes, or would when the cluster is the primary one; null: there is none.</param>
public sealed record DatabaseCluster(string Identifier, string Arn, string Status, string? Writer, IReadOnlyList<string> SecurityGroups, IReadOnlyDictionary<string, string> Tags);
