using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>What we declare in AWS: <c>DatabaseInstance</c> (RDS), <c>Bucket</c> (S3) and <c>DnsRecord</c> (Route 53). Whose an object is stands in its tags;
/// that of a DNS record, which has none, in a TXT record beside it.</summary>
/// <param name="region">The region whose objects these are, and of which they say that they are.</param>
/// <param name="labels">Of our objects: an account may hold those of several environments under one address.</param>
/// <param name="zones">The DNS zones that the environment names: in an account of many, its records are looked for only there.</param>
/// <param name="connections">AWS in any region of the platform, for copies from one to the other.</param>
/// <param name="secrets">The values of a Secret of the region's cluster, by namespace and name; null when there is no such Secret.</param>
/// <param name="time">The clock of waits; default: the system's.</param>
public sealed class AwsObjects(
    string region, IReadOnlyDictionary<string, string> labels, IReadOnlySet<string> zones, Func<string, AwsConnection> connections,
    Func<string, string, CancellationToken, Task<IReadOnlyDictionary<string, SecretText>?>> secrets, TimeProvider? time = null) : IDeclaredObjects
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    private readonly TimeProvider time = time ?? TimeProvider.System;

    private readonly Dictionary<string, AwsKind> kinds = new()
    {
        [DatabaseObjects.Kind] = new DatabaseObjects(region, connections, secrets),
        [BucketObjects.Kind] = new BucketObjects(region, connections),
        [RecordObjects.Kind] = new RecordObjects(region, labels, zones, connections(region)),
    };

    /// <summary>RDS takes a last snapshot first.</summary>
    public TimeSpan RemovalPatience => TimeSpan.FromMinutes(12);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObjectKind>> ServedAsync(IEnumerable<ObjectKind> kinds, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<ObjectKind>>([.. kinds.Where(kind => this.kinds.ContainsKey(kind.Kind))]);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ObservedObject>> ObserveAsync(
        IReadOnlyCollection<ObjectKind> kinds, IReadOnlyDictionary<string, string> labels, IReadOnlyCollection<DesiredObject> wanted, CancellationToken ct)
    {
        var found = new List<ObservedObject>();
        foreach (var kind in kinds)
            found.AddRange(await Of(kind.Kind).ObserveAsync(labels, [.. wanted.Where(item => item.Address.Kind == kind.Kind)], ct));
        return found;
    }

    /// <inheritdoc/>
    public Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct) => Of(address.Kind).FindAsync(address, ct);

    /// <inheritdoc/>
    public Task CreateAsync(DesiredObject wanted, CancellationToken ct) => Of(wanted.Address.Kind).CreateAsync(wanted, ct);

    /// <summary>Reads what is declared, so that a mistake in it is told before anything is changed.</summary>
    public Task RehearseAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        Of(wanted.Address.Kind).Check(wanted);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) => Of(wanted.Address.Kind).ChangeAsync(wanted, live, ct);

    /// <inheritdoc/>
    public JsonObject? Declaration(ObservedObject live) => Of(live.Address.Kind).Declaration(live);

    /// <inheritdoc/>
    public Task<string?> WhyBusyAsync(ObservedObject live, CancellationToken ct) => Of(live.Address.Kind).WhyBusyAsync(live, ct);

    /// <inheritdoc/>
    public Task<string?> WhyKeepAsync(ObservedObject live, IReadOnlyCollection<ObjectKind> kinds, CancellationToken ct) => Of(live.Address.Kind).WhyKeepAsync(live, ct);

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        var kind = Of(live.Address.Kind);
        if (await kind.FindAsync(live.Address, ct) is not { } now)
            return false;
        if (Uid(now) != Uid(live))
            throw new AdapterException(AdapterFailureKind.Moved, $"{live.Address} is another one than the one that was observed.");
        return await kind.DeleteAsync(now, ct);
    }

    /// <inheritdoc/>
    public async Task<ObservedObject?> WaitUntilGoneAsync(ObservedObject live, TimeSpan patience, Action waiting, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        for (var pause = FirstPause; await FindAsync(live.Address, ct) is { } now && Uid(now) == Uid(live); pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (time.GetElapsedTime(began) >= patience)
                return now;
            waiting();
            await Task.Delay(pause, time, ct);
        }

        return null;
    }

    private AwsKind Of(string kind) => kinds.GetValueOrDefault(kind) ?? throw new AdapterException(
        AdapterFailureKind.NotServed, $"{ResourceAddress.AwsApiVersion} has no kind {kind}; it has {string.Join(", ", kinds.Keys)}. Correct the catalog.");

    private static string? Uid(ObservedObject live) => (string?)live.Manifest["metadata"]?["uid"];
}

/// <summary>One kind of object in AWS.</summary>
internal abstract class AwsKind
{
    /// <summary>All that carry the labels, and what stands where something is wanted.</summary>
    public abstract Task<IEnumerable<ObservedObject>> ObserveAsync(IReadOnlyDictionary<string, string> labels, IReadOnlyList<DesiredObject> wanted, CancellationToken ct);

    public abstract Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct);

    /// <exception cref="AdapterException">What is declared cannot be read; the message names the field.</exception>
    public abstract void Check(DesiredObject wanted);

    public abstract Task CreateAsync(DesiredObject wanted, CancellationToken ct);

    public abstract Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct);

    public virtual JsonObject? Declaration(ObservedObject live) => ManagedManifest.Whole(live.Manifest);

    /// <summary>Null: it takes changes.</summary>
    public virtual Task<string?> WhyBusyAsync(ObservedObject live, CancellationToken ct) => Task.FromResult<string?>(null);

    /// <summary>Null: it may be removed.</summary>
    public abstract Task<string?> WhyKeepAsync(ObservedObject live, CancellationToken ct);

    public abstract Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct);

    protected static bool Carries(IReadOnlyDictionary<string, string> tags, IReadOnlyDictionary<string, string> labels) =>
        labels.All(label => tags.GetValueOrDefault(label.Key) == label.Value);
}
