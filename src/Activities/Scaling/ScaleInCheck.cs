using System.Text.Json.Nodes;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Scaling;

/// <summary>Asks right before replicas go that hold data whether they may: nodes of Elasticsearch, instances of PostgreSQL. What was decided on may have changed since, and provisioning decides by the specification only.</summary>
internal sealed class ScaleInCheck(SpecifiedEnvironment specified, ComponentDefinition component, RegionSpecification region, RegionConnections regions, TimeProvider time)
{
    /// <summary>A changed ConfigMap reaches a pod within about a minute.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3), Pause = TimeSpan.FromSeconds(5);

    private readonly SurroundingSight around = new(specified, component, region, regions, time);

    /// <summary>Why the replicas of a run of ScaleComponent or Autoscale must not go at this moment; null: they may.</summary>
    public async Task<string?> WhyNotAsync(ScalingDefinition how, LiveReplicas live, int to, CancellationToken ct)
    {
        if (to >= live.Wanted || !(how.Shards || around.KeepsPostgresql(how.Workload!)))
            return null;
        var guarded = ScalingGuards.Apply(component.Name, how, ScalingDecision.Scale(live.Wanted, to, ""), await around.HeldAsync(how, ct), live.Pods);
        return guarded.Verdict == ScalingVerdict.Scale && guarded.To == to ? null : guarded.Why;
    }

    /// <summary>For provisioning, which is about to write a workload as it is declared.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Conflict"/>: replicas would go that must not.</exception>
    public async Task RequireAsync(DesiredObject wanted, JsonObject live, Action<string> heartbeat, CancellationToken ct)
    {
        if (wanted.Address is not { Kind: "StatefulSet", Namespace: { } space } address || Replicas(wanted.Manifest) is not { } to || Replicas(live) is not { } from || to >= from)
            return;
        var workload = new ScaledWorkload(address.Kind, address.Name, space);
        var declared = DeclaredScaling.Of(specified.Environment, component, region.Name);
        var how = declared?.Workload == workload ? declared : new ScalingDefinition("replicas", workload, [], TimeSpan.Zero, TimeSpan.Zero, 100, 100);
        var seen = new LiveReplicas("", from, from, null, [], null, new(address, live));
        for (var began = time.GetTimestamp(); await WhyNotAsync(how, seen, to, ct) is { } why; await Task.Delay(Pause, time, ct))
        {
            if (how.Shards)
                throw Refused(address, $"{why} Nodes leave one by one, when they are empty: platformops scale {specified.Environment.Name} {component.Name} --region {region.Name} --replicas {to} --reason REASON. Then retry the step.");
            // Whom commits wait for is in a ConfigMap, which PostgreSQL reads again when it is told to.
            if (time.GetElapsedTime(began) >= Patience || !await around.ReloadPostgresqlAsync(ct))
                throw Refused(address, $"{why} Then retry the step.");
            heartbeat($"{address} stays at {from}: {why}");
        }
    }

    private static AdapterException Refused(ResourceAddress address, string why) => new(AdapterFailureKind.Conflict, $"{address} was not scaled in. {why}");

    private static int? Replicas(JsonObject manifest) => manifest["spec"]?["replicas"] is JsonValue value && value.TryGetValue<long>(out var count) ? (int)count : null;
}
