using System.Text.Json.Nodes;
using PlatformOps.Activities.Scaling;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Carries one component's part of a plan out: observe again, compare, then act object by object.</summary>
internal sealed class ComponentApplier(DeclaredSystems systems, RegionObserver observer, SpecifiedEnvironment specified, ComponentReference reference, RegionConnections connections, TimeProvider time, Action<string> heartbeat)
{
    /// <summary>So long lists of a cloud may lag behind, and then some.</summary>
    private static readonly TimeSpan LagPatience = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    private readonly List<ObjectOutcome> done = [];

    public async Task<ComponentReport> ApplyAsync(PlannedComponent approved, PlanPurpose purpose, CancellationToken ct)
    {
        var component = specified.Component(reference.Component);
        var region = specified.Region(reference.Region);
        heartbeat($"Observing {approved.Step}");
        var sources = new ObservedSources(systems, specified, component, region, time, heartbeat);
        var observation = await sources.AddToAsync(await observer.ObserveAsync(
            region, ManifestRenderer.Render(specified.Environment, component, region.Name), approved.Objects.Select(planned => RegionObserver.KindOf(planned.Address)), ct, component.Name), ct);
        var live = observation.Objects.DistinctBy(item => item.Address).ToDictionary(item => item.Address);
        var desired = ManifestRenderer.Render(specified.Environment, component, region.Name, live.ToDictionary(found => found.Key, found => found.Value.Manifest))
            .Select(item => Autoscaling.Yield(item, live.GetValueOrDefault(item.Address)?.Manifest, specified.Environment, component.Name)).ToDictionary(item => item.Address);
        var now = ProvisioningPlanner.PlanComponent(specified.Environment, component, observation, region.Name, purpose);
        RefuseConflicts(now);
        RefuseChangedFacts(approved, now, live, purpose);
        try
        {
            // A revert takes fields back from others, which a rehearsal on their terms would refuse.
            foreach (var planned in now.Objects.Where(planned => planned.Action == PlannedAction.Change && purpose != PlanPurpose.Revert && desired[planned.Address].Awaits.Count == 0))
                await Holder(planned.Address, region).RehearseAsync(Changed(desired[planned.Address], live[planned.Address]), live[planned.Address], ct);
            foreach (var (planned, index) in now.Objects.Select((planned, index) => (planned, index)))
            {
                ct.ThrowIfCancellationRequested();
                heartbeat($"{index + 1}/{now.Objects.Count}: {planned.Address}");
                if (planned.Action is PlannedAction.Create or PlannedAction.Change)
                    desired[planned.Address] = await sources.CompletedAsync(desired[planned.Address], ct);
                if (planned.Action == PlannedAction.None)
                    done.Add(live.TryGetValue(planned.Address, out var asWanted) ? AsWanted(asWanted) with { Cost = Cost(planned.Address, desired) } : new(planned.Address, Owner, null, ObjectResult.Unchanged));
                else
                    done.Add(new(planned.Address, Owner, reference.OperationId, await ActAsync(planned, purpose, desired, live, component, region, ct), Cost(planned.Address, desired)));
            }
        }
        catch (AdapterException failure)
        {
            throw ActivityFailures.Of(failure, new(done));
        }

        var seen = now.Objects.Select(planned => planned.Address).ToHashSet();
        var prunedBefore = approved.Objects.Where(planned => planned.Action == PlannedAction.Prune && !seen.Contains(planned.Address));
        return new([.. done, .. prunedBefore.Select(planned => new ObjectOutcome(planned.Address, Owner, reference.OperationId, ObjectResult.Pruned))]);
    }

    /// <summary>Null for what costs nothing, so that reports stay small.</summary>
    private static CostClass? Cost(ResourceAddress address, Dictionary<ResourceAddress, DesiredObject> desired) =>
        desired.TryGetValue(address, out var wanted) && Ledger.CostOf(wanted.Manifest) is var cost and not CostClass.None ? cost : null;

