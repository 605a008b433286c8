using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Yaml;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>A Temporal namespace in the form of a Kubernetes object, so that one planner plans both. The namespace's data map holds labels and
/// annotations side by side under their own names.</summary>
internal static class NamespaceManifest
{
    public static ObservedObject Of(string region, DescribeNamespaceResponse space)
    {
        var info = space.NamespaceInfo;
        var metadata = new JsonObject
        {
            ["name"] = info.Name,
            ["uid"] = info.Id,
            ["labels"] = Map(info.Data.Where(pair => !IsAnnotation(pair.Key))),
            ["annotations"] = Map(info.Data.Where(pair => IsAnnotation(pair.Key))),
        };
        if (info.State == NamespaceState.Deleted)
            metadata["deletionTimestamp"] = "unknown";
        return new(new(region, ResourceAddress.TemporalApiVersion, TemporalNamespaces.Kind, null, info.Name), new JsonObject
        {
            ["apiVersion"] = ResourceAddress.TemporalApiVersion,
            ["kind"] = TemporalNamespaces.Kind,
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["description"] = info.Description,
                ["ownerEmail"] = info.OwnerEmail,
                // The same normal form in which specifications are read.
                ["retention"] = Units.Format(space.Config?.WorkflowExecutionRetentionTtl?.ToTimeSpan() ?? TimeSpan.Zero),
            },
        });
    }

    public static Dictionary<string, string> DataOf(JsonObject manifest) => Part(manifest, "labels").Concat(Part(manifest, "annotations"))
        .ToDictionary(pair => pair.Key, pair => (string?)pair.Value ?? "");

    private static JsonObject Part(JsonObject manifest, string name) => manifest["metadata"]?[name] as JsonObject ?? [];

    private static bool IsAnnotation(string key) =>
        key is Ownership.OperationIdAnnotation or Ownership.CreatedByAnnotation || key.StartsWith(Ownership.ImmutablePrefix, StringComparison.Ordinal);

    private static JsonObject Map(IEnumerable<KeyValuePair<string, string>> pairs) =>
        new(pairs.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));
}
