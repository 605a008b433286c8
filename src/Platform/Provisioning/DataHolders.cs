namespace PlatformOps.Platform.Provisioning;

/// <summary>What cannot be made again once it is gone: the kinds that hold data, or hold everything else.</summary>
public static class DataHolders
{
    /// <summary>The plane of the catalog whose components are data stores.</summary>
    public const string Plane = "data";

    private static readonly HashSet<string> Kinds =
    [
        "Backup", "Bucket", "DatabaseInstance", "Namespace", "PersistentVolume", "PersistentVolumeClaim", "Secret", "TemporalNamespace",
        "VolumeSnapshot", "VolumeSnapshotContent",
        // A Role of Kubernetes is another matter.
        $"{ResourceAddress.PostgresqlApiVersion}/Database", $"{ResourceAddress.PostgresqlApiVersion}/Role",
    ];

    public static bool Contains(ResourceAddress address) => Kinds.Contains(address.Kind) || Kinds.Contains($"{address.ApiVersion}/{address.Kind}");
}
