using Google.Protobuf;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Api.Deployment.V1;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Scaling;

/// <summary>The versions of a component's workers, as the platform's own Temporal routes to them.</summary>
internal sealed class WorkerVersions(SpecifiedEnvironment specified, ComponentDefinition component, RegionSpecification region, RegionConnections regions, string deployment)
{
    private readonly PolledTasks tasks = DeclaredScaling.Of(specified.Environment, component, region.Name)?.Tasks ?? throw Invalid(
        $"Field 'component' is '{component.Name}', which has no scaling.tasks: the catalog does not say that it is workers of Temporal.");

    private readonly WorkerDeployments deployments = new(regions.Temporal(
        region.Name, specified.InDependencyOrder(region.Name).SelectMany(known => known.Health).OfType<TemporalFrontendGate>().FirstOrDefault()
            ?? throw Invalid($"{specified.Environment.Name} has no component with a health gate temporalFrontend in {region.Name}: there is no Temporal to ask.")));

    /// <summary>The Temporal namespace that they poll.</summary>
    public string Namespace => tasks.Namespace;

    public async Task<RolloutSight> LookAsync(string buildId, string? old, DateTimeOffset since, DateTimeOffset now, CancellationToken ct)
    {
        if (await deployments.FindAsync(tasks.Namespace, deployment, ct) is not { Info: var info })
            return new(deployment, null, null, 0, [], [], RunCounts.None, RunCounts.None, now);
        var (versions, route) = (WorkerDeployments.Versions(info), Route(info));
        var before = old ?? (route.Current == buildId ? null : route.Current);
        var known = versions.Any(version => version.BuildId == buildId);
        return new(
            deployment, route.Current, route.Ramping, route.Percentage, versions, known ? await MissingAsync(buildId, before, ct) : [],
            known ? await deployments.CountAsync(tasks.Namespace, deployment, buildId, since, ct) : RunCounts.None,
            before is null ? RunCounts.None : await deployments.CountAsync(tasks.Namespace, deployment, before, since, ct), now);
    }

    public async Task<string> RouteAsync(VersionRoute from, VersionRoute to, CancellationToken ct)
    {
        var (info, token) = await deployments.FindAsync(tasks.Namespace, deployment, ct) ?? (new WorkerDeploymentInfo(), ByteString.Empty);
        var now = Route(info);
        if (Same(now, to))
            return $"It is so already: {InWords(now)}.";
        if (!Same(now, from))
            throw new ApplicationFailureException(
                $"New runs of {deployment} went another way when it was decided: {InWords(from)}. Now: {InWords(now)}. Somebody has changed that meanwhile.", FailureTypes.FactsChanged, nonRetryable: true);
        if (to.Current != now.Current)
            await deployments.MakeCurrentAsync(tasks.Namespace, deployment, to.Current, token, ct);
        else
            await deployments.RampAsync(tasks.Namespace, deployment, to.Ramping, to.Percentage, token, ct);
        return $"New runs of {deployment}: {InWords(to)}.";
    }

    public async Task<ForgottenVersions> ForgetAsync(int keep, CancellationToken ct)
    {
        if (await deployments.FindAsync(tasks.Namespace, deployment, ct) is not { Info: var info })
            return new([], [], 0);
        var (forgotten, kept) = (new List<string>(), new List<string>());
        var fates = VersionHygiene.Decide(WorkerDeployments.Versions(info), keep);
        foreach (var fate in fates.Where(fate => fate.Goes))
        {
            try
            {
                await deployments.DeleteVersionAsync(tasks.Namespace, deployment, fate.BuildId, ct);
                forgotten.Add(fate.BuildId);
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Conflict)
            {
                kept.Add($"{fate.BuildId}: {failure.Message}");
            }
        }

        return new(forgotten, kept, fates.Count - forgotten.Count);
    }

    /// <summary>What is polled at the moment, and everything that the version before ever polled.</summary>
    private async Task<IReadOnlyList<string>> MissingAsync(string buildId, string? before, CancellationToken ct)
    {
        var polled = await deployments.QueuesAsync(tasks.Namespace, deployment, buildId, ct);
        var wanted = before is null ? new HashSet<string>() : await deployments.QueuesAsync(tasks.Namespace, deployment, before, ct);
        var missing = wanted.Except(polled).Order(StringComparer.Ordinal).ToList();
        if (!await deployments.IsPolledAsync(tasks.Namespace, tasks.Queue, deployment, buildId, ct))
            missing.Insert(0, $"{tasks.Queue} at the moment");
        return missing;
    }

    private static VersionRoute Route(WorkerDeploymentInfo info)
    {
        var routing = info.RoutingConfig ?? new();
        return new(Named(routing.CurrentDeploymentVersion), Named(routing.RampingDeploymentVersion), Named(routing.RampingDeploymentVersion) is null ? 0 : Math.Round(routing.RampingVersionPercentage, 3));
    }

    private static string? Named(WorkerDeploymentVersion? version) => version is { BuildId.Length: > 0 } ? version.BuildId : null;

    private static bool Same(VersionRoute one, VersionRoute other) =>
        one.Current == other.Current && one.Ramping == other.Ramping && Math.Abs(one.Percentage - other.Percentage) < 0.01;

    private static string InWords(VersionRoute route) =>
        $"{route.Current ?? "workers without a version"} gets them{(route.Ramping is { } ramping ? FormattableString.Invariant($", but for {route.Percentage:0.##}% that {ramping} gets") : "")}";

    private static ApplicationFailureException Invalid(string message) => new(message, FailureTypes.InvalidInput, nonRetryable: true);
}