    private string Owner => $"{reference.Component} of {specified.Environment.Platform}/{specified.Environment.Name}";

    private void RefuseConflicts(PlannedComponent now)
    {
        var conflicts = now.Objects.Where(planned => planned.Action == PlannedAction.Conflict).ToList();
        if (conflicts.Count == 0)
            return;
        throw new ApplicationFailureException(
            $"{string.Join(" ", conflicts.Select(planned => $"{planned.Address}: {planned.Reason}"))} Nothing of {reference.Component} was changed.",
            FailureTypes.Conflict,
            nonRetryable: true,
            details: [new ComponentReport([.. conflicts.Select(planned => new ObjectOutcome(planned.Address, planned.Reason, null, ObjectResult.Conflict))])]);
    }

    private void RefuseChangedFacts(PlannedComponent approved, PlannedComponent now, Dictionary<ResourceAddress, ObservedObject> live, PlanPurpose purpose)
    {
        if (PlanComparison.Compare(approved, now, reference.OperationId, address => IsOwnCreation(live[address]) || WasHidden(address, purpose)).Differences is not { Count: > 0 } differences)
            return;
        throw new ApplicationFailureException(
            $"The world is not the one that was planned for: {string.Join("; ", differences)}. Nothing of {reference.Component} was changed. Abort and start again to plan with the facts of now.",
            FailureTypes.FactsChanged,
            nonRetryable: true,
            details: [new ComponentReport([])]);
    }

    /// <summary>While the Service of the platform's own Temporal is gone, its namespaces cannot be seen, and count as missing. Who approved that they be made as declared
    /// approved that they become so when they were only out of sight.</summary>
    private static bool WasHidden(ResourceAddress address, PlanPurpose purpose) => purpose == PlanPurpose.Revert && address.ApiVersion == ResourceAddress.TemporalApiVersion;

    private async Task<ObjectResult> ActAsync(
        PlannedObject planned, PlanPurpose purpose, Dictionary<ResourceAddress, DesiredObject> desired, Dictionary<ResourceAddress, ObservedObject> live,
        ComponentDefinition component, RegionSpecification region, CancellationToken ct)
    {
        switch (planned.Action)
        {
            case PlannedAction.Create:
                await CreateAsync(Holder(planned.Address, region), await NewAsync(desired[planned.Address], component, region, ct), ct);
                return ObjectResult.Created;
            case PlannedAction.Change:
                await new ScaleInCheck(specified, component, region, connections, time).RequireAsync(desired[planned.Address], live[planned.Address].Manifest, heartbeat, ct);
                var (holder, wanted) = (Holder(planned.Address, region), Changed(desired[planned.Address], live[planned.Address]));
                await (purpose == PlanPurpose.Revert ? holder.TakeBackAsync(wanted, live[planned.Address], ct) : holder.ChangeAsync(wanted, live[planned.Address], ct));
                return IsOwnCreation(live[planned.Address]) ? ObjectResult.Created : ObjectResult.Changed;
            case PlannedAction.Prune:
                await PruneAsync(live[planned.Address], region, ct);
                return ObjectResult.Pruned;
            default:
                throw new InvalidOperationException($"{planned.Action} of {planned.Address} is nothing to carry out.");
        }
    }

    /// <summary>What exists by now and was not to be seen before may be what an attempt of this operation made before it died, while lists lag behind: it is looked for
    /// until it shows. Anything else is the next attempt's to decide about.</summary>
    private async Task CreateAsync(IDeclaredObjects holder, DesiredObject wanted, CancellationToken ct)
    {
        try
        {
            await holder.CreateAsync(wanted, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Exists)
        {
            var began = time.GetTimestamp();
            for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                var found = await holder.ObserveAsync([RegionObserver.KindOf(wanted.Address)], specified.Labels, [wanted], ct);
                if (found.FirstOrDefault(item => item.Address == wanted.Address) is { } live)
                {
                    if (IsOwnCreation(live) && FieldDiff.Compare(wanted.Manifest, live.Manifest).Count == 0)
                        return;
                    throw;
                }

                if (time.GetElapsedTime(began) >= LagPatience)
                    throw;
                heartbeat($"{wanted.Address} exists, and lists do not show it yet");
                await Task.Delay(pause, time, ct);
            }
        }
    }

