using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>The templates that a StatefulSet or DaemonSet has had, each kept in a ControllerRevision; what a rollback chooses from.</summary>
internal static class Revisions
{
    /// <summary>The revision of the template as it is now; created when there is none, renumbered as the newest when there is.</summary>
    public static async Task<ClusterObject> OfTemplateAsync(Cluster cluster, ClusterObject owner, CancellationToken ct)
    {
        var known = All(cluster, owner);
        var newest = known.Count == 0 ? 0 : known.Max(Number);
        if (known.FirstOrDefault(revision => PodTemplate.Same(Template(revision), owner.Spec.At("template"))) is { } same)
            return Number(same) == newest ? same : await cluster.PatchAsync(same, new JsonObject { ["revision"] = newest + 1 }, ct);
        var template = owner.Spec.Fields("template")!.Copy();
        var hash = PodTemplate.Hash(template);
        template["$patch"] = "replace";
        var labels = owner.Spec.At("template").At("metadata").Fields("labels")?.Copy() ?? [];
        labels[PodTemplate.RevisionLabel] = hash;
        return await cluster.CreateAsync(Resources.Revisions, owner.Namespace, new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{owner.Name}-{hash}",
                ["namespace"] = owner.Namespace,
                ["labels"] = labels,
                ["ownerReferences"] = new JsonArray(owner.AsController()),
            },
            ["data"] = new JsonObject { ["spec"] = new JsonObject { ["template"] = template } },
            ["revision"] = newest + 1,
        }, ct);
    }

    /// <summary>The pod template that a revision keeps.</summary>
    public static JsonNode? Template(ClusterObject revision)
    {
        if (revision.Body.At("data").At("spec").Fields("template") is not { } template)
            return null;
        var copy = template.Copy();
        copy.Remove("$patch");
        return copy;
    }

    /// <summary>What pods of the revision carry in their label.</summary>
    public static string Hash(ClusterObject revision) => revision.Labels.Text(PodTemplate.RevisionLabel) ?? revision.Name;

    /// <summary>Deletes the oldest revisions beyond the owner's history limit that no pod is of.</summary>
    public static async Task ForgetOldAsync(Cluster cluster, ClusterObject owner, IEnumerable<string> used, CancellationToken ct)
    {
        var unused = All(cluster, owner).ExceptBy(used, revision => revision.Name).OrderBy(Number).ToList();
        foreach (var revision in unused.SkipLast(owner.Spec.Number("revisionHistoryLimit") ?? 10))
            await cluster.DeleteAsync(revision, ct);
    }

    private static List<ClusterObject> All(Cluster cluster, ClusterObject owner) =>
        [.. cluster.Of(Resources.Revisions).ManagedBy(owner).Where(revision => !revision.Deleting)];

    private static int Number(ClusterObject revision) => revision.Body.Number("revision") ?? 0;
}
