using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Restarts workloads as <c>kubectl rollout restart</c> does, by an annotation of their template.</summary>
internal sealed class WorkloadRestarts(KubernetesConnection connection)
{
    private readonly LiveObjects objects = new(connection);

    /// <summary>Has a workload start all of its pods anew, at its own pace. With the annotations that it has already nothing happens.</summary>
    /// <param name="name"><c>Kind/name</c>.</param>
    /// <param name="fieldManager">Whose the annotations are: no field of the catalog's, so that drift does not find them and an apply does not take them away.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: a PodDisruptionBudget does not allow it.</exception>
    public async Task RestartAsync(string space, string name, string fieldManager, IReadOnlyDictionary<string, string> annotations, CancellationToken ct)
    {
        var (kind, workload) = name.Split('/') is [var first, var second] ? (first, second) : throw new ArgumentException($"\"{name}\" is not Kind/name.", nameof(name));
        var address = new ResourceAddress(connection.Region, "apps/v1", kind, space, workload);
        var served = await connection.Kinds.FindAsync(new("apps/v1", kind), ct);
        if (await objects.FindAsync(address, ct) is { } live && !HasAlready(live, annotations) && await new DisruptionLimits(connection).ObjectionAsync(live, ct) is { } objection)
            throw new AdapterException(AdapterFailureKind.Rejected, objection);
        var wanted = new JsonObject(annotations.Select(annotation => KeyValuePair.Create(annotation.Key, (JsonNode?)annotation.Value)));
        var call = new ApiCall(HttpMethod.Patch, $"{served.Path(space, workload)}?fieldManager={fieldManager}", "patch", LiveObjects.InWords(address))
        {
            Body = new JsonObject { ["spec"] = new JsonObject { ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = wanted } } } },
            ContentType = "application/merge-patch+json",
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    private static bool HasAlready(ObservedObject workload, IReadOnlyDictionary<string, string> annotations) =>
        annotations.All(annotation => (string?)workload.Manifest["spec"]?["template"]?["metadata"]?["annotations"]?[annotation.Key] == annotation.Value);
}
