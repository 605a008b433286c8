using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Fields;

/// <summary>Strategic merge patch: like a merge patch, but lists whose elements have a name are merged by it; with the directives
/// <c>$patch</c>, <c>$retainKeys</c>, <c>$setElementOrder</c> and <c>$deleteFromPrimitiveList</c>.</summary>
internal static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string Order = "$setElementOrder/";
    private const string Delete = "$deleteFromPrimitiveList/";

    /// <exception cref="ApiFailure">415: the kind is a custom one; 400: an element lacks its name.</exception>
    public static JsonObject Apply(ResourceKind kind, JsonObject target, JsonObject patch)
    {
        if (kind.Custom)
            throw ApiFailure.UnsupportedMediaType("application/strategic-merge-patch+json");
        return Merge(new(kind), target, patch, []);
    }

    private static JsonObject Merge(FieldSchema schema, JsonObject target, JsonObject patch, IReadOnlyList<string> path)
    {
        if ((string?)patch[Directive] == "replace")
            return WithoutDirectives(patch);
        var merged = (JsonObject)target.DeepClone();
        if (patch[RetainKeys] is JsonArray retained)
        {
            var names = retained.Select(name => (string)name!).ToHashSet();
            foreach (var name in merged.Select(field => field.Key).Where(name => !names.Contains(name)).ToList())
                merged.Remove(name);
        }

        foreach (var (name, value) in patch.Where(field => field.Key.StartsWith(Delete, StringComparison.Ordinal)))
            RemoveScalars(merged[name[Delete.Length..]] as JsonArray, value!.AsArray());
        foreach (var (name, value) in patch.Where(field => field.Key[0] != '$'))
        {
            if (value is null)
                merged.Remove(name);
            else
                merged[name] = MergeValue(schema, merged[name], value, patch[Order + name] as JsonArray, [.. path, name]);
        }

        return merged;
    }

    private static JsonNode MergeValue(FieldSchema schema, JsonNode? target, JsonNode patch, JsonArray? order, IReadOnlyList<string> path)
    {
        if (patch is JsonObject map)
            return Merge(schema, target as JsonObject ?? [], map, path);
        if (patch is not JsonArray list || schema.ListAt(path) is not { } merge)
            return patch.DeepClone();
        if (merge.IsSet)
            return new JsonArray([.. (target as JsonArray ?? []).Concat(list).Select(item => item!.ToJsonString()).Distinct().Select(text => JsonNode.Parse(text))]);
        var merged = MergeElements(schema, target as JsonArray ?? [], list, merge.Keys[0], path);
        return order is null ? merged : Sorted(merged, order, merge.Keys[0]);
    }

    private static JsonArray MergeElements(FieldSchema schema, JsonArray target, JsonArray patch, string key, IReadOnlyList<string> path)
    {
        if (patch.OfType<JsonObject>().Any(item => (string?)item[Directive] == "replace"))
            return new([.. patch.OfType<JsonObject>().Where(item => item[Directive] is null).Select(WithoutDirectives)]);
        var merged = (JsonArray)target.DeepClone();
        foreach (var item in patch.OfType<JsonObject>())
        {
            if (item[key] is null)
                throw ApiFailure.BadRequest($"map: {item.ToJsonString()} does not contain declared merge key: {key}");
            var there = merged.FirstOrDefault(element => JsonNode.DeepEquals(element?[key], item[key]));
            if ((string?)item[Directive] == "delete")
                merged.Remove(there);
            else if (there is JsonObject element)
                merged[merged.IndexOf(there)] = Merge(schema, element, item, path);
            else
                merged.Add(Merge(schema, [], item, path));
        }

        return merged;
    }

    private static JsonArray Sorted(JsonArray list, JsonArray order, string key)
    {
        int Place(JsonNode? item)
        {
            var place = order.ToList().FindIndex(wanted => JsonNode.DeepEquals(wanted?[key], item?[key]));
            return place < 0 ? int.MaxValue : place;
        }

        return new([.. list.OrderBy(Place).Select(item => item?.DeepClone())]);
    }

    private static void RemoveScalars(JsonArray? list, JsonArray gone)
    {
        foreach (var item in gone)
        {
            if (list?.FirstOrDefault(element => JsonNode.DeepEquals(element, item)) is { } found)
                list.Remove(found);
        }
    }

    private static JsonObject WithoutDirectives(JsonObject map) =>
        new(map.Where(field => field.Key[0] != '$').Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
}
