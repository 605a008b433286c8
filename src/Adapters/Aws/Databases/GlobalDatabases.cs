namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>Databases that span regions (Aurora global clusters).</summary>
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
        return new(identifier, found.Status ?? "unknown", [.. members.Select(member => new GlobalMember(member.Key, member.Any(entry => entry.IsWriter == true)))]);
    }

    /// <summary>Takes a cluster out, which makes it one of its own. False: it is no member any more.</summary>
    public async Task<bool> RemoveAsync(string identifier, string clusterArn, CancellationToken ct)
    {
        if (await FindAsync(identifier, ct) is not { } found || found.Members.All(member => member.ClusterArn != clusterArn))
            return false;
        await connection.CallAsync("remove", $"{clusterArn} from {Named(identifier)}", token => connection.Rds.RemoveFromGlobalClusterAsync(
            new() { GlobalClusterIdentifier = identifier, DbClusterIdentifier = clusterArn }, token), ct);
        return true;
    }

    private static string Named(string identifier) => $"global database {identifier}";
}

/// <summary>A database that spans regions.</summary>
public sealed record GlobalDatabase(string Identifier, string Status, IReadOnlyList<GlobalMember> Members);

/// <summary>One region's cluster.</summary>
public sealed record GlobalMember(string ClusterArn, bool Writer);
