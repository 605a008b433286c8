namespace PlatformOps.Platform.Provisioning;

/// <summary>What cannot be made again once it is gone: the kinds that hold data, or hold everything else.</summary>
public static class DataHolders
{
    /// <summary>The plane of the catalog whose components are data stores.</summary>
    public const string Plane = "data";

    private static readonly HashSet<string> Kinds =
    [
        "Backup", "BackupStorageLocation", "Bucket", "DatabaseInstance", "Namespace", "PersistentVolume", "PersistentVolumeClaim", "Secret", "TemporalNamespace",
        "VolumeSnapshot", "VolumeSnapshotContent", "VolumeSnapshotLocation",
    ];

    public static bool Contains(string kind) => Kinds.Contains(kind);
}
