using System.Collections.Frozen;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>Reads how the declared databases and buckets of a region are. Changes nothing.</summary>
public sealed class CloudHealth(string region, Func<string, AwsConnection> connections)
{
    /// <summary>States that an instance does not leave by itself.</summary>
    private static readonly FrozenSet<string> Hopeless = FrozenSet.Create(StringComparer.Ordinal,
        "failed", "inaccessible-encryption-credentials", "incompatible-network", "incompatible-option-group", "incompatible-parameters", "incompatible-restore",
        "insufficient-capacity", "restore-error", "storage-full", "stopped", "deleting");

    /// <summary>Whether every declared instance is available, and every replica replicates.</summary>
    public Task<GateStatus> DatabasesAsync(IEnumerable<DesiredObject> declared, CancellationToken ct) => AllAsync(declared, DatabaseObjects.Kind, async wanted =>
        Judge(wanted.Address.Name, DatabaseManifest.Read(wanted).ReplicaOf is not null, await new DatabaseInstances(connections(region)).FindAsync(wanted.Address.Name, ct)));

    /// <summary>Whether every declared bucket exists and is as declared.</summary>
    public Task<GateStatus> BucketsAsync(IEnumerable<DesiredObject> declared, CancellationToken ct) => AllAsync(declared, BucketObjects.Kind, async wanted =>
        Judge(wanted, await new BucketObjects(region, connections).FindAsync(wanted.Address, ct)));

    internal static GateStatus Judge(string name, bool replicates, DatabaseInstance? instance)
    {
        var subject = $"Database instance {name}";
        return instance switch
        {
            null => GateStatus.OnTheWay($"{subject} does not exist"),
            _ when Hopeless.Contains(instance.Status) => GateStatus.Hopeless($"{subject} is {instance.Status}: see its events in RDS and repair or replace it"),
            { Available: false } => GateStatus.OnTheWay($"{subject} is {instance.Status}"),
            { ReplicaOf: null } when replicates => GateStatus.Hopeless($"{subject} is no replica any more: it was promoted, or its source is gone"),
            { ReplicatesNormally: false } => GateStatus.OnTheWay($"{subject} does not replicate ({instance.Replication}): see its events in RDS"),
            { ReplicaOf: { } source } => GateStatus.Passed($"{subject} is available and replicates {source}"),
            _ => GateStatus.Passed($"{subject} is available at {instance.Address}"),
        };
    }

    private static GateStatus Judge(DesiredObject wanted, ObservedObject? bucket)
    {
        if (bucket is null)
            return GateStatus.OnTheWay($"Bucket {wanted.Address.Name} does not exist");
        var differences = FieldDiff.Compare(wanted.Manifest, bucket.Manifest);
        return differences.Count == 0
            ? GateStatus.Passed($"Bucket {wanted.Address.Name} is as declared")
            : GateStatus.OnTheWay($"Bucket {wanted.Address.Name} is not as declared: {string.Join(", ", differences.Select(change => $"{change.Path} is {change.From ?? "absent"}, declared {change.To ?? "absent"}"))}");
    }

    private static async Task<GateStatus> AllAsync(IEnumerable<DesiredObject> declared, string kind, Func<DesiredObject, Task<GateStatus>> status)
    {
        try
        {
            var statuses = new List<GateStatus>();
            foreach (var wanted in declared.Where(item => item.Address.ApiVersion == ResourceAddress.AwsApiVersion && item.Address.Kind == kind))
                statuses.Add(await status(wanted));
            return new(statuses.Select(one => one.State).DefaultIfEmpty(GateState.Passed).Max(), string.Join("; ", statuses.Select(one => one.Message).DefaultIfEmpty($"No {kind} is declared here")));
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return GateStatus.OnTheWay(failure.Message.TrimEnd('.'));
        }
    }
}
