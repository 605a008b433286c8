using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>A kind of objects as an API server says that it serves it.</summary>
/// <param name="Resource">Its name in paths: <c>deployments</c>.</param>
/// <param name="Verbs">What can be done with it.</param>
/// <param name="Preferred">Whether this is the version of the group that the server prefers.</param>
public sealed record ServedResource(ObjectKind Kind, string Resource, bool Namespaced, IReadOnlyList<string> Verbs, bool Preferred)
{
    /// <summary>What its objects are called in an archive: <c>deployments.apps</c>.</summary>
    public string Name => Kind.Group.Length == 0 ? Resource : $"{Resource}.{Kind.Group}";
}

/// <summary>A kind, or objects of it, that an export does not hold.</summary>
/// <param name="Reason">Part of a sentence: why not.</param>
/// <param name="Objects">How many; null: it was not counted, since none of the kind are exported.</param>
public sealed record LeftOut(string Kind, string Reason, int? Objects = null);

/// <summary>Which kinds an export of a cluster holds: all that can be made again from what was read.</summary>
/// <param name="Kinds">In the order in which they are restored.</param>
public sealed record ExportedKinds(IReadOnlyList<ServedResource> Kinds, IReadOnlyList<LeftOut> LeftOut)
{
    private const string OfTheCluster = "the cluster makes them itself";

    private const string DoneOnce = "each is something to do once: restored, it would be done again";

    /// <summary>By group and kind; core's group is empty.</summary>
    private static readonly Dictionary<(string Group, string Kind), string> NotExported = new()
    {
        [("", "Event")] = "they tell what happened and are gone after an hour",
        [("events.k8s.io", "Event")] = "they tell what happened and are gone after an hour",
        [("", "Node")] = "kubelets register themselves",
        [("storage.k8s.io", "CSINode")] = "kubelets register themselves",
        [("storage.k8s.io", "CSIStorageCapacity")] = OfTheCluster,
        [("storage.k8s.io", "VolumeAttachment")] = OfTheCluster,
        [("coordination.k8s.io", "Lease")] = "they are locks of who runs now",
        [("coordination.k8s.io", "LeaseCandidate")] = "they are locks of who runs now",
        [("networking.k8s.io", "IPAddress")] = OfTheCluster,
        [("resource.k8s.io", "ResourceSlice")] = OfTheCluster,
        [("internal.apiserver.k8s.io", "StorageVersion")] = OfTheCluster,
        [("certificates.k8s.io", "CertificateSigningRequest")] = DoneOnce,
        [("snapshot.storage.k8s.io", "VolumeSnapshot")] = DoneOnce,
        [("snapshot.storage.k8s.io", "VolumeSnapshotContent")] = DoneOnce,
        [("cert-manager.io", "CertificateRequest")] = DoneOnce,
        [("acme.cert-manager.io", "Order")] = DoneOnce,
        [("acme.cert-manager.io", "Challenge")] = DoneOnce,
        [("velero.io", "Backup")] = DoneOnce,
        [("velero.io", "BackupRepository")] = DoneOnce,
        [("velero.io", "DataDownload")] = DoneOnce,
        [("velero.io", "DataUpload")] = DoneOnce,
        [("velero.io", "DeleteBackupRequest")] = DoneOnce,
        [("velero.io", "DownloadRequest")] = DoneOnce,
        [("velero.io", "PodVolumeBackup")] = DoneOnce,
        [("velero.io", "PodVolumeRestore")] = DoneOnce,
        [("velero.io", "Restore")] = DoneOnce,
        [("velero.io", "ServerStatusRequest")] = DoneOnce,
        [("postgresql.cnpg.io", "Backup")] = DoneOnce,
        [("argoproj.io", "Workflow")] = DoneOnce,
        [("tekton.dev", "PipelineRun")] = DoneOnce,
        [("tekton.dev", "TaskRun")] = DoneOnce,
    };

    /// <summary>Each kind once, in the version that the server prefers.</summary>
    public static ExportedKinds Of(IReadOnlyCollection<ServedResource> served)
    {
        // Of a kind that only another version serves there is still something to lose. Version texts sort so that the choice does not depend on the order of the answer.
        var once = served.GroupBy(resource => (resource.Kind.Group, resource.Kind.Kind))
            .Select(versions => versions.OrderByDescending(resource => resource.Preferred).ThenByDescending(resource => resource.Kind.ApiVersion, StringComparer.Ordinal).First())
            .ToList();
        var (kinds, leftOut) = (new List<ServedResource>(), new List<LeftOut>());
        foreach (var resource in once)
        {
            if (WhyNot(resource, once) is { } reason)
                leftOut.Add(new(resource.Name, reason));
            else
                kinds.Add(resource);
        }

        return new(
            [.. kinds.OrderBy(resource => RestoreOrder.Rank(resource.Kind)).ThenBy(resource => resource.Name, StringComparer.Ordinal)],
            [.. leftOut.OrderBy(left => left.Kind, StringComparer.Ordinal)]);
    }

    private static string? WhyNot(ServedResource resource, List<ServedResource> all)
    {
        if (!resource.Verbs.Contains("list") || !resource.Verbs.Contains("create"))
            return "they are questions or measurements, not things that can be made again";
        if (NotExported.TryGetValue((resource.Kind.Group, resource.Kind.Kind), out var reason))
            return reason;
        // Old servers serve the same objects under two groups.
        return resource.Kind.Group == "extensions" && all.Exists(other => other.Kind.Kind == resource.Kind.Kind && other.Kind.Group != "extensions") ? "the same objects are served by another group" : null;
    }
}
