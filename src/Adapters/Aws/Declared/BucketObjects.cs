using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>Buckets as declared objects. A bucket cannot be created together with its tags: one that is empty and has none was left behind by an attempt that
/// died, and counts as absent.</summary>
internal sealed class BucketObjects(string region, Func<string, AwsConnection> connections) : AwsKind
{
    public const string Kind = "Bucket";

    /// <summary>The tag that says, until a copy is ended, whose copy a bucket is: S3 itself only tells the source where it is copied to.</summary>
    private const string SourceTag = "platformops.io/replica-of";

    /// <summary>Of so many buckets all tags are read. Of more only those of buckets whose name begins as the environment's do, PLATFORM-ENVIRONMENT-.</summary>
    public const int FewBuckets = 50;

    private readonly Buckets buckets = new(connections(region));

    /// <inheritdoc/>
    public override async Task<IEnumerable<ObservedObject>> ObserveAsync(IReadOnlyDictionary<string, string> labels, IReadOnlyList<DesiredObject> wanted, CancellationToken ct)
    {
        var names = wanted.Select(item => item.Address.Name).ToHashSet();
        var all = await buckets.ListAsync(ct);
        var begin = $"{labels.GetValueOrDefault(Ownership.PlatformLabel)}-{labels.GetValueOrDefault(Ownership.EnvironmentLabel)}-";
        foreach (var name in all.Where(name => !names.Contains(name) && (all.Count <= FewBuckets || name.StartsWith(begin, StringComparison.Ordinal))))
            if (await buckets.FindTagsAsync(name, ct) is { } tags && Carries(tags, labels))
                names.Add(name);
        var found = new List<ObservedObject>();
        foreach (var name in names)
            if (await FindAsync(new(region, ResourceAddress.AwsApiVersion, Kind, null, name), ct) is { } bucket)
                found.Add(bucket);
        return found;
    }

    /// <inheritdoc/>
    public override async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct)
    {
        if (await buckets.FindAsync(address.Name, ct) is not { } bucket || (bucket.Tags.Count == 0 && await buckets.EmptyAsync(bucket.Name, ct)))
            return null;
        var source = bucket.Tags.GetValueOrDefault(SourceTag)?.Split('/', 2) is [var there, var name]
            && await new Buckets(connections(there)).FindAsync(name, ct) is { Replication: { } copying } && copying.Bucket == bucket.Name ? (there, name, copying.Role) : ((string, string, string)?)null;
        return BucketManifest.Of(address, bucket with { Tags = bucket.Tags.Where(tag => tag.Key != SourceTag).ToDictionary() }, source);
    }

    /// <inheritdoc/>
    public override void Check(DesiredObject wanted) => BucketManifest.Read(wanted);

    /// <inheritdoc/>
    public override async Task CreateAsync(DesiredObject wanted, CancellationToken ct)
    {
        var (declared, owner) = (BucketManifest.Read(wanted), Owner(wanted));
        await buckets.EnsureAsync(declared.Wanted, owner, owner.Creator(), ct);
        await CopyAsync(declared, owner, ct);
    }

    /// <summary>Tags first: an attempt that dies leaves a difference that the next one sees.</summary>
    public override async Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        var (declared, owner) = (BucketManifest.Read(wanted), Owner(wanted));
        if (await buckets.FindAsync(wanted.Address.Name, ct) is not { } now)
            throw new AdapterException(AdapterFailureKind.Moved, $"{wanted.Address} is gone.");
        if (live.Manifest["spec"]!["replicaOf"] is { } former && ((string?)former["region"], (string?)former["name"]) != (declared.ReplicaOf?.Region, declared.ReplicaOf?.Name))
            await new Buckets(connections((string)former["region"]!)).ReplicateAsync((string)former["name"]!, null, owner, ct);
        await buckets.TagAsync(now, owner, owner.KnownCreator(), ct);
        // Where it is copied to is said by its copy.
        await buckets.EnsureAsync(declared.Wanted with { Replication = now.Replication }, owner, owner.Creator(), ct);
        await CopyAsync(declared, owner, ct);
    }

    /// <inheritdoc/>
    public override async Task<string?> WhyKeepAsync(ObservedObject live, CancellationToken ct) => await buckets.EmptyAsync(live.Address.Name, ct)
        ? null
        : $"{live.Address} holds objects or old versions of objects, which would be lost with it. Empty it and retry, or skip the step to keep it.";

    /// <summary>First the copying to it ends: a source that copies to nowhere would fail for ever.</summary>
    public override async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        var owner = LiveManifest.Owner(ObjectMarks.Of(live.Manifest));
        if (live.Manifest["spec"]!["replicaOf"] is { } source)
            await new Buckets(connections((string)source["region"]!)).ReplicateAsync((string)source["name"]!, null, owner, ct);
        return await buckets.DeleteAsync(live.Address.Name, owner, ct);
    }

    /// <summary>A bucket is copied to another one that exists: so it is the copy that says whose it is, when it is made, and the source is told then.</summary>
    private async Task CopyAsync(BucketManifest declared, AwsOwner owner, CancellationToken ct)
    {
        if (declared.ReplicaOf is var (there, name, role))
            await new Buckets(connections(there)).ReplicateAsync(name, new(declared.Wanted.Name, role), owner, ct);
    }

    private static AwsOwner Owner(DesiredObject wanted)
    {
        var owner = LiveManifest.Owner(wanted);
        return wanted.Manifest["spec"]?["replicaOf"] is { } source
            ? owner with { More = new Dictionary<string, string>(owner.More) { [SourceTag] = $"{source["region"]}/{source["name"]}" } }
            : owner;
    }
}
