using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Removes objects one after the other, and waits until they are gone.</summary>
internal sealed class ObjectRemover(DeclaredSystems systems, OwnObjects own, Action<string> heartbeat)
{
    /// <summary>A rollout changes its object all the time: so often we look again before we say that it does not hold still.</summary>
    private const int Looks = 10;

    /// <param name="approved">Kinds whose contents may go with them, because somebody approved exactly that.</param>
    public async Task<RemovedObjects> RemoveAsync(RegionSpecification region, IReadOnlyList<ObservedObject> items, CancellationToken ct, params IReadOnlyList<string> approved)
    {
        var removed = new List<ObservedObject>();
        foreach (var item in items)
        {
            ct.ThrowIfCancellationRequested();
            heartbeat($"Removing {item.Address}");
            var system = systems.Of(item.Address.ApiVersion, region);
            if (!approved.Contains(item.Address.Kind) && await system.WhyKeepAsync(item, KindsIn(item), ct) is { } reason)
                throw NotRemoved(reason);
            if (await DeleteAsync(system, item, ct))
                removed.Add(item);
        }

        foreach (var item in removed)
        {
            var system = systems.Of(item.Address.ApiVersion, region);
            if (await system.WaitUntilGoneAsync(item, system.RemovalPatience, () => heartbeat($"Waiting until {item.Address} is gone"), ct) is { } still)
                throw NotRemoved(StillThere(still, system.RemovalPatience));
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

    private List<ObjectKind> KindsIn(ObservedObject item) => [.. own.Kinds.Where(kind => systems.InCluster(kind.ApiVersion) == systems.InCluster(item.Address.ApiVersion))];

    /// <returns>False when it was handed over to somebody else meanwhile, and is left to them.</returns>
    private async Task<bool> DeleteAsync(IDeclaredObjects system, ObservedObject item, CancellationToken ct)
    {
        for (var look = 1; ; look++)
        {
            try
            {
                await system.DeleteAsync(item, ct);
                return true;
            }
            catch (AdapterException moved) when (moved.Kind == AdapterFailureKind.Moved && look < Looks)
            {
                // It was changed since: whether it is still ours to remove has to be seen anew.
                if (await system.FindAsync(item.Address, ct) is not { } again)
                    return true;
                if (!own.IsOurs(again))
                    return false;
                item = again;
            }
        }
    }

    private static ApplicationFailureException NotRemoved(string message) => new(message, FailureTypes.NotRemoved, nonRetryable: true);
}
