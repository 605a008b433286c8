using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>Has Velero make a backup besides ours, where it is installed.</summary>
/// <param name="retention">How long Velero keeps it.</param>
internal sealed class VeleroBackups(KubernetesConnection cluster, TimeSpan retention, TimeProvider time)
{
    public const string Group = "velero.io/v1";

    /// <summary>For objects alone, without volumes, minutes are much. One that stands still must not keep our own set, which is made already, from being entered.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1), Look = TimeSpan.FromSeconds(1);

    private static readonly ServedResource Locations = new(new(Group, "BackupStorageLocation"), "backupstoragelocations", true, [], true);

    private readonly WholeObjects objects = new(cluster);

    /// <summary>Makes it, or waits for the one of this operation.</summary>
    /// <returns>Why it is not whole, one sentence; null: it is, or Velero is not there.</returns>
    public async Task<string?> MakeAsync(string operation, Action<string> progress, CancellationToken ct)
    {
        if (!await objects.ServesAsync(new(Group, "Backup"), ct) || await LocationAsync(ct) is not { } location)
            return null;
        var address = new ResourceAddress(cluster.Region, Group, "Backup", location.Namespace, NameOf(operation));
        if (await objects.FindAsync(address, ct) is null)
            await CreateAsync(address, location.Name, operation, ct);
        for (var began = time.GetTimestamp(); ; await Task.Delay(Look, time, ct))
        {
            var live = await objects.FindAsync(address, ct);
            if (live is null)
                return $"Velero's Backup {address.Name} was removed while it was made.";
            var status = CustomResourceStatus.Judge($"Velero's Backup {address.Name}", live, [], time.GetUtcNow());
            if (status.State != GateState.OnTheWay)
                return status.State == GateState.Passed ? null : $"{status.Message}.";
            if (time.GetElapsedTime(began) >= Patience)
                return $"{status.Message}, {Patience.TotalMinutes:0} minutes after it was asked for. Look at Velero's own log.";
            progress($"{status.Message}.");
        }
    }

    /// <summary>The name of the Backup of an operation, whose set has its id. Operations may have longer names than objects, and other letters.</summary>
    public static string NameOf(string operation) => $"platformops-{CanonicalJson.Digest(operation)[..16]}";

    private async Task CreateAsync(ResourceAddress address, string location, string operation, CancellationToken ct)
    {
        try
        {
            await objects.CreateAsync(address, new()
            {
                ["apiVersion"] = Group,
                ["kind"] = "Backup",
                ["metadata"] = new JsonObject
                {
                    ["name"] = address.Name,
                    ["namespace"] = address.Namespace,
                    ["labels"] = new JsonObject { [Ownership.ManagedByLabel] = Ownership.ManagedBy },
                    ["annotations"] = new JsonObject { [Ownership.OperationIdAnnotation] = operation },
                },
                ["spec"] = new JsonObject
                {
                    ["includedNamespaces"] = new JsonArray("*"),
                    ["storageLocation"] = location,
                    // Volumes are backed up by the stores' own means.
                    ["snapshotVolumes"] = false,
                    ["ttl"] = string.Create(CultureInfo.InvariantCulture, $"{(long)retention.TotalHours}h0m0s"),
                },
            }, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
        {
            // An attempt before this one made it.
        }
    }

    /// <summary>Where Velero keeps backups unless it is told otherwise; null: nowhere.</summary>
    private async Task<(string Namespace, string Name)?> LocationAsync(CancellationToken ct)
    {
        var found = new List<JsonObject>();
        await foreach (var location in objects.ListAsync(Locations, ct))
            found.Add(location);
        return (found.Find(location => (bool?)location["spec"]?["default"] == true) ?? found.FirstOrDefault())?["metadata"] is { } metadata
            ? ((string)metadata["namespace"]!, (string)metadata["name"]!) : null;
    }
}
