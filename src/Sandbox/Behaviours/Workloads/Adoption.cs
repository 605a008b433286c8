using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>Gives objects that a workload selects and nobody manages to that workload: what an orphaning deletion left, or what was made by hand.</summary>
internal static class Adoption
{
    public static async Task TakeAsync(Cluster cluster, ClusterObject owner, ApiResource resource, CancellationToken ct)
    {
        if (owner.Deleting)
            return;
        var orphans = cluster.Of(resource).In(owner.Namespace)
            .Where(item => item.Controller is null && !item.Deleting && LabelQuery.Selects(owner.Spec.At("selector"), item.Labels)
                && (resource != Resources.Pods || !PodState.IsFinished(item)))
            .ToList();
        foreach (var orphan in orphans)
        {
            var owners = orphan.Metadata.Items("ownerReferences").Append(owner.AsController()).ToJson();
            await cluster.PatchAsync(orphan, new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = owners } }, ct);
        }
    }
}
