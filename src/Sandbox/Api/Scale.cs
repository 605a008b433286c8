using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Fields;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Api;

/// <summary>The number of replicas of a workload as an object of its own.</summary>
internal static class Scale
{
    public static JsonObject Of(JsonObject workload)
    {
        var metadata = new JsonObject();
        foreach (var name in new[] { "name", "namespace", "uid", "resourceVersion", "creationTimestamp" })
            metadata[name] = workload["metadata"]?[name]?.DeepClone();
        var labels = workload["spec"]?["selector"]?["matchLabels"] as JsonObject ?? [];
        return new()
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = workload["spec"]?["replicas"]?.DeepClone() ?? 0 },
            ["status"] = new JsonObject
            {
                ["replicas"] = workload["status"]?["replicas"]?.DeepClone() ?? 0,
                ["selector"] = string.Join(',', labels.Select(label => $"{label.Key}={label.Value.Text()}")),
            },
        };
    }

    /// <summary>The number that is asked for.</summary>
    /// <param name="patchKind">Null for an update.</param>
    /// <exception cref="ApiFailure">It is missing or negative.</exception>
    public static long Replicas(ResourceKind kind, JsonObject workload, JsonNode body, Writes.PatchKind? patchKind)
    {
        var scale = Of(workload);
        var wanted = patchKind switch
        {
            null => body as JsonObject,
            Writes.PatchKind.Json => JsonPatch.Apply(scale, body as JsonArray ?? throw ApiFailure.BadRequest("a JSON patch is a list of operations")),
            _ => MergePatch.Apply(scale, body as JsonObject ?? throw ApiFailure.BadRequest("a patch is an object")),
        };
        var name = workload["metadata"]?["name"].Text() ?? "";
        var replicas = wanted?["spec"]?["replicas"].Number() ?? 0;
        return replicas >= 0
            ? replicas
            : throw ApiFailure.Invalid(kind, name, [FieldProblem.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
    }
}
