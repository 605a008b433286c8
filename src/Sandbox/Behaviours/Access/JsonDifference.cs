using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>
/// Compares what is with what should be. A server may leave out what is empty (0, false, "", {}, []), so empty and missing are the same here.
/// </summary>
internal static class JsonDifference
{
    /// <summary>The merge patch that makes the named fields what they should be; empty when they are.</summary>
    public static JsonObject Patch(JsonObject current, JsonObject desired)
    {
        var patch = new JsonObject();
        foreach (var (field, value) in desired)
            if (!Same(current.At(field), value))
                patch[field] = value?.DeepClone();
        return patch;
    }

    /// <summary>As <see cref="Patch"/>, and what is in a named field beyond what it should be goes.</summary>
    public static JsonObject Replacement(JsonObject current, JsonObject desired)
    {
        var patch = new JsonObject();
        foreach (var (field, value) in desired)
        {
            var before = current.At(field);
            if (Same(before, value))
                continue;
            patch[field] = before is JsonObject old && value is JsonObject wanted ? Replacement(old, WithGone(old, wanted)) : value?.DeepClone();
        }
        return patch;
    }

    /// <summary>The merge patch that gives an object what it should have, and leaves alone whatever else it has; empty when it has all.</summary>
    public static JsonObject Addition(JsonObject current, JsonObject desired)
    {
        var patch = new JsonObject();
        foreach (var (field, value) in desired)
        {
            var before = current.At(field);
            if (before is JsonObject old && value is JsonObject wanted)
            {
                if (Addition(old, wanted) is { Count: > 0 } inner)
                    patch[field] = inner;
            }
            else if (!Has(before, value))
            {
                patch[field] = value?.DeepClone();
            }
        }
        return patch;
    }

    public static bool Same(JsonNode? left, JsonNode? right)
    {
        if (ReferenceEquals(left, right))
            return true;
        if (IsEmpty(left) || IsEmpty(right))
            return IsEmpty(left) && IsEmpty(right);
        return (left, right) switch
        {
            (JsonObject a, JsonObject b) => a.All(field => Same(field.Value, b.At(field.Key)))
                && b.All(field => a.ContainsKey(field.Key) || IsEmpty(field.Value)),
            (JsonArray a, JsonArray b) => a.Count == b.Count && a.Zip(b).All(pair => Same(pair.First, pair.Second)),
            _ => JsonNode.DeepEquals(left, right),
        };
    }

    private static JsonObject WithGone(JsonObject before, JsonObject wanted)
    {
        var all = wanted.Copy();
        foreach (var (field, _) in before)
            if (!all.ContainsKey(field))
                all[field] = null;
        return all;
    }

    // What a server fills in beside what was written does not count.
    private static bool Has(JsonNode? current, JsonNode? wanted) => (current, wanted) switch
    {
        (JsonObject a, JsonObject b) => b.All(field => Has(a.At(field.Key), field.Value)),
        (JsonArray a, JsonArray b) => a.Count == b.Count && a.Zip(b).All(pair => Has(pair.First, pair.Second)),
        _ => Same(current, wanted),
    };

    private static bool IsEmpty(JsonNode? node) => node switch
    {
        null => true,
        JsonObject fields => fields.All(field => IsEmpty(field.Value)),
        JsonArray items => items.Count == 0,
        _ => node.GetValueKind() switch
        {
            JsonValueKind.False or JsonValueKind.Null => true,
            JsonValueKind.Number => node.ToJsonString() == "0",
            JsonValueKind.String => node.GetValue<string>().Length == 0,
            _ => false,
        },
    };
}
