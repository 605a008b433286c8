using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Custom;

/// <summary>Finds every object of its kind well after a while.</summary>
internal sealed class SettledKindController(Cluster cluster, BehaviourOptions options, SettledKind kind) : CustomController(cluster, options, kind.Group, kind.Kind)
{
    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Find(key) is not { Deleting: false } item || !IsDue(item, item.Created))
            return;
        var status = new JsonObject();
        foreach (var (field, value) in kind.Status)
            status[field] = value?.GetValue<string>().Replace("${name}", item.Name);
        if (kind.Conditions.Count > 0)
            status["conditions"] = Conditions.Set(item.Status, Now, kind.Conditions);
        foreach (var field in kind.Times)
            status[field] = item.Status.Text(field) ?? Now.Stamp();
        await WriteStatusAsync(item, status, ct);
    }
}
