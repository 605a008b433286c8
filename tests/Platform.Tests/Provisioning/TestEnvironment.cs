using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>The environment <c>reference/test</c> with one region, and live objects of it.</summary>
internal static class TestEnvironment
{
    public const string Region = "us-east-1";

    public static EnvironmentSpecification Of(bool mayDestroy, IReadOnlyList<ComponentSpecification> components) => new()
    {
        Platform = "reference",
        Name = "test",
        Digest = new('b', 64),
        Regions = [new(Region, RegionRole.Primary, Region)],
        NodeClasses = [],
        Database = DatabaseTopology.Single,
        Monitoring = MonitoringLevel.Basic,
        Security = SecurityLevel.DevelopmentTls,
        GuardRails = new(Approvals: 0, MaxParallel: 4, mayDestroy, TimeSpan.FromHours(1)),
        Namespaces = [],
        Components = components,
        Performance = new(1, 1, 1),
        Backups = [],
        Failover = new(FailoverMode.Off, FailoverMode.Off, TimeSpan.Zero, TimeSpan.Zero),
    };

    public static RegionObservation Observation(IReadOnlyList<ObservedObject> objects) => new()
    {
        Region = Region,
        Objects = objects,
        ObservedAt = DateTimeOffset.UnixEpoch,
        Source = "https://kubernetes.invalid",
    };

    /// <summary>A live object; its label <c>ours</c> is replaced by the labels of that component.</summary>
    public static ObservedObject Observed(JsonObject live)
    {
        var manifest = live.DeepClone().AsObject();
        var metadata = manifest["metadata"]!.AsObject();
        if (metadata["labels"]?.AsObject() is { } labels && labels.Remove("ours", out var component))
        {
            labels[Ownership.ManagedByLabel] = Ownership.ManagedBy;
            labels[Ownership.PlatformLabel] = "reference";
            labels[Ownership.EnvironmentLabel] = "test";
            labels[Ownership.ComponentLabel] = (string)component!;
        }

        return new(new(Region, (string)manifest["apiVersion"]!, (string)manifest["kind"]!, (string?)metadata["namespace"], (string)metadata["name"]!), manifest);
    }
}
