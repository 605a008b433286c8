namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>Snapshots of managed databases of a region.</summary>
public sealed class DatabaseSnapshots(AwsConnection connection)
{
    /// <summary>Null when there is no such snapshot.</summary>
    public async Task<DatabaseSnapshot?> FindAsync(string identifier, CancellationToken ct)
    {
        var answer = await connection.FindAsync(Named(identifier), token => connection.Rds.DescribeDBSnapshotsAsync(new() { DBSnapshotIdentifier = identifier }, token), ct);
        return answer?.DBSnapshots is [var snapshot, ..] ? snapshot.ToSnapshot() : null;
    }

    /// <summary>The snapshots that were asked for, not the daily ones.</summary>
    public async Task<IReadOnlyList<DatabaseSnapshot>> OfAsync(string instance, CancellationToken ct)
    {
        List<DatabaseSnapshot> found = [];
        string? marker = null;
        do
        {
            var after = marker;
            var page = await connection.CallAsync("list", $"the snapshots of {DatabaseInstances.Named(instance)}", token => connection.Rds.DescribeDBSnapshotsAsync(
                new() { DBInstanceIdentifier = instance, SnapshotType = "manual", MaxRecords = 100, Marker = after }, token), ct);
            found.AddRange((page.DBSnapshots ?? []).Select(snapshot => snapshot.ToSnapshot()));
            marker = page.Marker;
        }
        while (!string.IsNullOrEmpty(marker));
        return found;
    }

    /// <summary>Takes a snapshot, or adopts our own of this name.</summary>
    public Task<Creation> CreateAsync(string identifier, string instance, AwsOwner owner, string operationId, CancellationToken ct) => EnsureAsync(
        identifier, owner, token => connection.Rds.CreateDBSnapshotAsync(
            new() { DBSnapshotIdentifier = identifier, DBInstanceIdentifier = instance, Tags = owner.ToTags(operationId) }, token), ct);

    /// <summary>Copies a snapshot into this region, or adopts our own copy.</summary>
    /// <param name="source">An identifier of this region, or an ARN.</param>
    /// <param name="encryptionKey">In this region; a copy of an encrypted snapshot of another region needs one.</param>
    public Task<Creation> CopyAsync(string identifier, string source, string? encryptionKey, AwsOwner owner, string operationId, CancellationToken ct) => EnsureAsync(
        identifier, owner, token => connection.Rds.CopyDBSnapshotAsync(
            new()
            {
                TargetDBSnapshotIdentifier = identifier,
                SourceDBSnapshotIdentifier = source,
                KmsKeyId = encryptionKey,
                SourceRegion = Arn.RegionOf(source),
                Tags = owner.ToTags(operationId),
            }, token), ct);

    /// <summary>Deletes our snapshot. False: it is gone.</summary>
    public async Task<bool> DeleteAsync(string identifier, AwsOwner owner, CancellationToken ct)
    {
        if (await FindAsync(identifier, ct) is not { } snapshot)
            return false;
        RefuseForeign(snapshot, owner);
        return await connection.FindAsync(Named(identifier), token => connection.Rds.DeleteDBSnapshotAsync(new() { DBSnapshotIdentifier = identifier }, token), ct) is not null;
    }

    private static string Named(string identifier) => $"database snapshot {identifier}";

    private async Task<Creation> EnsureAsync<T>(string identifier, AwsOwner owner, Func<CancellationToken, Task<T>> create, CancellationToken ct)
    {
        if (await FindAsync(identifier, ct) is { } known)
        {
            RefuseForeign(known, owner);
            return Creation.Adopted;
        }

        try
        {
            await connection.CallAsync("create", Named(identifier), create, ct);
            return Creation.Created;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Exists)
        {
            if (await FindAsync(identifier, ct) is not { } appeared)
                throw;
            RefuseForeign(appeared, owner);
            return Creation.Adopted;
        }
    }

    private void RefuseForeign(DatabaseSnapshot snapshot, AwsOwner owner)
    {
        if (owner.WhyForeign(snapshot.Tags) is { } why)
            throw connection.Foreign(Named(snapshot.Identifier), why);
    }
}

/// <summary>A snapshot as RDS reports it.</summary>
/// <param name="Status">RDS's word: <c>creating</c>, <c>available</c>, ...</param>
public sealed record DatabaseSnapshot(
    string Identifier, string Arn, string Instance, string Status, int PercentDone, bool Encrypted, DateTimeOffset? Taken, IReadOnlyDictionary<string, string> Tags);
