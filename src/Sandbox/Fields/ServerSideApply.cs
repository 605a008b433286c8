using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Fields;

/// <summary>Server-side apply: the writer states the fields that it wants and owns; what it no longer states goes, unless others own it too.</summary>
internal static class ServerSideApply
{
    /// <summary>The object as it is after the apply, with its managed fields.</summary>
    /// <param name="live">Null when there is none yet.</param>
    /// <param name="force">Takes fields over from other managers instead of refusing.</param>
    /// <exception cref="ApiFailure">409: others own fields that would get another value.</exception>
    public static JsonObject Apply(ResourceKind kind, JsonObject? live, JsonObject applied, Writer writer, bool force, string time)
    {
        var schema = new FieldSchema(kind);
        var managed = ManagedFields.Of(live);
        var wanted = FieldsOf.Object(schema, applied);
        var taken = Conflicts(schema, live, applied, wanted, managed, writer);
        if (taken.Count > 0 && !force)
            throw ApiFailure.FieldConflicts(kind, (string?)applied["metadata"]?["name"] ?? "", [.. taken.Select(conflict => (conflict.Manager, FieldSet.InWords(conflict.Path)))]);

        var merged = live is null ? (JsonObject)applied.DeepClone() : Merge(schema, live, applied, []);
        if (managed.Entries.FirstOrDefault(entry => entry.IsOf(writer, "Apply")) is { } before)
            Prune(schema, merged, before.Fields, wanted, managed, writer);
        var takenFields = new FieldSet();
        foreach (var (_, path) in taken)
            takenFields.Add(path);
        managed.Apply(wanted, takenFields, writer, time);
        managed.WriteTo(merged);
        return merged;
    }

    private static List<(string Manager, IReadOnlyList<string> Path)> Conflicts(
        FieldSchema schema, JsonObject? live, JsonObject applied, FieldSet wanted, ManagedFields managed, Writer writer)
    {
        if (live is null)
            return [];
        return [.. managed.Entries.Where(entry => !entry.IsOf(writer, "Apply"))
            .SelectMany(entry => entry.Fields.Intersect(wanted).Members()
                .Where(path => path[^1][0] == 'f' && !JsonNode.DeepEquals(FieldsOf.Value(schema, live, path), FieldsOf.Value(schema, applied, path)))
                .Select(path => (Name(entry), path)))];
    }

    private static string Name(ManagedFields.Entry entry) => entry.Operation == "Apply"
        ? $"\"{entry.Manager}\""
        : $"\"{entry.Manager}\"{(entry.Subresource.Length > 0 ? $" with subresource \"{entry.Subresource}\"" : "")} using {entry.ApiVersion}";

    private static JsonObject Merge(FieldSchema schema, JsonObject live, JsonObject applied, IReadOnlyList<string> path)
    {
        var merged = (JsonObject)live.DeepClone();
        foreach (var (name, value) in applied)
            merged[name] = MergeValue(schema, live[name], value, [.. path, name]);
        return merged;
    }

    private static JsonNode? MergeValue(FieldSchema schema, JsonNode? live, JsonNode? applied, IReadOnlyList<string> path)
    {
        if (live is JsonObject liveMap && applied is JsonObject appliedMap && !schema.IsAtomicMap(path))
            return Merge(schema, liveMap, appliedMap, path);
        if (live is not JsonArray liveList || applied is not JsonArray appliedList || schema.ListAt(path) is not { } merge)
            return applied?.DeepClone();
        var merged = new JsonArray();
        var byName = appliedList.GroupBy(item => merge.NameOf(item) ?? "").ToDictionary(group => group.Key, group => group.Last());
        foreach (var item in liveList)
        {
            if (!byName.Remove(merge.NameOf(item) ?? "", out var stated))
                merged.Add(item?.DeepClone());
            else
                merged.Add(item is JsonObject fields && stated is JsonObject statedFields ? Merge(schema, fields, statedFields, path) : stated?.DeepClone());
        }

        foreach (var item in appliedList.Where(item => byName.Remove(merge.NameOf(item) ?? "")))
            merged.Add(item?.DeepClone());
        return merged;
    }

    /// <summary>Removes what the writer stated the last time and does not state any more, where nobody else states it.</summary>
    private static void Prune(FieldSchema schema, JsonObject merged, FieldSet before, FieldSet wanted, ManagedFields managed, Writer writer)
    {
        var others = managed.Entries.Where(entry => !entry.IsOf(writer, "Apply")).Aggregate(new FieldSet(), (all, entry) => all.Union(entry.Fields));
        foreach (var path in before.Except(wanted).Members())
        {
            if (others.Find(path) is { IsEmpty: false } || wanted.Find(path) is { IsEmpty: false } || IsKey(path))
                continue;
            RemoveAt(schema, merged, path);
            for (var parent = path.SkipLast(1).ToList(); parent.Count > 0 && parent[^1][0] == 'f'; parent.RemoveAt(parent.Count - 1))
            {
                if (FieldsOf.Value(schema, merged, parent) is not (JsonObject { Count: 0 } or JsonArray { Count: 0 }) || wanted.Find(parent) is { Member: true })
                    break;
                RemoveAt(schema, merged, parent);
            }
        }
    }

    /// <summary>What names an element goes with the element, never before it.</summary>
    private static bool IsKey(IReadOnlyList<string> path) =>
        path.Count > 1 && path[^2][0] == 'k' && path[^1][0] == 'f' && JsonNode.Parse(path[^2][2..])!.AsObject().ContainsKey(path[^1][2..]);

    private static void RemoveAt(FieldSchema schema, JsonObject root, IReadOnlyList<string> path)
    {
        var parent = FieldsOf.Value(schema, root, [.. path.SkipLast(1)]);
        if (parent is JsonObject map)
        {
            map.Remove(path[^1][2..]);
        }
        else if (parent is JsonArray list)
        {
            if (FieldsOf.Value(schema, root, path) is { } element)
                list.Remove(element);
        }
    }
}
