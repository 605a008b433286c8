using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>What a restore of a cluster's state would do, as people approve it. Holds names of objects and of fields, and no value.</summary>
public sealed record StateRestorePlan : IRestorePlan
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    /// <summary>The region whose cluster is written.</summary>
    public required string Region { get; init; }

    /// <summary>The id of the set.</summary>
    public required string Set { get; init; }

    /// <summary>What the store's own tool calls it.</summary>
    public required string Label { get; init; }

    /// <summary>The moment that comes back.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why this set.</summary>
    public required string Why { get; init; }

    /// <summary>Only what is in these namespaces; empty: everything.</summary>
    public required IReadOnlyList<string> Namespaces { get; init; }

    /// <summary>The epoch in which this was planned; null: nobody could say.</summary>
    public long? Epoch { get; init; }

    /// <summary>What is done with the objects of each kind, in the order in which it is done.</summary>
    public required IReadOnlyList<PlannedKind> Kinds { get; init; }

    /// <summary>Every object that is there and is replaced.</summary>
    public required IReadOnlyList<PlannedOverwrite> Overwrites { get; init; }

    /// <summary>Objects that are there, differ, and stay as they are, a sentence each: the first of them.</summary>
    public required IReadOnlyList<string> Kept { get; init; }

    /// <summary>Objects that are not made again, a sentence each: the first of them.</summary>
    public required IReadOnlyList<string> Left { get; init; }

    /// <summary>What whoever approves should know besides.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Digest over the names of all that is created.</summary>
    public required string Created { get; init; }

    /// <summary>Digest of the archive.</summary>
    public required string Archive { get; init; }

    /// <summary>Velero restores, and not we; null: we do.</summary>
    public VeleroRestorePlan? Velero { get; init; }

    /// <summary>Whether anything that is there is replaced.</summary>
    public bool IsOverwriting => Overwrites.Count > 0;

    /// <summary>Whether there is anything to do.</summary>
    public bool IsEmpty => Velero is null && Kinds.All(kind => kind.Create == 0) && !IsOverwriting;

    /// <summary>How many objects something is done with.</summary>
    public int Count(Func<PlannedKind, int> of) => Kinds.Sum(of);

    /// <summary>What people approve: which objects are made, and which are replaced as they are now. The same facts give the same hash.</summary>
    public string Hash => CanonicalJson.Digest(new JsonObject
    {
        ["environment"] = Environment,
        ["store"] = Store,
        ["region"] = Region,
        ["set"] = Set,
        ["archive"] = Archive,
        ["epoch"] = Epoch,
        ["created"] = Created,
        ["overwrites"] = new JsonArray([.. Overwrites.Select(overwrite => (JsonNode)$"{overwrite.Object} {overwrite.Was}")]),
    });
}

/// <summary>A Backup of Velero that is restored by it.</summary>
/// <param name="Uid">The cluster's own id of it: another one of the same name is another one.</param>
/// <param name="Items">How many objects it has; null: Velero does not say.</param>
/// <param name="Excluded">Kinds that stay as they are.</param>
public sealed record VeleroRestorePlan(string Namespace, string Backup, string Uid, long? Items, IReadOnlyList<string> Excluded)
{
    /// <summary>What may have been revoked, or decided in an earlier epoch, which Velero does not know; and what would be done again.</summary>
    public static IReadOnlyList<string> Fenced { get; } =
    [
        "secrets", "endpoints", "endpointslices.discovery.k8s.io", "externalsecrets.external-secrets.io", "jobs.batch", "certificaterequests.cert-manager.io", "orders.acme.cert-manager.io", "challenges.acme.cert-manager.io",
        "leases.coordination.k8s.io", "nodes", "events", "events.events.k8s.io", "backups.velero.io", "restores.velero.io", "resticrepositories.velero.io", "backuprepositories.velero.io",
    ];
}

/// <summary>How many objects of a kind something is done with.</summary>
/// <param name="Kind">As archives call it: <c>deployments.apps</c>.</param>
/// <param name="Same">Are there as they were.</param>
/// <param name="Keep">Are there, differ, and stay as they are.</param>
/// <param name="Leave">Are not there, and are not made again.</param>
public sealed record PlannedKind(string Kind, int Create, int Overwrite, int Same, int Keep, int Leave);

/// <summary>An object that is there and is replaced.</summary>
/// <param name="Object">Where it is.</param>
/// <param name="Was">A seal over it as it is now: one that has changed by then is not replaced.</param>
/// <param name="Fields">Paths of what differs: the first of them.</param>
public sealed record PlannedOverwrite(string Object, string Was, string Fields);
