using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Health;

/// <summary>Whether a custom resource is as it has to be. Each kind has its own signs; one that is not known here must have the condition Ready.</summary>
public static class CustomResourceStatus
{
    /// <summary>The kind whose objects decide whether one of <paramref name="kind"/> has any effect; null when its own status tells.</summary>
    public static ObjectKind? ReadersOf(ObjectKind kind) =>
        (kind.Group, kind.Kind) is ("monitoring.coreos.com", "ServiceMonitor") ? new("monitoring.coreos.com/v1", "Prometheus") : null;

    /// <param name="readers">All objects of the kind that <see cref="ReadersOf"/> names.</param>
    public static GateStatus Judge(string name, JsonObject live, IReadOnlyList<JsonObject> readers, DateTimeOffset now) =>
        (new ObjectKind((string)live["apiVersion"]!, (string)live["kind"]!) is var kind ? (kind.Group, kind.Kind) : default) switch
        {
            ("cert-manager.io", "Certificate") => CertificateStatus.Judge(name, live, now),
            ("velero.io", "Backup") => VeleroStatus.Backup(name, live),
            ("velero.io", "Restore") => VeleroStatus.Restore(name, live),
            ("velero.io", "Schedule") => VeleroStatus.Schedule(name, live),
            ("velero.io", "BackupStorageLocation") => VeleroStatus.Location(name, live),
            ("security.istio.io", "PeerAuthentication") => PeerAuthentication(name, live),
            ("monitoring.coreos.com", "ServiceMonitor") => ServiceMonitorStatus.Judge(name, live, readers),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Condition(name, live, "Established"),
            ("apiregistration.k8s.io", "APIService") => Condition(name, live, "Available"),
            _ => Condition(name, live, "Ready"),
        };

    /// <summary>Controllers try again by themselves, so that a condition which does not hold is never hopeless.</summary>
    private static GateStatus Condition(string name, JsonObject live, string type)
    {
        var condition = ResourceStatus.Condition(live, type);
        if (condition is null || ResourceStatus.IsStale(live, condition["observedGeneration"] ?? live["status"]?["observedGeneration"]))
            return GateStatus.OnTheWay($"{name}: its controller has not said yet whether it is {type}");
        return ResourceStatus.Is(condition, "True")
            ? GateStatus.Passed($"{name} is {type}{(ResourceStatus.Text(condition["reason"]) is { Length: > 0 } reason ? $" ({reason})" : "")}")
            : GateStatus.OnTheWay($"{name} is not {type} ({ResourceStatus.Said(condition)})");
    }

    /// <summary>It has no status: the mesh does what it says.</summary>
    private static GateStatus PeerAuthentication(string name, JsonObject live)
    {
        var mode = ResourceStatus.Text(live["spec"]?["mtls"]?["mode"]) ?? "UNSET";
        return mode == "STRICT"
            ? GateStatus.Passed($"{name}: mTLS is STRICT")
            : GateStatus.Hopeless($"{name}: the mode of mTLS is {mode}, which lets plain text through. Set spec.mtls.mode to STRICT");
    }
}
