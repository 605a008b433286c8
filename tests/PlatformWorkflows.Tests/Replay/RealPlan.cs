using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.PlatformWorkflows.Tests.Replay;

/// <summary>A plan that the planner itself made, of a world whose Secret holds a canary: what the canary must not get out of.</summary>
internal static class RealPlan
{
    /// <summary>The value of a live Secret. It must not be found in any history.</summary>
    public const string Canary = "canary-5b1f0c9e-of-the-database-password";

    public static ProvisioningPlan Create()
    {
        var catalog = CatalogReader.Read(new Dictionary<string, string>
        {
            ["redis/component.yaml"] = Definition("redis", ""),
            ["redis/objects.yaml"] = Manifest("ConfigMap", "redis", "data: {level: info}"),
            ["postgresql/component.yaml"] = Definition("postgresql", ""),
            ["postgresql/objects.yaml"] = Manifest("Secret", "postgresql", "type: Opaque"),
            ["frontend/component.yaml"] = Definition("frontend", "postgresql"),
            ["frontend/objects.yaml"] = Manifest("ConfigMap", "frontend", "data: {port: \"7233\"}"),
        });
        var environment = Environment();
        var live = catalog.Catalog!.Components.SelectMany(component => ManifestRenderer.Render(environment, component, "us-east-1"))
            .Where(item => item.Address.Kind == "Secret")
            .Select(item => new ObservedObject(item.Address, WithCanary(item.Manifest)))
            .ToList();
        return ProvisioningPlanner.Plan(
            environment, catalog.Catalog,
            [new() { Region = "us-east-1", Objects = live, ObservedAt = DateTimeOffset.UnixEpoch, Source = "https://kubernetes.invalid" }]);
    }

    private static JsonObject WithCanary(JsonObject manifest)
    {
        var live = manifest.DeepClone().AsObject();
        live["data"] = new JsonObject { ["password"] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Canary)) };
        live["stringData"] = new JsonObject { ["password"] = Canary };
        return live;
    }

    private static string Definition(string name, string dependsOn) =>
        $"""
        name: {name}
        summary: The {name} of the platform.
        plane: test
        namespace: temporal-backend
        dependsOn: [{dependsOn}]
        health: []
        manifests: [objects.yaml]
        """;

    private static string Manifest(string kind, string name, string content) =>
        $"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{content}\n";

    private static EnvironmentSpecification Environment() => new()
    {
        Platform = "reference",
        Name = "development",
        Digest = new('b', 64),
        Regions = [new("us-east-1", RegionRole.Primary, "us-east-1")],
        NodeClasses = [],
        Database = DatabaseTopology.Single,
        Monitoring = MonitoringLevel.Basic,
        Security = SecurityLevel.DevelopmentTls,
        GuardRails = new(0, 4, true, TimeSpan.FromHours(1)),
        Namespaces = [],
        Components = [.. new[] { "postgresql", "frontend", "redis" }.Select(name => new ComponentSpecification { Name = name, Parameters = [] })],
        Performance = new(1, 1, 1),
        Backups = [],
        Failover = new(FailoverMode.Off, FailoverMode.Off, TimeSpan.Zero, TimeSpan.Zero),
    };
}
