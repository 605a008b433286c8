using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Parameters that every manifest may refer to without declaring them.</summary>
internal static class BuiltInParameters
{
    public static IReadOnlyList<string> Always { get; } = ["platform", "environment", "region", "role", "primaryRegion", "namespace", "database", "databaseInstances", "monitoring", "security"];

    /// <summary>What each repetition for a namespace adds.</summary>
    public static IReadOnlyList<string> PerNamespace { get; } = ["name", "purpose", "networkPolicy", "resourceClass"];

    public static IReadOnlyList<string> Of(RepeatFor repeatFor) =>
        repeatFor == RepeatFor.Namespaces ? [.. Always, .. PerNamespace] : Always;

    public static Dictionary<string, System.Text.Json.Nodes.JsonNode?> Values(EnvironmentSpecification environment, ComponentDefinition component, string region) => new()
    {
        ["platform"] = environment.Platform,
        ["environment"] = environment.Name,
        ["region"] = region,
        ["role"] = Words.Of(environment.Regions.First(candidate => candidate.Name == region).Role),
        ["primaryRegion"] = environment.PrimaryRegion,
        ["namespace"] = component.Namespace,
        ["database"] = Words.Of(environment.Database),
        ["databaseInstances"] = Instances(environment.Database),
        ["monitoring"] = Words.Of(environment.Monitoring),
        ["security"] = Words.Of(environment.Security),
    };

    /// <summary>Two standbys, so that a highly available cluster still has a synchronous one while the other is away.</summary>
    private static long Instances(DatabaseTopology database) => database switch
    {
        DatabaseTopology.Single => 1,
        DatabaseTopology.Replica => 2,
        _ => 3,
    };
}
