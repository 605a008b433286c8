using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Namespaces;

/// <summary>Every namespace has a service account <c>default</c>.</summary>
internal sealed class ServiceAccountController : Controller
{
    private const string Default = "default";

    public ServiceAccountController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.Namespaces);
        On(Resources.ServiceAccounts, change => change is { After: null, Latest.Name: Default } ? [new ObjectKey("", change.Latest.Namespace)] : []);
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.Namespaces).Find(key) is not { Deleting: false } space || Cluster.Of(Resources.ServiceAccounts).Find(space.Name, Default) is not null)
            return;
        var metadata = new JsonObject { ["name"] = Default, ["namespace"] = space.Name };
        await Cluster.CreateAsync(Resources.ServiceAccounts, space.Name, new JsonObject { ["metadata"] = metadata }, ct);
    }
}
