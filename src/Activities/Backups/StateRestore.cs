using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Activities.Backups;

/// <summary>Makes the objects of an archive in a cluster, in the order of <see cref="RestoreOrder"/>. What is there is left as it is unless the rules let it be replaced.</summary>
/// <param name="isApproved">Whether an object may be replaced as it is now; null: all may that the rules let.</param>
internal sealed class StateRestore(KubernetesConnection connection, StateArchive archive, StateRestoreRules rules, TimeProvider time, Func<ResourceAddress, JsonObject, bool>? isApproved = null)
{
    /// <summary>How many objects of a kind are written at once.</summary>
    private const int Parallel = 8;

    /// <summary>How long a definition may take until its kind is served; the API server takes a second or two.</summary>
    private static readonly TimeSpan PatienceWithDefinitions = TimeSpan.FromSeconds(60), Look = TimeSpan.FromMilliseconds(200);

    private readonly WholeObjects objects = new(connection);

    /// <summary>Null: to be asked for, again when definitions were restored.</summary>
    private IReadOnlyList<ServedResource>? served;

    /// <summary>Restores. What was restored by an attempt before is found as it was and left.</summary>
    /// <param name="progress">Told how far it is, after each kind.</param>
    /// <exception cref="AdapterException">The cluster cannot be written at all, or a part cannot be read. An object that is refused is told in the answer.</exception>
    public async Task<StateRestored> RunAsync(ArchiveManifest manifest, Action<StateRestored> progress, CancellationToken ct)
    {
        var total = new StateRestored(0, 0, 0, []);
        var waiting = new ConcurrentDictionary<ResourceAddress, ArchivePart>();
        foreach (var part in InOrder(manifest))
        {
            total = await PartAsync(part, _ => true, address => waiting.TryAdd(address, part), total, ct);
            progress(total);
        }

        // What belongs to others of a kind that came later.
        foreach (var part in waiting.Values.Distinct())
        {
            total = await PartAsync(part, waiting.ContainsKey, null, total, ct);
            progress(total);
        }

        return total;
    }

    /// <param name="wait">Told of objects whose owners are not there yet; null: there is nothing more to wait for.</param>
    private async Task<StateRestored> PartAsync(ArchivePart part, Func<ResourceAddress, bool> meant, Action<ResourceAddress>? wait, StateRestored total, CancellationToken ct)
    {
        var (gate, defined) = (new Lock(), new List<ObjectKind>());
        served ??= (await new ClusterDiscovery(connection).ReadAsync(ct)).Resources;
        // Whoever approved has read that they are left.
        if (rules.Fenced && served.All(resource => resource.Kind != part.Kind))
            return total;
        var there = await StateSight.ReadAsync(connection, objects, served, part.Kind, all: true, ct);
        await System.Threading.Tasks.Parallel.ForEachAsync(archive.ReadAsync(part, ct), new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = ct }, async (archived, token) =>
        {
            var address = StateAddress.Of(connection.Region, archived);
            if (!meant(address) || !rules.Covers(address))
                return;
            var (manifest, orphaned) = await OwnedAsync(address, archived, token);
            if (orphaned && wait is not null)
            {
                wait(address);
                return;
            }

            var (action, trouble) = there.GetValueOrDefault(address) == StateComparison.Digest(archived)
                ? (RestoreAction.None, null)
                : await ObjectAsync(address, archived, manifest, there.ContainsKey(address), token);
            if (orphaned && action == RestoreAction.Create)
                trouble = $"{address} was restored, and not all that it belonged to: nothing removes it when they would have been removed.";
            lock (gate)
            {
                total = total.With(action, trouble);
                if (part.Kind.Kind == "CustomResourceDefinition")
                    defined.AddRange(Defines(archived));
            }
        });
        if (defined.Count > 0)
        {
            await UntilServedAsync(defined, ct);
            served = null;
        }

