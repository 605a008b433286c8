using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Removes what one operation created for one component, newest first, and waits until it is gone.</summary>
internal sealed class CreatedObjectsRemover(RegionConnections connections, CreatedObjectsFinder finder, SpecifiedEnvironment specified, Action<string> heartbeat)
{
    /// <summary>A rollout changes its object all the time: so often we look again before we say that it does not hold still.</summary>
    private const int Looks = 10;

    private const int BystandersShown = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public async Task<RemovedObjects> RemoveAsync(RegionSpecification region, string component, CancellationToken ct)
    {
        var cluster = connections.Cluster(region);
        var removed = new List<ObservedObject>();
        foreach (var item in await finder.FindAsync(region, component, ct))
        {
            ct.ThrowIfCancellationRequested();
            heartbeat($"Removing {item.Address}");
            await RefuseBystandersAsync(region, item, ct);
            if (!RegionObserver.InKubernetes(item.Address))
                await DeleteNamespaceAsync(region, item, ct);
            else if (!await DeleteAsync(cluster, item, ct))
                continue;
            removed.Add(item);
        }

        foreach (var item in removed.Where(item => RegionObserver.InKubernetes(item.Address)))
        {
            var uid = (string)item.Manifest["metadata"]!["uid"]!;
            if (await new ObjectWriter(cluster).WaitUntilGoneAsync(item.Address, uid, Patience, _ => heartbeat($"Waiting until {item.Address} is gone"), ct) is { } still)
                throw NotRemoved(StillThere(still, Patience));
        }

        return new([.. removed.Select(item => item.Address)]);
    }

    internal static string StillThere(ObservedObject item, TimeSpan patience)
    {
        var finalizers = item.Manifest["metadata"]?["finalizers"] as JsonArray ?? [];
        var waitsFor = finalizers.Count > 0 ? $" It waits for {string.Join(", ", finalizers.Select(name => (string?)name))}." : "";
        var conditions = (item.Manifest["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>()
            .Where(condition => item.Address.Kind == "Namespace" && (string?)condition["status"] == "True")
            .Select(condition => $" {condition["message"]}");
        return string.Create(CultureInfo.InvariantCulture, $"{item.Address} is still there {patience.TotalMinutes:0.#} minutes after its deletion was asked for.{waitsFor}{string.Concat(conditions)} See what keeps it, then retry.");
    }

    /// <summary>A namespace takes with it whatever is in it by then, and that may be somebody else's.</summary>
    private async Task RefuseBystandersAsync(RegionSpecification region, ObservedObject item, CancellationToken ct)
    {
        if (item.Address is not { ApiVersion: "v1", Kind: "Namespace" } || await finder.BystandersAsync(region, item.Address.Name, ct) is not { Count: > 0 } others)
            return;
        var more = others.Count > BystandersShown ? $" and {others.Count - BystandersShown} more" : "";
        throw NotRemoved(
            $"{item.Address} holds what would go with it and is not this operation's to remove: {string.Join(", ", others.Take(BystandersShown).Select(other => other.Address))}{more}. Move or delete it and retry, or skip the step to keep the namespace.");
    }

    /// <returns>False when it was handed over to somebody else meanwhile, and is left to them.</returns>
    private async Task<bool> DeleteAsync(KubernetesConnection cluster, ObservedObject item, CancellationToken ct)
    {
        var objects = new LiveObjects(cluster);
        for (var look = 1; ; look++)
        {
            try
            {
                await new ObjectWriter(cluster).DeleteAsync(item, ct);
                return true;
            }
            catch (AdapterException moved) when (moved.Kind == AdapterFailureKind.Moved && look < Looks)
            {
                // It was changed since: whether it is still ours to remove has to be seen anew.
                if (await objects.FindAsync(item.Address, ct) is not { } again)
                    return true;
                if (!finder.IsCreated(again))
                    return false;
                item = again;
            }
        }
    }

    /// <summary>Deleting a namespace deletes the executions in it, and those are not ours.</summary>
    private async Task DeleteNamespaceAsync(RegionSpecification region, ObservedObject item, CancellationToken ct)
    {
        var namespaces = new TemporalNamespaces(connections.Temporal(region.Name, RegionObserver.Frontend(specified)));
        if (await namespaces.CountExecutionsAsync(item.Address.Name, ct) is > 0 and var executions)
            throw NotRemoved($"{item.Address} holds {executions} workflow executions, which would be deleted with it. Move or delete them and retry, or skip the step to keep it.");
        await namespaces.DeleteAsync(item, ct);
    }

    private static ApplicationFailureException NotRemoved(string message) => new(message, FailureTypes.NotRemoved, nonRetryable: true);
}
