using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Binds a checked health gate.</summary>
internal static class HealthGateReader
{
    /// <summary>Null, with a problem, when the gate names no kind or several.</summary>
    public static HealthGate? Read(JsonObject gate, string defaultNamespace, string path, ShapeReader reader)
    {
        var kinds = gate.Where(pair => pair.Value is not null).ToList();
        if (kinds.Count != 1)
        {
            reader.Report(path, $"exactly one of {string.Join(", ", ComponentShape.Gate.Keys.Select(key => key.Name))} is expected");
            return null;
        }

        var fields = (JsonObject)kinds[0].Value!;
        var space = (string?)fields["namespace"] ?? defaultNamespace;
        return kinds[0].Key switch
        {
            "rollout" => new RolloutGate((string)fields["kind"]!, (string)fields["name"]!, space),
            "endpoints" => new EndpointsGate((string)fields["service"]!, space, (int)(long)fields["minimum"]!),
            "job" => new JobGate((string)fields["name"]!, space),
            "temporalFrontend" => new TemporalFrontendGate((string)fields["service"]!, space, (int)(long)fields["port"]!),
            "canary" => new CanaryGate((string)fields["service"]!, space, (int)(long)fields["port"]!, (string)fields["temporalNamespace"]!),
            "vault" => new VaultGate((string)fields["service"]!, space, (int)(long)fields["port"]!, (bool)fields["tls"]!, (string?)fields["policy"]),
            "postgresql" => new PostgresqlGate((string)fields["service"]!, space, (int)(long)fields["port"]!, (bool)fields["tls"]!, (string?)fields["secret"]),
            "elasticsearch" => new ElasticsearchGate((string)fields["service"]!, space, (int)(long)fields["port"]!, (bool)fields["tls"]!, (string?)fields["secret"]),
            "prometheus" => new PrometheusGate((string)fields["service"]!, space, (int)(long)fields["port"]!, (bool)fields["tls"]!, (int)(long)fields["minimum"]!),
            "condition" => Condition(fields, space),
            "external" => new ExternalGate(),
            "database" => new DatabaseGate(),
            "bucket" => new BucketGate(),
            var kind => throw new InvalidOperationException($"No gate for '{kind}'."),
        };
    }

    private static ConditionGate Condition(JsonObject fields, string space)
    {
        var kind = new ObjectKind((string)fields["apiVersion"]!, (string)fields["kind"]!);
        return new(kind, (string)fields["name"]!, ManifestRenderer.IsClusterScoped(kind) ? null : space);
    }
}
