using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Activities.Backups;

/// <summary>An API server that is used for nothing but proving that a cluster's state can be restored. It has no nodes, so that nothing that is restored runs and no credential of it is used; and it is empty,
/// or holds what a verification left.</summary>
/// <param name="owner">Whose store is proved in it: what another verification of the same store left is removed.</param>
internal sealed class StateQuarantine(KubernetesConnection connection, string owner, TimeProvider time)
{
    public const string MarkName = "platformops-quarantine";

    /// <summary>How long everything may take to be gone, when it was deleted.</summary>
    private static readonly TimeSpan PatienceWithDeletion = TimeSpan.FromMinutes(2), Look = TimeSpan.FromMilliseconds(300);

    private static readonly HashSet<string> NoneEnding = [];

    private readonly WholeObjects objects = new(connection);

    private ResourceAddress Mark => new(connection.Region, "v1", "ConfigMap", "default", MarkName);

    /// <summary>Takes it for an operation, or finds that this operation has it.</summary>
    /// <param name="ordered">When the restore was ordered, if it was not before.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is no quarantine. <see cref="AdapterFailureKind.Moved"/>: another operation has it.</exception>
    public async Task<QuarantineClaim> ClaimAsync(string operation, string label, DateTimeOffset ordered, CancellationToken ct)
    {
        if (await FindAsync(ct) is { } held)
        {
            if (held.Owner != owner)
                throw new AdapterException(AdapterFailureKind.Moved, $"The quarantine at {connection.Account.Address} is in use by {held.Operation} of {held.Owner}. Wait for it, or verify that store again, which cleans up.");
            if (held.Operation == operation && held.Label == label)
                return held;
            // One verification of a store runs at a time: this one was terminated.
            await CleanUpAsync(_ => { }, ct);
        }

        var resources = await ResourcesAsync(ct);
        if (await AnyAsync(resources, "Node", ct) is { } node)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{connection.Account.Address} has nodes ({node}), so what is restored into it would run. Name an API server without nodes as quarantine.");
        if (await KeptAsync(resources, ct) is { } kept)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{connection.Account.Address} is not empty: it has {kept}. Name an API server as quarantine that is used for nothing else.");
        var claim = new QuarantineClaim(owner, operation, label, ordered);
        await objects.CreateAsync(Mark, new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["name"] = Mark.Name, ["namespace"] = Mark.Namespace },
            ["data"] = new JsonObject { ["owner"] = owner, ["operation"] = operation, ["label"] = label, ["ordered"] = ordered.ToString("O", CultureInfo.InvariantCulture) },
        }, ct);
        return claim;
    }

    /// <summary>Who has it; null: nobody.</summary>
    public async Task<QuarantineClaim?> FindAsync(CancellationToken ct) => await objects.FindAsync(Mark, ct) is { } mark
        ? new((string)mark["data"]!["owner"]!, (string)mark["data"]!["operation"]!, (string)mark["data"]!["label"]!, DateTimeOffset.Parse((string)mark["data"]!["ordered"]!, CultureInfo.InvariantCulture))
        : null;

    /// <summary>Removes everything that was restored into it, the mark last. Without a mark nothing in it is ours.</summary>
    /// <returns>What was there, by kind.</returns>
    public async Task<IReadOnlyList<string>> CleanUpAsync(Action<string> progress, CancellationToken ct)
    {
        if (await FindAsync(ct) is not { } claim || claim.Owner != owner)
            return [];
        var removed = new SortedDictionary<string, int>(StringComparer.Ordinal);
        using var late = new CancellationTokenSource(PatienceWithDeletion, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        string? left = null;
        try
        {
            // What was deleted may make something while it goes; it is looked until a look finds nothing.
            for (var first = true; ; first = false)
            {
                var resources = await ResourcesAsync(patience.Token);
                foreach (var resource in resources.Reverse())
                {
                    var count = await DeleteAllAsync(resource, patience.Token);
                    if (first && count > 0)
                        removed[resource.Name] = count;
                }

                if ((left = await KeptAsync(await ResourcesAsync(patience.Token), patience.Token)) is null)
                    break;
                progress($"Waiting until {left} is gone.");
                await Task.Delay(Look, time, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"{left} is still in the quarantine of {connection.Region}, {PatienceWithDeletion.TotalMinutes:0} minutes after its deletion. Look at its finalizers.");
        }

        await objects.DeleteAsync(Mark, ct);
        return [.. removed.Select(kind => $"{kind.Value} {kind.Key}")];
    }

    private async Task<IReadOnlyList<ServedResource>> ResourcesAsync(CancellationToken ct) => ExportedKinds.Of((await new ClusterDiscovery(connection).ReadAsync(ct)).Resources).Kinds;

    /// <summary>Something that is in it and not made by every cluster, the mark aside; null: nothing.</summary>
    private async Task<string?> KeptAsync(IReadOnlyList<ServedResource> resources, CancellationToken ct)
    {
        foreach (var resource in resources)
        {
            await foreach (var live in objects.ListAsync(resource, ct))
            {
                if (IsRestored(live))
                    return StateAddress.Of(connection.Region, live).ToString();
            }
        }

        return null;
    }

    private async Task<string?> AnyAsync(IReadOnlyList<ServedResource> resources, string kind, CancellationToken ct)
    {
        await foreach (var live in objects.ListAsync(new(new("v1", kind), $"{kind.ToLowerInvariant()}s", false, [], true), ct))
            return (string)live["metadata"]!["name"]!;
        return null;
    }

    private bool IsRestored(JsonObject live) => StateAddress.Of(connection.Region, live) != Mark && ExportRules.WhyLeftOut(WithoutEnd(live), NoneEnding) is null;

    /// <summary>What is being deleted is still there.</summary>
    private static JsonObject WithoutEnd(JsonObject live)
    {
        ((JsonObject)live["metadata"]!).Remove("deletionTimestamp");
        return live;
    }

    private async Task<int> DeleteAllAsync(ServedResource resource, CancellationToken ct)
    {
        var found = new List<ResourceAddress>();
        await foreach (var live in objects.ListAsync(resource, ct))
        {
            if (IsRestored(live))
                found.Add(StateAddress.Of(connection.Region, live));
        }

        foreach (var address in found)
            await objects.RemoveAsync(address, ct);
        return found.Count;
    }
}
