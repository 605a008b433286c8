using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Fields;

/// <summary>Reads field sets from objects, and values at their paths.</summary>
internal static class FieldsOf
{
    /// <summary>Never owned by anybody: the object's identity and what the server keeps.</summary>
    private static readonly HashSet<string> Unowned =
        ["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "name", "namespace", "resourceVersion", "selfLink", "uid"];

    /// <summary>The fields that an object states.</summary>
    public static FieldSet Object(FieldSchema schema, JsonObject value)
    {
        var set = new FieldSet();
        foreach (var (name, child) in value)
        {
            if (name is "apiVersion" or "kind" || child is null)
                continue;
            if (name != "metadata")
                Collect(schema, set.At($"f:{name}"), child, [name]);
            else
                CollectMap(schema, set.At("f:metadata"), new(child.AsObject().Where(field => !Unowned.Contains(field.Key)).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone()))), ["metadata"]);
        }

        return set;
    }

    /// <summary>The value at a path of a field set; null also when there is none.</summary>
    public static JsonNode? Value(FieldSchema schema, JsonNode? root, IReadOnlyList<string> path)
    {
        var value = root;
        List<string> names = [];
        foreach (var step in path)
        {
            if (step.StartsWith("f:", StringComparison.Ordinal))
            {
                names.Add(step[2..]);
                value = value is JsonObject map ? map[step[2..]] : null;
            }
            else
            {
                value = value is JsonArray list && schema.ListAt(names) is { } merge ? list.FirstOrDefault(item => merge.NameOf(item) == step) : null;
            }
        }

        return value;
    }

    private static void Collect(FieldSchema schema, FieldSet place, JsonNode? value, IReadOnlyList<string> path)
    {
        if (value is JsonObject { Count: > 0 } map && !schema.IsAtomicMap(path))
            CollectMap(schema, place, map, path);
        else if (value is JsonArray { Count: > 0 } list && schema.ListAt(path) is { } merge)
            CollectList(schema, place, list, merge, path);
        else
            place.Member = true;
    }

    private static void CollectMap(FieldSchema schema, FieldSet place, JsonObject map, IReadOnlyList<string> path)
    {
        foreach (var (name, child) in map)
        {
            if (child is not null)
                Collect(schema, place.At($"f:{name}"), child, [.. path, name]);
        }
    }

    private static void CollectList(FieldSchema schema, FieldSet place, JsonArray list, ListMerge merge, IReadOnlyList<string> path)
    {
        foreach (var element in list)
        {
            if (merge.NameOf(element) is not { } name)
                continue;
            var child = place.At(name);
            child.Member = true;
            if (element is JsonObject fields)
                CollectMap(schema, child, fields, path);
        }
    }
}
