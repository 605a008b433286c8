using Amazon.S3;
using Amazon.S3.Model;

namespace PlatformOps.Adapters.Aws.Storage;

/// <summary>Buckets of a region. Creating takes what is already ours for done, and never touches what is not.</summary>
public sealed class Buckets(AwsConnection connection)
{
    private const string LifecycleRule = "platformops";

    private const int PageSize = 1000;

    /// <summary>Null when there is no such bucket.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Forbidden"/>: it is another account's.</exception>
    public async Task<ObservedBucket?> FindAsync(string name, CancellationToken ct)
    {
        var subject = Named(name);
        if (await connection.FindAsync(subject, token => connection.S3.GetBucketLocationAsync(new GetBucketLocationRequest { BucketName = name }, token), ct) is null)
            return null;
        var versioning = await connection.CallAsync("read", subject, token => connection.S3.GetBucketVersioningAsync(new GetBucketVersioningRequest { BucketName = name }, token), ct);
        var encryption = await connection.FindAsync(subject, token => connection.S3.GetBucketEncryptionAsync(new() { BucketName = name }, token), ct);
        var closed = await connection.FindAsync(subject, token => connection.S3.GetPublicAccessBlockAsync(new() { BucketName = name }, token), ct);
        var lifecycle = await connection.FindAsync(subject, token => connection.S3.GetLifecycleConfigurationAsync(new GetLifecycleConfigurationRequest { BucketName = name }, token), ct);
        var replication = await connection.FindAsync(subject, token => connection.S3.GetBucketReplicationAsync(new() { BucketName = name }, token), ct);
        var locked = await connection.FindAsync(subject, token => connection.S3.GetObjectLockConfigurationAsync(new() { BucketName = name }, token), ct);
        var rule = lifecycle?.Configuration?.Rules?.Find(rule => rule.Id == LifecycleRule && rule.Status == LifecycleRuleStatus.Enabled);
        var byDefault = encryption?.ServerSideEncryptionConfiguration?.ServerSideEncryptionRules?.FirstOrDefault()?.ServerSideEncryptionByDefault;
        return new(
            name,
            versioning.VersioningConfig?.Status == VersionStatus.Enabled,
            byDefault?.ServerSideEncryptionAlgorithm?.Value,
            byDefault?.ServerSideEncryptionKeyManagementServiceKeyId,
            closed?.PublicAccessBlockConfiguration is { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
            rule?.NoncurrentVersionExpiration?.NoncurrentDays,
            rule?.Expiration?.Days,
            replication?.Configuration is { Rules: [{ Destination.BucketArn: { } target }, ..] } copying ? new(target[(target.LastIndexOf(':') + 1)..], copying.Role) : null,
            locked?.ObjectLockConfiguration is { } configured ? configured.Rule?.DefaultRetention?.Days ?? 0 : null,
            await TagsAsync(name, ct));
    }

    /// <summary>Creates a bucket and configures it, or adopts our own and brings it to what is wanted. Every step can be repeated; what is already so is left.</summary>
    public async Task<Creation> EnsureAsync(WantedBucket wanted, AwsOwner owner, string operationId, CancellationToken ct)
    {
        var creation = Creation.Adopted;
        if (await FindAsync(wanted.Name, ct) is not { } known)
        {
            creation = await CreateAsync(wanted, ct);
            known = await FindAsync(wanted.Name, ct) ?? throw new AdapterException(AdapterFailureKind.Exists, $"{Named(wanted.Name)} was created and cannot be seen yet. Look again.");
        }

        await TakeAsync(known, owner, operationId, ct);
        await ConfigureAsync(wanted, known, ct);
        return creation;
    }

    /// <summary>The names of all buckets of the region that our account has.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken ct)
    {
        var names = new List<string>();
        string? token = null;
        do
        {
            var after = token;
            var page = await connection.CallAsync("list", "buckets", call => connection.S3.ListBucketsAsync(
                new ListBucketsRequest { BucketRegion = connection.Region, MaxBuckets = PageSize, ContinuationToken = after }, call), ct);
            // A server may list those of all regions.
            names.AddRange((page.Buckets ?? []).Where(bucket => bucket.BucketRegion is null || bucket.BucketRegion == connection.Region).Select(bucket => bucket.BucketName));
            token = page.ContinuationToken;
        }
        while (!string.IsNullOrEmpty(token));
        return names;
    }

    /// <summary>The tags of a bucket; null when there is no such bucket or it is not ours to see: ours can be seen.</summary>
    public async Task<IReadOnlyDictionary<string, string>?> FindTagsAsync(string name, CancellationToken ct)
    {
        try
        {
            return await TagsAsync(name, ct);
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Forbidden or AdapterFailureKind.Rejected)
        {
            return null;
        }
    }

    /// <summary>Whether nothing is in a bucket, also no old version.</summary>
    public async Task<bool> EmptyAsync(string name, CancellationToken ct)
    {
        var versions = await connection.CallAsync("list", Named(name), token => connection.S3.ListVersionsAsync(new ListVersionsRequest { BucketName = name, MaxKeys = 1 }, token), ct);
        return versions.Versions is null or [];
    }

    /// <summary>Writes the tags of our bucket that differ; others stay. An attempt that begins again does not send what is already so.</summary>
    public async Task TagAsync(ObservedBucket known, AwsOwner owner, string? operationId, CancellationToken ct)
    {
        var wanted = owner.Tags(operationId);
        if (wanted.All(tag => known.Tags.GetValueOrDefault(tag.Key) == tag.Value))
            return;
        var tags = known.Tags.Where(tag => !wanted.ContainsKey(tag.Key)).Concat(wanted);
        await connection.CallAsync("tag", Named(known.Name), token => connection.S3.PutBucketTaggingAsync(
            new PutBucketTaggingRequest { BucketName = known.Name, TagSet = [.. tags.Select(tag => new Tag { Key = tag.Key, Value = tag.Value })] }, token), ct);
    }

    /// <summary>Sets or ends where a bucket of ours is copied to.</summary>
    public async Task ReplicateAsync(string name, BucketReplication? target, AwsOwner owner, CancellationToken ct)
    {
        var known = await FindAsync(name, ct) ?? throw new AdapterException(AdapterFailureKind.Missing, $"{Named(name)} does not exist in {connection.Region}. Provision it first.");
        if (owner.WhyForeign(known.Tags) is { } why)
            throw connection.Foreign(Named(name), why);
        if (known.Replication != target)
            await ReplicateAsync(new() { Name = name, Replication = target }, ct);
    }

    /// <summary>Deletes our bucket, which must be empty of all versions. False: it is gone.</summary>
    public async Task<bool> DeleteAsync(string name, AwsOwner owner, CancellationToken ct)
    {
        if (await FindAsync(name, ct) is not { } known)
            return false;
        if (owner.WhyForeign(known.Tags) is { } why)
            throw connection.Foreign(Named(name), why);
        return await connection.FindAsync(Named(name), token => connection.S3.DeleteBucketAsync(new DeleteBucketRequest { BucketName = name }, token), ct) is not null;
    }

    internal static string Named(string bucket) => $"bucket {bucket}";

    private async Task<Creation> CreateAsync(WantedBucket wanted, CancellationToken ct)
    {
        try
        {
            await connection.CallAsync("create", Named(wanted.Name), token => connection.S3.PutBucketAsync(
                new PutBucketRequest
                {
                    BucketName = wanted.Name,
                    // us-east-1 is the region that must not be named. The SDK would write eu-west-1 by its old name, EU.
                    UseClientRegion = false,
                    PutBucketConfiguration = connection.Region == "us-east-1" ? null : new() { LocationConstraint = new(connection.Region) },
                    ObjectLockEnabledForBucket = wanted.LockDays is null ? null : true,
                }, token), ct);
            return Creation.Created;
        }
        catch (AdapterException failure) when (failure is { Kind: AdapterFailureKind.Exists, InnerException: AmazonS3Exception { ErrorCode: "BucketAlreadyOwnedByYou" } })
        {
            return Creation.Adopted;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Exists)
        {
            throw connection.Foreign(Named(wanted.Name), "belongs to another account");
        }
    }

    /// <summary>A bucket cannot be created together with its tags. One that has none and holds nothing is what an earlier try left behind, because its name
    /// is derived from the platform; one that holds something is somebody's.</summary>
    private async Task TakeAsync(ObservedBucket known, AwsOwner owner, string operationId, CancellationToken ct)
    {
        if (owner.WhyForeign(known.Tags) is not { } why)
            return;
        if (known.Tags.Count > 0 || !await EmptyAsync(known.Name, ct))
            throw connection.Foreign(Named(known.Name), why);
        await TagAsync(known, owner, operationId, ct);
    }

    private async Task<IReadOnlyDictionary<string, string>> TagsAsync(string name, CancellationToken ct)
    {
        var tags = await connection.FindAsync(Named(name), token => connection.S3.GetBucketTaggingAsync(new() { BucketName = name }, token), ct);
        return (tags?.TagSet ?? []).ToDictionary(tag => tag.Key, tag => tag.Value);
    }

    private async Task ConfigureAsync(WantedBucket wanted, ObservedBucket known, CancellationToken ct)
    {
        var (name, subject) = (wanted.Name, Named(wanted.Name));
        if (!known.ClosedToPublic)
            await connection.CallAsync("close", subject, token => connection.S3.PutPublicAccessBlockAsync(new() { BucketName = name, PublicAccessBlockConfiguration = BucketSettings.Closed() }, token), ct);
        if (known.Encryption != BucketSettings.Encryption(wanted) || known.EncryptionKey != wanted.EncryptionKey)
            await connection.CallAsync("encrypt", subject, token => connection.S3.PutBucketEncryptionAsync(new() { BucketName = name, ServerSideEncryptionConfiguration = BucketSettings.Encrypted(wanted) }, token), ct);
        if (!known.Versioned)
            await connection.CallAsync("version", subject, token => connection.S3.PutBucketVersioningAsync(new() { BucketName = name, VersioningConfig = new() { Status = VersionStatus.Enabled } }, token), ct);
        if ((known.OldVersionDays, known.ExpireDays) != (wanted.OldVersionDays, wanted.ExpireDays))
            await ExpireAsync(wanted, ct);
        if ((known.LockDays ?? 0) != (wanted.LockDays ?? 0))
            await LockAsync(wanted, ct);
        if (known.Replication != wanted.Replication)
            await ReplicateAsync(wanted, ct);
    }

    private Task ExpireAsync(WantedBucket wanted, CancellationToken ct) => wanted is { OldVersionDays: null, ExpireDays: null }
        ? connection.CallAsync<object>("change", Named(wanted.Name), async token => await connection.S3.DeleteLifecycleConfigurationAsync(new DeleteLifecycleConfigurationRequest { BucketName = wanted.Name }, token), ct)
        : connection.CallAsync<object>("change", Named(wanted.Name), async token => await connection.S3.PutLifecycleConfigurationAsync(
            new() { BucketName = wanted.Name, Configuration = BucketSettings.Lifecycle(wanted, LifecycleRule) }, token), ct);

    private async Task LockAsync(WantedBucket wanted, CancellationToken ct)
    {
        if (wanted.LockDays is not { } days)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{Named(wanted.Name)} is locked, which cannot be taken back. Keep lockDays in the specification, or use another bucket.");
        await connection.CallAsync("lock", Named(wanted.Name), token => connection.S3.PutObjectLockConfigurationAsync(
            new() { BucketName = wanted.Name, ObjectLockConfiguration = BucketSettings.Locked(days) }, token), ct);
    }

    private Task ReplicateAsync(WantedBucket wanted, CancellationToken ct) => wanted.Replication is { } target
        ? connection.CallAsync<object>("replicate", Named(wanted.Name), async token => await connection.S3.PutBucketReplicationAsync(
            new() { BucketName = wanted.Name, Configuration = BucketSettings.Replicated(target) }, token), ct)
        : connection.CallAsync<object>("change", Named(wanted.Name), async token => await connection.S3.DeleteBucketReplicationAsync(new() { BucketName = wanted.Name }, token), ct);
}