        return total;
    }

    /// <param name="manifest">What is written: the archived one with the owners that it has here.</param>
    /// <param name="there">Whether it was there. Then its creation is not even tried: whoever may refuse creations does so before the server says that it exists.</param>
    private async Task<(RestoreAction? Action, string? Trouble)> ObjectAsync(ResourceAddress address, JsonObject archived, JsonObject manifest, bool there, CancellationToken ct)
    {
        try
        {
            if (!there && rules.WhyNotCreated(archived) is null && await CreatedAsync(address, manifest, ct))
                return (RestoreAction.Create, null);
            var live = await objects.FindAsync(address, ct);
            var decision = RestoreDecision.Of(address, archived, live, rules);
            if (decision.Action == RestoreAction.Overwrite)
            {
                // Nobody could approve what was not there yet. It is compared afterwards.
                var newer = rules.IsNewer(live!);
                if (isApproved?.Invoke(address, live!) == false && !(newer && ExportRules.IsMadeByTheCluster(live!)))
                    return newer ? (RestoreAction.Keep, null) : (null, $"{address} is not any more as it was when it was planned, and stays as it is now: plan again.");
                await objects.ReplaceAsync(address, ExportRules.InPlaceOf(manifest, live!), ct);
            }

            // Where things are in use, whoever approved has read what stays.
            return (decision.Action, decision.Action == RestoreAction.Keep && !rules.Fenced ? $"{decision.Reason} {decision.Differences[0].Reason}" : null);
        }
        // One object that cannot be made does not keep the others from being made.
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Rejected or AdapterFailureKind.Forbidden or AdapterFailureKind.NotServed or AdapterFailureKind.Moved or AdapterFailureKind.Conflict)
        {
            return (null, $"{address} could not be restored: {failure.Message}");
        }
    }

    /// <summary>False: there is one of this name.</summary>
    private async Task<bool> CreatedAsync(ResourceAddress address, JsonObject manifest, CancellationToken ct)
    {
        try
        {
            await objects.CreateAsync(address, manifest, ct);
            return true;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
        {
            if (await objects.FindAsync(address, ct) is null)
                throw;
            return false;
        }
    }

    /// <summary>With the uids that its owners have here: an object whose owner does not exist by its uid is collected as garbage.</summary>
    /// <returns>Also whether some are not there.</returns>
    private async Task<(JsonObject Manifest, bool Orphaned)> OwnedAsync(ResourceAddress address, JsonObject archived, CancellationToken ct)
    {
        if (archived["metadata"]?["ownerReferences"] is not JsonArray owners)
            return (archived, false);
        var manifest = (JsonObject)archived.DeepClone();
        var known = new JsonArray();
        foreach (var owner in owners.OfType<JsonObject>())
        {
            var kind = new ObjectKind((string)owner["apiVersion"]!, (string)owner["kind"]!);
            if (!await objects.ServesAsync(kind, ct))
                continue;
            // An owner is in the namespace of what it owns, or in none.
            var at = new ResourceAddress(address.Region, kind.ApiVersion, kind.Kind, address.Namespace, (string)owner["name"]!);
            if ((await objects.FindAsync(at, ct))?["metadata"]?["uid"] is not { } uid)
                continue;
            var with = (JsonObject)owner.DeepClone();
            with["uid"] = uid.DeepClone();
            known.Add(with);
        }

        manifest["metadata"]!["ownerReferences"] = known;
        return (manifest, known.Count < owners.Count);
    }

    private async Task UntilServedAsync(List<ObjectKind> kinds, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(PatienceWithDefinitions, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        foreach (var kind in kinds)
        {
            try
            {
                while (!await ServesAsync(kind, patience.Token))
                    await Task.Delay(Look, time, patience.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw new AdapterException(AdapterFailureKind.Unavailable, $"{connection.Region} does not serve {kind} yet, {PatienceWithDefinitions.TotalSeconds:0} s after its definition was restored. Look at the conditions of the definition.");
            }
        }
    }

    /// <summary>For a moment the server names a new group and answers a page to the question what is in it.</summary>
    private async Task<bool> ServesAsync(ObjectKind kind, CancellationToken ct)
    {
        try
        {
            return await objects.ServesAsync(kind, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return false;
        }
    }

    /// <summary>What others are made of comes before them.</summary>
    public static IEnumerable<ArchivePart> InOrder(ArchiveManifest manifest) => manifest.Parts.OrderBy(part => RestoreOrder.Rank(part.Kind)).ThenBy(part => part.Name, StringComparer.Ordinal);

    /// <summary>The kinds that a definition makes the cluster serve.</summary>
    public static IEnumerable<ObjectKind> Defines(JsonObject definition) =>
        (definition["spec"]?["versions"] as JsonArray ?? []).OfType<JsonObject>().Where(version => (bool?)version["served"] == true)
            .Select(version => new ObjectKind($"{definition["spec"]!["group"]}/{version["name"]}", (string)definition["spec"]!["names"]!["kind"]!));
}

/// <summary>What became of the objects of an archive.</summary>
/// <param name="Unchanged">Were there as they are in the archive.</param>
/// <param name="Troubles">Objects that are not as in the archive now, a sentence each; at most <see cref="Shown"/>.</param>
internal sealed record StateRestored(int Created, int Unchanged, int Overwritten, IReadOnlyList<string> Troubles)
{
    public const int Shown = 50;

    /// <summary>How many objects are not as in the archive now.</summary>
    public int Troubled { get; init; }

    public StateRestored With(RestoreAction? action, string? trouble) => this with
    {
        Created = Created + (action == RestoreAction.Create ? 1 : 0),
        Unchanged = Unchanged + (action == RestoreAction.None ? 1 : 0),
        Overwritten = Overwritten + (action == RestoreAction.Overwrite ? 1 : 0),
        Troubled = Troubled + (trouble is null ? 0 : 1),
        Troubles = trouble is null || Troubles.Count >= Shown ? Troubles : [.. Troubles, trouble],
    };
}
