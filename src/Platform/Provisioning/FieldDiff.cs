using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Compares what we declare with what is there. Fields that we do not declare (defaults of the API server, status, what others set) never differ.</summary>
public static class FieldDiff
{
    private const int LongestShown = 120;

    /// <summary>The fields to change, sorted by path: declared ones that differ, and ones that we own and no longer declare.</summary>
    public static IReadOnlyList<FieldChange> Compare(JsonObject desired, JsonObject live)
    {
        // Values of Secrets are neither compared nor shown: whoever creates them sets them once.
        if ((string?)desired["kind"] == "Secret")
            return [];
        var changes = new List<FieldChange>();
        CompareMaps(desired, live, "", changes);
        changes.AddRange(Removals(desired, live));
        return [.. changes.DistinctBy(change => change.Path).OrderBy(change => change.Path, StringComparer.Ordinal)];
    }

    /// <summary>The part of a live object that a declaration speaks of: what a plan relies on.</summary>
    public static JsonNode? Project(JsonNode? desired, JsonNode? live, string path = "") => (desired, live) switch
    {
        (JsonObject wanted, JsonObject there) => new JsonObject(wanted
            .Where(pair => there.ContainsKey(pair.Key) && !IsOurSignature(FieldPath.Field(path, pair.Key)))
            .Select(pair => KeyValuePair.Create(pair.Key, Project(pair.Value, there[pair.Key], FieldPath.Field(path, pair.Key))))),
        (JsonArray wanted, JsonArray there) when wanted.Count > 0 && wanted.All(element => FieldPath.ElementKey(path, element) is not null) =>
            new JsonArray([.. Keyed(there, path).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair =>
                wanted.FirstOrDefault(element => FieldPath.ElementKey(path, element) == pair.Key) is { } counterpart
                    ? Project(counterpart, pair.Value, path + pair.Key)
                    : JsonValue.Create(pair.Key))]),
        (JsonArray wanted, JsonArray there) when wanted.Count == there.Count =>
            new JsonArray([.. wanted.Zip(there, (left, right) => Project(left, right, path + "[]"))]),
        _ => live?.DeepClone(),
    };

    internal static bool IsOurSignature(string path) =>
        path is $"metadata.annotations.{Ownership.OperationIdAnnotation}" or $"metadata.annotations.{Ownership.CreatedByAnnotation}";

    private static void CompareMaps(JsonObject desired, JsonObject live, string path, List<FieldChange> changes)
    {
        foreach (var (key, wanted) in desired)
        {
            var at = FieldPath.Field(path, key);
            if (wanted is null || IsOurSignature(at) || at == "status")
                continue;
            if (live[key] is { } there)
                CompareNodes(wanted, there, at, changes);
            else if (!IsEmpty(wanted))
                changes.Add(new(at, null, Show(wanted)));
        }
    }

    private static void CompareNodes(JsonNode wanted, JsonNode there, string path, List<FieldChange> changes)
    {
        switch (wanted, there)
        {
            case (JsonObject wantedMap, JsonObject thereMap):
                CompareMaps(wantedMap, thereMap, path, changes);
                break;
            case (JsonArray wantedList, JsonArray thereList):
                CompareLists(wantedList, thereList, path, changes);
                break;
            default:
                if (!SameValue(wanted, there, path))
                    changes.Add(new(path, Show(there), Show(wanted)));
                break;
        }
    }

    private static void CompareLists(JsonArray wanted, JsonArray there, string path, List<FieldChange> changes)
    {
        if (wanted.Count > 0 && wanted.All(element => FieldPath.ElementKey(path, element) is not null))
        {
            var elements = Keyed(there, path).ToLookup(pair => pair.Key, pair => pair.Value);
            foreach (var element in wanted)
            {
                var key = FieldPath.ElementKey(path, element)!;
                if (elements[key].FirstOrDefault() is { } counterpart)
                    CompareNodes(element!, counterpart, path + key, changes);
                else
                    changes.Add(new(path + key, null, Show(element!)));
            }

            return;
        }

        var inside = new List<FieldChange>();
        if (wanted.Count == there.Count)
        {
            foreach (var (left, right) in wanted.Zip(there))
            {
                if (left is not null && right is not null)
                    CompareNodes(left, right, path + "[]", inside);
            }
        }

        // A list without merge keys is replaced as a whole, so it is shown as a whole.
        if (wanted.Count != there.Count || inside.Count > 0)
            changes.Add(new(path, Show(there), Show(wanted)));
    }

    private static IEnumerable<FieldChange> Removals(JsonObject desired, JsonObject live)
    {
        var declared = new HashSet<string>();
        Flatten(desired, "", declared);
        return new OwnedFields(live).Ours
            .Where(owned => !IsOurSignature(owned) && !declared.Contains(owned)
                && !declared.Any(path => OwnedFields.IsBelow(path, owned) || OwnedFields.IsBelow(owned, path)))
            .Select(owned => new FieldChange(owned, "set", null));
    }

    /// <summary>Paths of all leaves; lists without merge keys and empty containers are leaves.</summary>
    private static void Flatten(JsonNode? node, string path, HashSet<string> paths)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                foreach (var (key, value) in map)
                    Flatten(value, FieldPath.Field(path, key), paths);
                break;
            case JsonArray { Count: > 0 } list when list.All(element => FieldPath.ElementKey(path, element) is not null):
                foreach (var element in list)
                    Flatten(element, path + FieldPath.ElementKey(path, element), paths);
                break;
            default:
                paths.Add(path);
                break;
        }
    }

    private static IEnumerable<(string Key, JsonNode Value)> Keyed(JsonArray list, string path) =>
        list.OfType<JsonNode>().Select(element => (FieldPath.ElementKey(path, element) ?? element.ToJsonString(), element));

    private static bool SameValue(JsonNode wanted, JsonNode there, string path)
    {
        if (JsonNode.DeepEquals(wanted, there))
            return true;
        if (Quantity.IsQuantityField(path) && Quantity.TryParse(FieldPath.Text(wanted), out var left) && Quantity.TryParse(FieldPath.Text(there), out var right))
            return left == right;
        return wanted is JsonValue number && there is JsonValue other
            && number.TryGetValue<double>(out var wantedNumber) && other.TryGetValue<double>(out var thereNumber) && wantedNumber.Equals(thereNumber);
    }

    private static bool IsEmpty(JsonNode node) => node is JsonObject { Count: 0 } or JsonArray { Count: 0 };

    private static string Show(JsonNode node)
    {
        var text = FieldPath.Text(node);
        return text.Length <= LongestShown && !text.Contains('\n', StringComparison.Ordinal)
            ? text
            : $"{text.Length} characters, SHA-256 {CanonicalJson.Digest(text)[..12]}";
    }
}
