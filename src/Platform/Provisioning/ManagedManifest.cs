using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning;

/// <summary>The manifest that we applied, read back out of a live object: the fields that we own by its <c>metadata.managedFields</c>. Applied again it
/// brings them back, and gives up those that were added since.</summary>
public static class ManagedManifest
{
    /// <summary>Null when we own nothing of it, or when it is a Secret: values of Secrets are never kept.</summary>
    public static JsonObject? Of(JsonObject live)
    {
        var own = (live["metadata"]?["managedFields"] as JsonArray ?? []).OfType<JsonObject>()
            .Where(entry => (string?)entry["manager"] == Ownership.FieldManager && (string?)entry["subresource"] is null).ToList();
        if (own.Count == 0 || (string?)live["kind"] == "Secret")
            return null;
        var manifest = new JsonObject();
        foreach (var entry in own)
        {
            if (Extract(entry["fieldsV1"] as JsonObject ?? [], live) is JsonObject part)
                Merge(manifest, part);
        }

        var metadata = manifest["metadata"] as JsonObject ?? [];
        manifest["apiVersion"] = live["apiVersion"]?.DeepClone();
        manifest["kind"] = live["kind"]?.DeepClone();
        metadata["name"] = live["metadata"]!["name"]!.DeepClone();
        if (live["metadata"]!["namespace"] is { } space)
            metadata["namespace"] = space.DeepClone();
        if (metadata.Parent is null)
            manifest["metadata"] = metadata;
        return manifest;
    }

    /// <summary>The manifest of an object of a system that reports every field and forgets which of them were declared: all of them, with the labels and annotations.
    /// Applied again it brings the object back to exactly this. Null when the object is not ours.</summary>
    public static JsonObject? Whole(JsonObject live)
    {
        var (metadata, manifest) = (live["metadata"], new JsonObject());
        if ((string?)metadata?["labels"]?[Ownership.ManagedByLabel] != Ownership.ManagedBy)
            return null;
        (manifest["apiVersion"], manifest["kind"]) = (live["apiVersion"]?.DeepClone(), live["kind"]?.DeepClone());
        manifest["metadata"] = new JsonObject { ["name"] = metadata["name"]?.DeepClone(), ["labels"] = metadata["labels"]?.DeepClone(), ["annotations"] = metadata["annotations"]?.DeepClone() };
        manifest["spec"] = live["spec"]?.DeepClone();
        return manifest;
    }

    private static JsonNode? Extract(JsonObject fields, JsonNode? live) => live switch
    {
        _ when !fields.Any(field => field.Key.StartsWith("f:", StringComparison.Ordinal) || field.Key.StartsWith("k:", StringComparison.Ordinal) || field.Key.StartsWith("v:", StringComparison.Ordinal)) => live?.DeepClone(),
        JsonObject map => new JsonObject(fields.Where(field => field.Key.StartsWith("f:", StringComparison.Ordinal) && map.ContainsKey(field.Key[2..]))
            .Select(field => KeyValuePair.Create(field.Key[2..], Extract((JsonObject)field.Value!, map[field.Key[2..]])))),
        // In the order in which they stand: the API keeps it for lists that are merged by key.
        JsonArray list => new JsonArray([.. list.Select(element => Element(fields, element)).OfType<JsonNode>()]),
        _ => live?.DeepClone(),
    };

    private static JsonNode? Element(JsonObject fields, JsonNode? element)
    {
        foreach (var (key, below) in fields)
        {
            if (key.StartsWith("v:", StringComparison.Ordinal) && JsonNode.DeepEquals(JsonNode.Parse(key[2..]), element))
                return element!.DeepClone();
            if (!key.StartsWith("k:", StringComparison.Ordinal) || element is not JsonObject map || JsonNode.Parse(key[2..]) is not JsonObject keys
                || !keys.All(pair => JsonNode.DeepEquals(pair.Value, map[pair.Key])))
                continue;
            // A key that is not ours was filled in by the API, as it will be again.
            return Extract((JsonObject)below!, map);
        }

        return null;
    }

    private static void Merge(JsonObject into, JsonObject part)
    {
        foreach (var (key, value) in part)
        {
            if (into[key] is JsonObject there && value is JsonObject more)
                Merge(there, more);
            else
                into[key] = value?.DeepClone();
        }
    }
}