    /// <summary>An earlier attempt of this operation may have made it so.</summary>
    private ObjectOutcome AsWanted(ObservedObject live)
    {
        var changedBy = Annotation(live, Ownership.OperationIdAnnotation);
        var result = IsOwnCreation(live) ? ObjectResult.Created
            : changedBy == reference.OperationId ? ObjectResult.Changed
            : ObjectResult.Unchanged;
        return new(live.Address, Owner, changedBy, result);
    }

    private async Task PruneAsync(ObservedObject live, RegionSpecification region, CancellationToken ct)
    {
        var holder = Holder(live.Address, region);
        if (!await holder.DeleteAsync(live, ct))
            return;
        if (await holder.WaitUntilGoneAsync(live, holder.RemovalPatience, () => heartbeat($"Waiting until {live.Address} is gone"), ct) is { } still)
            throw new AdapterException(AdapterFailureKind.Unavailable, ObjectRemover.StillThere(still, holder.RemovalPatience));
    }

    /// <summary>Secrets get their values here, and nowhere else.</summary>
    private async Task<DesiredObject> NewAsync(DesiredObject wanted, ComponentDefinition component, RegionSpecification region, CancellationToken ct)
    {
        var manifest = Stamped(wanted, createdBy: reference.OperationId);
        var secret = component.Secrets.FirstOrDefault(secret => wanted.Address.Kind == "Secret" && secret.Name == wanted.Address.Name && secret.Namespace == wanted.Address.Namespace);
        if (secret is null)
            return new(wanted.Address, manifest);
        var primary = specified.Region(specified.Environment.PrimaryRegion);
        return new(wanted.Address, secret.SameInAllRegions && region.Name != primary.Name
            ? SecretValues.Fill(manifest, await CopiedAsync(secret, primary, ct))
            : SecretValues.Fill(manifest, secret));
    }

    /// <summary>They are carried from cluster to cluster, and kept nowhere in between.</summary>
    private async Task<IReadOnlyDictionary<string, SecretText>> CopiedAsync(SecretDefinition secret, RegionSpecification primary, CancellationToken ct) =>
        await new SecretReader(systems.Cluster(primary)).FindAsync(secret.Namespace, secret.Name, ct) ?? throw new AdapterException(
            AdapterFailureKind.Missing, $"{primary.Name} has no Secret {secret.Namespace}/{secret.Name}, whose values the other regions are to have too. Provision {reference.Component} there first.");

    private DesiredObject Changed(DesiredObject wanted, ObservedObject live) => new(wanted.Address, Stamped(wanted, Annotation(live, Ownership.CreatedByAnnotation)));

    private JsonObject Stamped(DesiredObject wanted, string? createdBy)
    {
        var manifest = (JsonObject)wanted.Manifest.DeepClone();
        var metadata = (JsonObject)manifest["metadata"]!;
        metadata["annotations"] ??= new JsonObject();
        metadata["annotations"]![Ownership.OperationIdAnnotation] = reference.OperationId;
        if (createdBy is not null)
            metadata["annotations"]![Ownership.CreatedByAnnotation] = createdBy;
        return manifest;
    }

    private IDeclaredObjects Holder(ResourceAddress address, RegionSpecification region) => systems.Of(address.ApiVersion, region);

    private bool IsOwnCreation(ObservedObject live) => Annotation(live, Ownership.CreatedByAnnotation) == reference.OperationId;

    private static string? Annotation(ObservedObject live, string name) => (string?)live.Manifest["metadata"]?["annotations"]?[name];
}
