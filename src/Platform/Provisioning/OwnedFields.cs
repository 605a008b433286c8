using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Who owns which fields of a live object, by its <c>metadata.managedFields</c>.</summary>
internal sealed class OwnedFields
{
    /// <summary>Who scales: our own runbooks, the HorizontalPodAutoscaler's controller, and KEDA, which goes to zero and back by itself.</summary>
    private static readonly string[] Scalers = [Scaling.ScaleMarks.FieldManager, "kube-controller-manager", "keda", "keda-operator"];

    private readonly Dictionary<string, HashSet<string>> byManager = [];
    private readonly HashSet<string> scalers = [.. Scalers];

    public OwnedFields(JsonObject live)
    {
        foreach (var entry in live["metadata"]?["managedFields"]?.AsArray().OfType<JsonObject>() ?? [])
        {
            if ((string?)entry["subresource"] is "status" || entry["fieldsV1"] is not JsonObject fields || (string?)entry["manager"] is not { } manager)
                continue;
            if (!byManager.TryGetValue(manager, out var paths))
                byManager[manager] = paths = [];
            Collect(fields, "", paths);
            // Whoever uses the scale subresource scales; older servers do not record it.
            if ((string?)entry["subresource"] == "scale")
                scalers.Add(manager);
        }
    }

    /// <summary>The fields that we own, leaves only.</summary>
    public IReadOnlyCollection<string> Ours => byManager.GetValueOrDefault(Ownership.FieldManager) ?? [];

    /// <summary>The managers other than us that own a field, or something below it.</summary>
    public IReadOnlyList<string> OthersOf(string path) =>
        [.. byManager.Where(pair => pair.Key != Ownership.FieldManager && pair.Value.Any(owned => owned == path || IsBelow(owned, path) || IsBelow(path, owned)))
            .Select(pair => pair.Key).Order(StringComparer.Ordinal)];

    /// <summary>The autoscaler that owns a field, when nobody else but us does; null: there is none.</summary>
    public string? ScalerOf(string path) => OthersOf(path) is [var manager] && scalers.Contains(manager) ? manager : null;

    public static bool IsBelow(string path, string parent) =>
        path.Length > parent.Length && path.StartsWith(parent, StringComparison.Ordinal) && path[parent.Length] is '.' or '[';

    private static void Collect(JsonObject fields, string path, HashSet<string> paths)
    {
        var leaf = true;
        foreach (var (key, value) in fields)
        {
            var child = key switch
            {
                ['f', ':', .. var name] => FieldPath.Field(path, name),
                ['k', ':', .. var keys] => path + FieldPath.ElementKey(JsonNode.Parse(keys)!.AsObject()),
                // Elements of sets (finalizers) count for the set; "." is the element or map itself.
                _ => null,
            };
            if (child is null)
                continue;
            leaf = false;
            Collect((JsonObject)value!, child, paths);
        }

        if (leaf && path.Length > 0)
            paths.Add(path);
    }
}
