using PlatformOps.Platform.Catalog;

namespace PlatformOps.Platform.Tests.Specification;

/// <summary>A small catalog with the reference platform's names and dependencies: the specification's rules do not depend on manifests.</summary>
internal static class TestCatalog
{
    private static readonly (string Name, string Namespace, string[] DependsOn, long Replicas)[] Components =
    [
        ("namespaces", "temporal-backend", [], 0),
        ("postgresql", "temporal-backend", ["namespaces"], 0),
        ("elasticsearch", "temporal-backend", ["namespaces"], 20),
        ("redis", "temporal-backend", ["namespaces"], 10),
        ("temporal-schema", "temporal-backend", ["postgresql", "elasticsearch"], 0),
        ("temporal-frontend", "temporal-backend", ["temporal-schema"], 20),
        ("temporal-history", "temporal-backend", ["temporal-schema"], 50),
        ("temporal-matching", "temporal-backend", ["temporal-schema"], 10),
        ("temporal-worker", "temporal-backend", ["temporal-frontend"], 5),
        ("temporal-namespaces", "temporal-backend", ["temporal-frontend"], 0),
        ("temporal-web", "temporal-backend", ["temporal-frontend"], 0),
        ("temporal-admintools", "temporal-backend", ["temporal-frontend"], 0),
        ("business-workers", "temporal-product", ["temporal-namespaces"], 100),
        ("api-services", "temporal-product", ["temporal-namespaces"], 50),
    ];

    public static ComponentCatalog Reference { get; } = Read();

    private static ComponentCatalog Read()
    {
        var files = new Dictionary<string, string>();
        foreach (var (name, space, dependsOn, replicas) in Components)
        {
            files[$"{name}/component.yaml"] =
                $"""
                name: {name}
                summary: The {name} of the platform.
                plane: test
                namespace: {space}
                dependsOn: [{string.Join(", ", dependsOn)}]
                health: []
                manifests: [objects.yaml]
                parameters:
                  memory: {"{type: quantity, default: 1Gi, summary: The memory.}"}
                  grace: {"{type: duration, default: 30s, summary: The time to stop.}"}
                  exposed: {"{type: boolean, default: false, summary: Whether it is reachable from outside.}"}
                  level: {"{type: string, default: info, allowed: [debug, info], summary: The level of its log.}"}
                """ + (replicas == 0 ? "" : $"\n  replicas: {{type: integer, default: 1, minimum: 1, maximum: {replicas}, summary: How many.}}")
                + (name == "temporal-history" ? "\n  historyShards: {type: integer, default: 512, minimum: 1, maximum: 16384, immutable: Shards are hashed into., summary: Number of shards.}" : "");
            files[$"{name}/objects.yaml"] =
                $$"""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: {{name}}}
                data:
                  values: "${memory} ${grace} ${exposed} ${level}{{(replicas == 0 ? "" : " ${replicas}")}}{{(name == "temporal-history" ? " ${historyShards}" : "")}}"
                """;
        }

        var result = CatalogReader.Read(files);
        return result.Catalog ?? throw new InvalidOperationException(string.Join('\n', result.Problems));
    }
}
