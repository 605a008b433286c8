using System.Text.Json;
using PlatformOps.Adapters;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>What provisioning does to the outside.</summary>
/// <param name="sources">Where specification and catalog are; read anew by every activity.</param>
/// <param name="connections">How the regions are reached.</param>
/// <param name="time">The clock of deadlines; default: the system's.</param>
public sealed class ProvisioningActivities(ProvisioningSources sources, PlatformConnections connections, TimeProvider? time = null) : IProvisioningActivities, IAsyncDisposable
{
    private readonly RegionConnections regions = new(connections);
    private readonly TimeProvider time = time ?? TimeProvider.System;

    private static CancellationToken Cancellation => ActivityExecutionContext.Current.CancellationToken;

    /// <inheritdoc/>
    public Task<PlanEnvironmentResult> PlanEnvironmentAsync(PlanEnvironmentInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        specified.RequireComponents(input.Components);
        if (input.Purpose == PlanPurpose.Decommission)
            return PlanPages.After(input.After, await PlanDecommissionAsync(specified, input.IncludeDataStores), specified.Environment.GuardRails);
        if (input.Purpose == PlanPurpose.Upgrade)
            RequireExpected(specified, input);
        var observed = input.Purpose == PlanPurpose.Upgrade ? UpgradedBefore(specified, input.Components) : input.Components;
        var observations = await Task.WhenAll(specified.Environment.Regions.Select(region => ObserveAsync(specified, region, observed)));
        var plan = ProvisioningPlanner.Plan(specified.Environment, specified.Catalog, observations, input.Components, input.Purpose);
        if (input is { After: null, Purpose: PlanPurpose.Provision or PlanPurpose.Upgrade })
            await new PlanPreflight(Systems(specified), specified).CheckAsync(plan, observations, Cancellation);
        return PlanPages.After(input.After, plan, specified.Environment.GuardRails);
    });

    /// <inheritdoc/>
    public Task<ComponentReport> ApplyComponentAsync(ApplyComponentInput input) => ActivityFailures.MappedAsync(() =>
    {
        var specified = SpecifiedEnvironment.ReadAsPlanned(sources, input.Reference);
        var systems = Systems(specified);
        return new ComponentApplier(systems, Observer(systems, specified), specified, input.Reference, regions, time, Heartbeat).ApplyAsync(input.Plan, input.Purpose, Cancellation);
    });

    /// <inheritdoc/>
    public Task<ComponentHealth> AwaitHealthAsync(AwaitHealthInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.ReadAsPlanned(sources, input.Reference);
        var info = ActivityExecutionContext.Current.Info;
        var since = info.HeartbeatDetails.Count > 0 ? (await info.HeartbeatDetailAtAsync<HealthProgress>(0)).Since : time.GetUtcNow();
        return await new HealthWait(regions, specified, time, Heartbeat)
            .WaitAsync(specified.Component(input.Reference.Component), specified.Region(input.Reference.Region), since, input.Within, input.Gone ?? [], input.Returned ?? [], Cancellation);
    });

    /// <inheritdoc/>
    public Task<RemovedObjects> RemoveCreatedAsync(CreatedObjectsInput input) => ActivityFailures.MappedAsync(() =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        if (input.Component is not { } component || input.Region is not { } region)
            throw new ApplicationFailureException("Fields 'component' and 'region' are missing: removal goes component by component.", FailureTypes.InvalidInput, nonRetryable: true);
        return RemoveAsync();

        async Task<RemovedObjects> RemoveAsync()
        {
            var own = Own(specified, input.OperationId);
            return await new ObjectRemover(Systems(specified), own, Heartbeat).RemoveAsync(specified.Region(region), await own.FindAsync(specified.Region(region), component, Cancellation), Cancellation);
        }
    });

    /// <inheritdoc/>
    public Task<CreatedObjects> ListCreatedAsync(CreatedObjectsInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        var own = Own(specified, input.OperationId);
        var wanted = specified.Environment.Regions.Where(region => input.Region is null || region.Name == input.Region);
        var found = await Task.WhenAll(wanted.Select(region => own.FindAsync(region, input.Component, Cancellation)));
        return new CreatedObjects([.. found.SelectMany(objects => objects).Select(item => item.Address)]);
    });

    /// <inheritdoc/>
    public Task<SpecificationChange> ProposeAdoptionAsync(ProposeAdoptionInput input) => ActivityFailures.MappedAsync(() =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        return Task.FromResult(Adoption.Propose(specified.Environment, specified.Catalog, input.Findings));
    });

    /// <inheritdoc/>
    public Task<ComponentReport> RemovePlannedAsync(RemovePlannedInput input) => ActivityFailures.MappedAsync(() =>
    {
        var specified = SpecifiedEnvironment.ReadAsPlanned(sources, input.Reference);
        return new PlannedRemover(Systems(specified), Own(specified, null), specified, input.Reference, Heartbeat).RemoveAsync(input.Plan, Cancellation);
    });

    /// <inheritdoc/>
    public Task<LedgerPage> ReadLedgerAsync(ReadLedgerInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        var own = Own(specified, input.OperationId);
        var found = await Task.WhenAll(specified.Environment.Regions.Select(region => own.FindAsync(region, null, Cancellation)));
        return LedgerPages.After(input.After, [.. found.SelectMany(objects => objects.Reverse()).Select(Ledger.Entry)]);
    });

    /// <inheritdoc/>
    public Task<CapturedComponent> CaptureComponentAsync(CaptureComponentInput input) => ActivityFailures.MappedAsync(() =>
    {
        var specified = SpecifiedEnvironment.ReadAsPlanned(sources, input.Reference);
        return Keeper(specified, input.Reference).CaptureAsync(input.Plan, Cancellation);
    });

    /// <inheritdoc/>
    public Task<ComponentReport> RestoreComponentAsync(RestoreComponentInput input) => ActivityFailures.MappedAsync(() =>
    {
        // Whatever the specification says by now: what is restored is older anyway.
        var specified = SpecifiedEnvironment.Read(sources, input.Reference.Environment);
        return Keeper(specified, input.Reference).RestoreAsync(input.Captured, Cancellation);
    });

    /// <inheritdoc/>
    public async Task<ActingRuns> FindActingRunsAsync(FindActingRunsInput input)
    {
        var phases = new[] { RunbookPhase.Acting, RunbookPhase.Parked, RunbookPhase.RollingBack }.Select(phase => $"'{JsonNamingPolicy.CamelCase.ConvertName(phase.ToString())}'");
        var found = new List<string>();
        // Children have no phase of their own.
        await foreach (var run in ActivityExecutionContext.Current.TemporalClient.ListWorkflowsAsync(
            $"Environment = '{input.Environment}' AND ExecutionStatus = 'Running' AND Phase IN ({string.Join(", ", phases)})", new() { Rpc = new() { CancellationToken = Cancellation } }))
        {
            if (run.Id != input.Except)
                found.Add(run.Id);
        }

        return new([.. found.Order(StringComparer.Ordinal)]);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        regions.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Looks at what the wanted components, and what they depend on, declare in a region.</summary>
    private async Task<RegionObservation> ObserveAsync(SpecifiedEnvironment specified, RegionSpecification region, IReadOnlyList<string>? wanted)
    {
        var components = specified.InDependencyOrder();
        var closure = DependencyGraph.Closure(wanted ?? [.. components.Select(component => component.Name)], components.ToDictionary(
            component => component.Name, component => (IReadOnlyList<string>)[.. component.Needs(specified.Environment), .. component.DependsOnPrimary]));
        var planned = specified.InDependencyOrder(region.Name).Where(component => closure.Contains(component.Name)).ToList();
        var desired = planned.SelectMany(component => ManifestRenderer.Render(specified.Environment, component, region.Name)).ToList();
        // Also what is not wanted now: it may be there from before. A cluster may not serve it, and says so by refusing.
        var systems = Systems(specified);
        var others = planned.SelectMany(component => component.Kinds).Where(kind => !systems.InCluster(kind.ApiVersion));
        // What is left of a component that the environment had shows only to who asks for its kinds.
        var (left, unanswered) = wanted is null ? await new OwnKinds(systems, specified).AnsweringAsync(region, Cancellation) : ([], []);
        return await Observer(systems, specified).ObserveAsync(region, desired, others.Concat(left), Cancellation) with { Unanswered = unanswered };
    }

    private async Task<ProvisioningPlan> PlanDecommissionAsync(SpecifiedEnvironment specified, bool includeDataStores)
    {
        var own = Own(specified, null);
        var observations = await Task.WhenAll(specified.Environment.Regions.Select(region => own.ObserveAsync(region, null, Cancellation)));
        return DecommissionPlanner.Plan(specified.Environment, specified.Catalog, observations, includeDataStores);
    }

    /// <summary>The components themselves, and those whose versions count for them.</summary>
    private static List<string> UpgradedBefore(SpecifiedEnvironment specified, IReadOnlyList<string>? components) =>
        [.. (components ?? []).SelectMany(name => specified.Component(name).UpgradeAfter.Append(name)).Where(name => specified.Environment.Components.Any(known => known.Name == name && known.Enabled))];

    private static void RequireExpected(SpecifiedEnvironment specified, PlanEnvironmentInput input)
    {
        var problems = input.Expected is not { } expected ? [] : (input.Components ?? []).SelectMany(name => Upgrades.Unexpected(
            specified.Environment, specified.Component(name), specified.Environment.PrimaryRegion, expected.Version, expected.Parameters)).ToList();
        if (problems.Count > 0)
            throw new ApplicationFailureException($"{string.Join(" ", problems)} Nothing was changed.", FailureTypes.InvalidInput, nonRetryable: true);
    }

    private OwnObjects Own(SpecifiedEnvironment specified, string? operationId)
    {
        var systems = Systems(specified);
        return new(systems, Observer(systems, specified), specified, operationId);
    }

    private ComponentKeeper Keeper(SpecifiedEnvironment specified, ComponentReference reference) =>
        new(Systems(specified), Own(specified, null), Own(specified, reference.OperationId), specified, reference, time, Heartbeat);

    private DeclaredSystems Systems(SpecifiedEnvironment specified) => new(regions, specified);

    private RegionObserver Observer(DeclaredSystems systems, SpecifiedEnvironment specified) => new(systems, specified, time);

    private static void Heartbeat(object progress) => ActivityExecutionContext.Current.Heartbeat(progress);
}
