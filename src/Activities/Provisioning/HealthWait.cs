using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Declared;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Looks at a component's health gates again and again until all pass, one is hopeless, or time is up. Changes nothing.</summary>
internal sealed class HealthWait(RegionConnections connections, SpecifiedEnvironment specified, TimeProvider time, Action<HealthProgress> heartbeat)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Where every change ends the pause, it only has to find what no change tells: that something is hopeless, or that time is up.</summary>
    private static readonly TimeSpan PauseOfFollowed = TimeSpan.FromSeconds(1);

    /// <summary>What takes minutes in a cloud that counts calls is asked for less often.</summary>
    private static readonly TimeSpan LongestPauseOfClouds = TimeSpan.FromSeconds(5);

    private readonly ExternalHealth external = new(connections, specified, time);

    /// <param name="since">When the first attempt began to wait; the deadline counts from there.</param>
    /// <param name="gone">What no gate may wait for.</param>
    /// <param name="returned">What is to be as here, and not as specified.</param>
    public async Task<ComponentHealth> WaitAsync(
        ComponentDefinition component, RegionSpecification region, DateTimeOffset since, TimeSpan within, IReadOnlyList<ResourceAddress> gone, IReadOnlyList<CapturedObject> returned,
        CancellationToken ct)
    {
        var instead = returned.ToDictionary(captured => captured.Address, captured => captured.Manifest);
        var declared = ManifestRenderer.Render(specified.Environment, component, region.Name).Where(item => !gone.Contains(item.Address))
            .Select(item => instead.TryGetValue(item.Address, out var manifest) ? new DesiredObject(item.Address, manifest) : item).ToList();
        IReadOnlyList<HealthGate> gates = DelegatedScaling.Gate(specified.Environment, component) is { } scaler ? [.. component.Health, scaler] : component.Health;
        var open = gates.Where(gate => !gone.Any(address => gate.IsAbout(address))).ToList();
        var passed = new Dictionary<HealthGate, GateStatus>();
        var longest = open.Exists(gate => gate is DatabaseGate or BucketGate) ? LongestPauseOfClouds : LongestPause;
        await using var signal = new ChangeSignal(connections.Cluster(region), time);
        for (var pause = FirstPause; ; pause = pause * 1.5 < longest ? pause * 1.5 : longest)
        {
            signal.Rearm();
            var statuses = new List<GateStatus>();
            foreach (var gate in open.ToList())
            {
                var status = await StatusAsync(gate, component, region, declared, ct);
                if (status.State == GateState.Hopeless)
                    throw Unhealthy($"{component.Name} in {region.Name} cannot become healthy. {status.Message}. Then retry the step.");
                if (status.State == GateState.Passed)
                    (passed[gate], _) = (status, open.Remove(gate));
                else
                    statuses.Add(status);
            }

            if (open.Count == 0)
                return new(passed.Count == 0 ? "There is nothing to wait for." : $"{passed.Count} of {passed.Count} gates passed: {string.Join("; ", gates.Where(passed.ContainsKey).Select(gate => passed[gate].Message))}.");
            var missing = string.Join("; ", statuses.Select(status => status.Message));
            heartbeat(new(since, missing));
            if (time.GetUtcNow() - since >= within)
                throw Unhealthy($"{component.Name} in {region.Name} is not healthy after {Platform.Yaml.Units.Format(within)}. {missing}. Find out why, then retry the step to wait again, or skip it.");
            signal.Follow(open);
            await signal.WaitAsync(open.TrueForAll(ChangeSignal.CanFollow) ? PauseOfFollowed : pause, ct);
        }
    }

    private Task<GateStatus> StatusAsync(HealthGate gate, ComponentDefinition component, RegionSpecification region, IReadOnlyList<DesiredObject> declared, CancellationToken ct)
    {
        var health = new ClusterHealth(connections.Cluster(region));
        return gate switch
        {
            RolloutGate rollout => health.RolloutAsync(rollout, ct),
            JobGate job => health.JobAsync(job, ct),
            EndpointsGate endpoints => health.EndpointsAsync(endpoints, ct),
            TemporalFrontendGate frontend => new FrontendHealth(connections).StatusAsync(frontend, declared, region, ct),
            CanaryGate canary => new FrontendHealth(connections).CanaryAsync(canary, region, ct),
            VaultGate vault => VaultAsync(vault, region, ct),
            ApplicationGate application => health.ApplicationAsync(application, ct),
            ConditionGate condition => health.ConditionAsync(condition, time.GetUtcNow(), ct),
            PostgresqlGate postgresql => new ServiceHealth(connections).PostgresqlAsync(postgresql, region, ct),
            ElasticsearchGate elasticsearch => new ServiceHealth(connections).ElasticsearchAsync(elasticsearch, region, ct),
            PrometheusGate prometheus => new ServiceHealth(connections).PrometheusAsync(prometheus, region, ct),
            ExternalGate => external.StatusAsync(component, region, ct),
            DatabaseGate => Cloud(region).DatabasesAsync(declared, ct),
            BucketGate => Cloud(region).BucketsAsync(declared, ct),
            _ => throw new InvalidOperationException($"No status for {gate}."),
        };
    }

    private CloudHealth Cloud(RegionSpecification region) => new(region.Name, connections.Aws);

    private async Task<GateStatus> VaultAsync(VaultGate gate, RegionSpecification region, CancellationToken ct)
    {
        var vault = connections.Vault(region.Name, gate);
        var name = $"Vault {gate.Namespace}/{gate.Service} ({vault.Connection.Options.Address.Authority})";
        try
        {
            var system = new VaultSystem(vault.Connection);
            var health = await system.HealthAsync(ct);
            if (!health.IsActive)
                return new(GateState.OnTheWay, $"{name} {(!health.Initialized ? "is not initialized: initialize and unseal it" : health.Sealed ? "is sealed: unseal it" : "is a standby")}");
            if (gate.Policy is not { } policy)
                return new(GateState.Passed, $"{name} is unsealed and active");
            return await system.ReadPolicyAsync(policy, ct) is null
                ? new(GateState.OnTheWay, $"{name} has no policy {policy} yet")
                : new(GateState.Passed, $"{name} is unsealed and active, and policy {policy} is readable");
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return new(GateState.OnTheWay, failure.Message.TrimEnd('.'));
        }
    }

    private static ApplicationFailureException Unhealthy(string message) => new(message, FailureTypes.Unhealthy, nonRetryable: true);
}
