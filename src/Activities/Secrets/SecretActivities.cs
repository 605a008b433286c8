using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Secrets;

/// <summary>What rotations do to the outside. Values of secrets live inside one call and are in no answer, failure or log.</summary>
/// <param name="sources">Where specification and catalog are; read anew by every activity.</param>
/// <param name="connections">How the regions are reached.</param>
/// <param name="time">The clock of what is due; default: the system's.</param>
public sealed class SecretActivities(ProvisioningSources sources, PlatformConnections connections, TimeProvider? time = null) : ISecretActivities, IDisposable
{
    /// <summary>Between looks at a restarted consumer: a part of what it has taken so far, since hundreds of quick ones wait for each other, and each would wait for what its last pause is too long.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(25), LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly RegionConnections regions = new(connections);
    private readonly TimeProvider time = time ?? TimeProvider.System;

    private static CancellationToken Cancellation => ActivityExecutionContext.Current.CancellationToken;

    /// <inheritdoc/>
    public Task<FoundSecrets> FindSecretsAsync(FindSecretsInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        var all = specified.Environment.Regions.SelectMany(region => specified.Rotations(region.Name).Select(known => (Region: region, known.Rotation))).ToList();
        if (input.Names?.FirstOrDefault(name => !all.Exists(known => known.Rotation.Name == name)) is { } unknown)
            throw Invalid($"Field 'secrets' names '{unknown}', which {input.Environment} does not have. Possible: {string.Join(", ", all.Select(known => known.Rotation.Name).Distinct().DefaultIfEmpty("none"))}.");
        var found = new List<FoundSecret>();
        foreach (var (region, rotation) in all.Where(known => input.Names?.Contains(known.Rotation.Name) != false))
        {
            var values = new VaultKeyValues(Vault(specified, region));
            var kept = await new StagedSecrets(values).ReadAsync(rotation.Path, Cancellation);
            var since = kept.Current is { } current ? (await values.ReadAsync(rotation.Path, Cancellation, current.Version))?.CreatedAt : null;
            found.Add(new(
                new(input.Environment, region.Name, rotation.Name), rotation.Namespace, rotation.Secret, kept.Current?.Version ?? 0, since, rotation.Every,
                // What was made before our first rotation is of unknown age.
                kept.Current is not { Rotation.Length: > 0 } || time.GetUtcNow() - since >= rotation.Every,
                kept.Pending is not null || kept is { Current.Rotation.Length: > 0, Previous: not null } || IsHalf(rotation, kept.Current)));
        }

        SecretMetrics.Record(ActivityExecutionContext.Current.MetricMeter, found, time.GetUtcNow());
        return new FoundSecrets(found);
    });

    /// <inheritdoc/>
    public Task<SecretSight> ObserveSecretAsync(ObserveSecretInput input) => ActivityFailures.MappedAsync(() => Heartbeats.WhileAsync(async () =>
    {
        using var secret = await OpenAsync(input.Secret);
        return new SecretSight(await secret.ObserveAsync(time, Cancellation), secret.Rotation.Settle, secret.Rotation.Namespace, secret.Rotation.Secret);
    }));

    /// <inheritdoc/>
    public Task<SecretStepResult> RotateStepAsync(SecretStepInput input) => ActivityFailures.MappedAsync(() => Heartbeats.WhileAsync(async () =>
    {
        using var secret = await OpenAsync(input.Secret);
        return new SecretStepResult(await secret.CarryOutAsync(input, time, Cancellation));
    }));

    /// <inheritdoc/>
    public Task<LeakPlan> FindLeakAsync(FindLeakInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        return await new LeakFacts(specified, regions, region => Vault(specified, region)).ReachAsync(input.Path, input.Identity, Cancellation);
    });

    /// <inheritdoc/>
    public Task<RestartedConsumer> RestartConsumerAsync(RestartConsumerInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        var cluster = regions.Cluster(specified.Region(input.Region));
        await new SecretConsumers(cluster).RestartAsync(input.Namespace, input.Consumer, input.Versions, Cancellation);
        var parts = input.Consumer.Split('/');
        if (parts[0] == ArgoCdReading.Application)
            return new RestartedConsumer(Ready: true, Hopeless: false, "Argo CD was asked to compare it; the secret's own run sees what comes of it.");
        var (started, asked) = (time.GetTimestamp(), time.GetTimestamp());
        while (true)
        {
            // Most are there before their pods are worth asking.
            var askPods = time.GetElapsedTime(asked) >= LongestPause;
            if (askPods)
                asked = time.GetTimestamp();
            var rollout = await new ClusterHealth(cluster).RolloutAsync(new(parts[0], parts[1], input.Namespace), Cancellation, askPods);
            if (rollout.State != GateState.OnTheWay)
                return new RestartedConsumer(rollout.State == GateState.Passed, rollout.State == GateState.Hopeless, $"{rollout.Message}.");
            ActivityExecutionContext.Current.Heartbeat(rollout.Message);
            var pause = time.GetElapsedTime(started) / 16;
            await Task.Delay(pause < ShortestPause ? ShortestPause : pause > LongestPause ? LongestPause : pause, time, Cancellation);
        }
    });

    /// <inheritdoc/>
    public void Dispose() => regions.Dispose();

    private async Task<RotatedSecret> OpenAsync(SecretReference reference)
    {
        var specified = SpecifiedEnvironment.Read(sources, reference.Environment);
        var region = specified.Region(reference.Region);
        var declared = specified.Rotations(region.Name).ToList();
        if (declared.Find(known => known.Rotation.Name == reference.Name) is not { Rotation: { } rotation } found)
            throw Invalid($"Field 'secret' is '{reference.Name}', which {reference.Environment} does not have in {region.Name}. Possible: {string.Join(", ", declared.Select(known => known.Rotation.Name).DefaultIfEmpty("none"))}.");
        var vault = Vault(specified, region);
        var system = await new CredentialSystems(regions, specified.InDependencyOrder(region.Name), vault, time).OpenAsync(found.Component, rotation, region, Cancellation);
        return new(rotation, new(new(vault)), system, regions.Cluster(region), specified.Labels);
    }

    private VaultConnection Vault(SpecifiedEnvironment specified, RegionSpecification region) =>
        specified.InDependencyOrder(region.Name).SelectMany(component => component.Health).OfType<VaultGate>().FirstOrDefault() is { } gate
            ? regions.Vault(region.Name, gate).Connection
            : throw Invalid($"Environment {specified.Environment.Name} has no Vault in {region.Name}: secrets are rotated through it. Enable the component vault.");

    /// <summary>A key that was handed out, and does not encrypt yet.</summary>
    private bool IsHalf(RotationDefinition rotation, KeptCredential? current) =>
        rotation.Kind == RotationKind.CodecKey && current is not null && ((ICredentialSystem)new CodecKeySystem(rotation.Path, time)).Further(current) is not null;

    private static ApplicationFailureException Invalid(string message) => new(message, FailureTypes.InvalidInput, nonRetryable: true);
}
