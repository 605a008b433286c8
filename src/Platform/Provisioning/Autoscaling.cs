using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>The number of replicas belongs to an autoscaler as long as it stays in the range that the specification gives the component: then it is neither a
/// difference nor taken back. A number outside of the range is a difference like any other, and so is one that somebody else wrote. The same goes for the class of a managed database.</summary>
public static class Autoscaling
{
    private const string Replicas = "spec.replicas", Class = "spec.instanceClass";

    /// <summary>The object as it is to be applied: without the number of replicas, or the class, where that is the autoscaler's to say.</summary>
    public static DesiredObject Yield(DesiredObject desired, JsonObject? live, EnvironmentSpecification environment, string component)
    {
        if (desired.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DatabaseInstance" })
            return YieldClass(desired, live, environment, component);
        if (live is null || environment.Scaling.FirstOrDefault(range => range.Component == component) is not { } range
            || Count(desired.Manifest) is not { } declared || Count(live) is not { } found || declared == found || found < range.Minimum || found > range.Maximum
            || new OwnedFields(live).ScalerOf(Replicas) is not { } scaler)
            return desired;
        var manifest = (JsonObject)desired.Manifest.DeepClone();
        ((JsonObject)manifest["spec"]!).Remove("replicas");
        // Without the number itself: it may change with every look.
        return desired with { Manifest = manifest, Yields = $"{Replicas} is left to {scaler}, which may set {range.Minimum}..{range.Maximum}." };
    }

    private static DesiredObject YieldClass(DesiredObject desired, JsonObject? live, EnvironmentSpecification environment, string component)
    {
        if (live is null || environment.Classes.FirstOrDefault(allowed => allowed.Component == component)?.Names is not { } classes
            || (string?)live["spec"]?["instanceClass"] is not { } found || found == (string?)desired.Manifest["spec"]?["instanceClass"] || !classes.Contains(found)
            || new OwnedFields(live).ScalerOf(Class) is not { } scaler)
            return desired;
        var manifest = (JsonObject)desired.Manifest.DeepClone();
        ((JsonObject)manifest["spec"]!).Remove("instanceClass");
        return desired with { Manifest = manifest, Yields = $"{Class} is left to {scaler}, which may choose {string.Join(", ", classes)}." };
    }

    private static long? Count(JsonObject manifest) => manifest["spec"]?["replicas"] is JsonValue value && value.TryGetValue<long>(out var count) ? count : null;
}
