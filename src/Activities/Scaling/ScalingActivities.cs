using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Scaling;

/// <summary>What scaling does to the outside.</summary>
/// <param name="sources">Where specification and catalog are; read anew by every activity.</param>
/// <param name="connections">How the regions are reached.</param>
/// <param name="time">The clock by which numbers are fresh; default: the system's.</param>
public sealed class ScalingActivities(ProvisioningSources sources, PlatformConnections connections, TimeProvider? time = null) : IScalingActivities, IDisposable
{
    private readonly RegionConnections regions = new(connections);
    private readonly TimeProvider time = time ?? TimeProvider.System;

    private static CancellationToken Cancellation => ActivityExecutionContext.Current.CancellationToken;

    /// <inheritdoc/>
    public Task<ScalingSight> ObserveScalingAsync(ObserveScalingInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, component, region) = Open(input.Subject);
        var subject = Subject(specified, component, region, input.Parameter);
        var around = new SurroundingSight(specified, component, region, regions, time);
        var live = subject.How?.Workload is { } workload ? await new Replicas(regions.Cluster(region)).FindAsync(workload, Cancellation) : null;
        var seen = new ObservedScaling(
            live?.Wanted, live?.Ready, subject.How is { } how ? await around.SignalsAsync(how, Cancellation) : [],
            DelegatedScaling.ScalerOf(specified.Environment, component.Name) ?? live?.Owner, time.GetUtcNow());
        var surroundings = live is not null && subject.How is { } guarded && input.To is { } to && (to != live.Wanted || guarded.Shards)
            ? await around.LookAsync(guarded, live, to, Cancellation) : new();
        return new ScalingSight(
            subject, seen, live?.Uid, live?.Pods ?? [], surroundings, live?.Temporary, specified.Environment.GuardRails,
            input.To is { } wanted ? Plan(specified, subject, seen, wanted, input.Until) : null);
    });

    /// <inheritdoc/>
    public Task<ScaledSights> ObserveScaledAsync(ObserveScaledInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        specified.RequireComponents(input.Components);
        var followed = from region in specified.Environment.Regions
                       from component in specified.InDependencyOrder(region.Name)
                       where input.Components?.Contains(component.Name) != false
                       let subject = Subject(specified, component, region, null)
                       where subject is { How: { Workload: not null, Signals.Count: > 0 }, Range: not null }
                       select (Region: region, Component: component, Subject: subject);
        var sights = await Task.WhenAll(followed.Select(async known =>
        {
            var how = known.Subject.How!;
            var slim = known.Subject with { How = how with { Signals = [.. how.Signals.Select(signal => signal with { Query = "" })] } };
            var (live, trouble) = await LiveAsync(known.Region, how.Workload!);
            var signals = await new SurroundingSight(specified, known.Component, known.Region, regions, time).SignalsAsync(how, Cancellation);
            var seen = new ObservedScaling(live?.Wanted, live?.Ready, signals, DelegatedScaling.ScalerOf(specified.Environment, known.Component.Name) ?? live?.Owner, time.GetUtcNow());
            return new ScalingSight(slim, seen, live?.Uid, [], new(), live?.Temporary, specified.Environment.GuardRails, null) with { Trouble = trouble };
        }));
        ScalingMetrics.Record(ActivityExecutionContext.Current.MetricMeter, input.Environment, sights);
        return new ScaledSights(sights);
    });

    /// <inheritdoc/>
    public Task<ScaleStepResult> SetReplicasAsync(SetReplicasInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, component, region) = Open(input.Subject);
        var workload = Subject(specified, component, region, null).How?.Workload ?? throw Invalid($"{component.Name} has no workload under scaling any more: the catalog was changed.");
        var replicas = new Replicas(regions.Cluster(region));
        // What holds data is asked again at the last moment: Temporal tries again, and what was decided stays to be done.
        if (input.To < input.From && Subject(specified, component, region, null).How is { } how && await replicas.FindAsync(workload, Cancellation) is { } live && live.Wanted == input.From
            && await new ScaleInCheck(specified, component, region, regions, time).WhyNotAsync(how, live, input.To, Cancellation) is { } why)
            throw new AdapterException(AdapterFailureKind.Moved, $"{workload} keeps its {input.From} replicas for now: {why}");
        if (input.To < input.From && workload.Kind == "Deployment" && component.Scaling!.Tasks is not null)
            await replicas.PreferAsync(workload, [.. input.Spare], Cancellation);
        await replicas.SetAsync(workload, input.Uid, input.From, input.To, input.OperationId, input.Reason, input.Temporary, Cancellation);
        return new ScaleStepResult($"{workload} was told to have {input.To} replicas.");
    });

    /// <inheritdoc/>
    public Task<ScaleStepResult> EmptyNodeAsync(EmptyNodeInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, component, region) = Open(input.Subject);
        var workload = component.Scaling?.Workload ?? throw Invalid($"{component.Name} has no workload under scaling any more: the catalog was changed.");
        using var cluster = await new SurroundingSight(specified, component, region, regions, time).ElasticsearchAsync(Cancellation);
        var others = (await cluster.EmptiedAsync(Cancellation)).Where(node => !node.StartsWith($"{workload.Name}-", StringComparison.Ordinal));
        // Whoever else empties nodes of other names, goes on.
        await cluster.EmptyAsync([.. others, .. input.Node is { } leaving ? [leaving] : Array.Empty<string>()], Cancellation);
        return new ScaleStepResult(input.Node is null ? "All nodes may hold shards." : $"{input.Node} gives its shards to the others.");
    });

    /// <inheritdoc/>
    public Task<ClassSight> ObserveDatabaseClassAsync(ObserveDatabaseClassInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, component, region) = Open(input.Subject);
        return await Resize(specified, component, region).LookAsync(input.To, input.Until, Cancellation);
    });

    /// <inheritdoc/>
    public Task<ResizedDatabase> ResizeDatabaseAsync(ResizeDatabaseInput input) => ActivityFailures.MappedAsync(() => Heartbeats.WhileAsync(said =>
    {
        var (specified, component, region) = Open(input.Subject);
        return Resize(specified, component, region).ResizeAsync(input, said, Cancellation);
    }));

    /// <inheritdoc/>
    public Task<StandbyFound> ObserveStandbyAsync(ObserveStandbyInput input) =>
        ActivityFailures.MappedAsync(() => new StandbyLook(SpecifiedEnvironment.Read(sources, input.Environment), regions).LookAsync(input.Region, Cancellation));

    /// <inheritdoc/>
    public Task<RolloutFound> ObserveRolloutAsync(ObserveRolloutInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, component, region) = Open(input.Subject);
        var versions = new WorkerVersions(specified, component, region, regions, input.Deployment);
        var sight = await versions.LookAsync(input.Policy.BuildId, input.Old, input.Since, time.GetUtcNow(), Cancellation);
        return new RolloutFound(
            sight, specified.Environment.GuardRails, RolloutPlan.Of(specified.Environment, specified.Catalog, component.Name, region.Name, versions.Namespace, sight, input.Policy));
    });

    /// <inheritdoc/>
    public Task<ScaleStepResult> RouteVersionAsync(RouteVersionInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, component, region) = Open(input.Subject);
        return new ScaleStepResult(await new WorkerVersions(specified, component, region, regions, input.Deployment).RouteAsync(input.From, input.To, Cancellation));
    });

    /// <inheritdoc/>
    public Task<ForgottenVersions> ForgetVersionsAsync(ForgetVersionsInput input) => ActivityFailures.MappedAsync(() =>
    {
        var (specified, component, region) = Open(input.Subject);
        return new WorkerVersions(specified, component, region, regions, input.Deployment).ForgetAsync(input.Keep, Cancellation);
    });

    /// <inheritdoc/>
    public void Dispose() => regions.Dispose();

    private (SpecifiedEnvironment Specified, ComponentDefinition Component, RegionSpecification Region) Open(ScalingReference reference)
    {
        var specified = SpecifiedEnvironment.Read(sources, reference.Environment);
        var region = specified.Region(reference.Region);
        var possible = specified.InDependencyOrder(region.Name).Select(component => component.Name).Order(StringComparer.Ordinal).ToList();
        return possible.Contains(reference.Component)
            ? (specified, specified.Catalog.Find(reference.Component)!, region)
            : throw Invalid($"Field 'component' is '{reference.Component}', which {reference.Environment} does not have in {region.Name}. Possible: {string.Join(", ", possible)}.");
    }

    private DatabaseResize Resize(SpecifiedEnvironment specified, ComponentDefinition component, RegionSpecification region) =>
        new(specified, component, region, regions, time, ct => FailoverAsync(specified.Environment.Name, ct));

    /// <summary>The failover that is under way or waits for its approval, and what it is doing; null: none is, or nobody watches.</summary>
    private static async Task<string?> FailoverAsync(string environment, CancellationToken ct)
    {
        try
        {
            var run = ActivityExecutionContext.Current.TemporalClient.GetWorkflowHandle(RegionFailover.WorkflowId(environment));
            var status = await run.QueryAsync<RunbookStatus>("status", [], new() { Rpc = new() { CancellationToken = ct } });
            return status.Phase is RunbookPhase.AwaitingApproval or RunbookPhase.Acting or RunbookPhase.Parked or RunbookPhase.RollingBack ? $"{run.Id}: {status.Summary}" : null;
        }
        catch (RpcException missing) when (missing.Code == RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>One cluster that does not answer does not hide the others.</summary>
    private async Task<(LiveReplicas? Live, string? Trouble)> LiveAsync(RegionSpecification region, ScaledWorkload workload)
    {
        try
        {
            return (await new Replicas(regions.Cluster(region)).FindAsync(workload, Cancellation), null);
        }
        catch (AdapterException failure)
        {
            return (null, failure.Message);
        }
    }

    private static ScaledSubject Subject(SpecifiedEnvironment specified, ComponentDefinition component, RegionSpecification region, string? parameter)
    {
        var how = DeclaredScaling.Of(specified.Environment, component, region.Name);
        var name = parameter ?? how?.Parameter ?? "replicas";
        if (parameter is not null && component.Parameters.All(known => known.Name != parameter))
            throw Invalid($"Field 'parameter' is '{parameter}', which {component.Name} does not have. Possible: {string.Join(", ", component.Parameters.Select(known => known.Name).DefaultIfEmpty("none"))}.");
        var declared = component.Parameters.FirstOrDefault(known => known.Name == name);
        return new(
            component.Name, region.Name, name, declared?.ImmutableReason, how, DeclaredScaling.RangeOf(specified.Environment, component.Name),
            declared?.Type == ParameterType.Integer ? DeclaredScaling.NumberOf(specified.Environment, component, region.Name, name) : null);
    }

    private static ProvisioningPlan Plan(SpecifiedEnvironment specified, ScaledSubject subject, ObservedScaling seen, int to, DateTimeOffset? until) => ScalePlan.Of(
        specified.Environment, specified.Catalog, subject.Component,
        new(subject.Region, "apps/v1", subject.How?.Workload?.Kind ?? "Deployment", subject.How?.Workload?.Namespace, subject.How?.Workload?.Name ?? subject.Component),
        ScaleRules.Decide(subject, seen, to), until);

    private static ApplicationFailureException Invalid(string message) => new(message, FailureTypes.InvalidInput, nonRetryable: true);
}
