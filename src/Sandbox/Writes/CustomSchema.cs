using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Sandbox.Api;

namespace PlatformOps.Sandbox.Writes;

/// <summary>What a structural schema does to a custom object: unknown fields go, defaults come, and the rest is checked.</summary>
internal static class CustomSchema
{
    /// <summary>Removes unknown fields and fills in defaults, in place.</summary>
    public static void Fill(JsonObject schema, JsonObject value)
    {
        if (schema["properties"] is not JsonObject properties)
            return;
        foreach (var name in value.Select(field => field.Key).Where(name => name is not ("apiVersion" or "kind" or "metadata")).ToList())
        {
            if (properties[name] is null && !Keeps(schema))
                value.Remove(name);
        }

        foreach (var (name, declared) in properties.Where(entry => entry.Key is not ("apiVersion" or "kind" or "metadata")))
        {
            if (declared is JsonObject field)
                value[name] = FillValue(field, value[name]);
            if (value[name] is null)
                value.Remove(name);
        }
    }

    public static IEnumerable<FieldProblem> Check(JsonObject schema, JsonNode? value, string path)
    {
        if (value is null)
            yield break;
        if (schema["type"].Text() is { } type && !HasType(value, type, (bool?)schema["x-kubernetes-int-or-string"] == true))
        {
            yield return new(path, "FieldValueTypeInvalid", $"Invalid value: {value.ToJsonString()}: {path} in body must be of type {type}: {value.ToJsonString()}");
            yield break;
        }

        foreach (var problem in value switch
        {
            JsonObject map => CheckMap(schema, map, path),
            JsonArray list => CheckList(schema, list, path),
            _ => CheckScalar(schema, value, path),
        })
        {
            yield return problem;
        }
    }

    private static JsonNode? FillValue(JsonObject schema, JsonNode? value)
    {
        value = (value ?? schema["default"])?.DeepClone();
        switch (value)
        {
            case JsonObject map when schema["properties"] is not null:
                Fill(schema, map);
                break;
            case JsonObject map when schema["additionalProperties"] is JsonObject items:
                foreach (var (name, item) in map.ToList())
                    map[name] = FillValue(items, item);
                break;
            case JsonArray list when schema["items"] is JsonObject items:
                for (var index = 0; index < list.Count; index++)
                    list[index] = FillValue(items, list[index]);
                break;
        }

        return value;
    }

    private static bool Keeps(JsonObject schema) =>
        (bool?)schema["x-kubernetes-preserve-unknown-fields"] == true || schema["additionalProperties"] is not null;

    private static bool HasType(JsonNode value, string type, bool intOrString) => value.GetValueKind() switch
    {
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string" || intOrString,
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.Number => type == "number" || (value.Number() is not null && (type == "integer" || intOrString)),
        _ => true,
    };

    private static IEnumerable<FieldProblem> CheckMap(JsonObject schema, JsonObject map, string path)
    {
        foreach (var name in (schema["required"] as JsonArray ?? []).Select(name => (string)name!).Where(name => map[name] is null))
            yield return FieldProblem.Required($"{path}.{name}".TrimStart('.'));
        foreach (var (name, item) in map)
        {
            if ((schema["properties"]?[name] ?? schema["additionalProperties"]) is not JsonObject declared)
                continue;
            foreach (var problem in Check(declared, item, $"{path}.{name}".TrimStart('.')))
                yield return problem;
        }
    }

    private static IEnumerable<FieldProblem> CheckList(JsonObject schema, JsonArray list, string path)
    {
        if (schema["maxItems"].Number() is { } most && list.Count > most)
            yield return new(path, "FieldValueTooMany", $"Too many: {list.Count}: must have at most {most} items");
        foreach (var (item, index) in list.Select((item, index) => (item, index)))
        {
            if (schema["items"] is not JsonObject declared)
                continue;
            foreach (var problem in Check(declared, item, $"{path}[{index}]"))
                yield return problem;
        }
    }

    private static IEnumerable<FieldProblem> CheckScalar(JsonObject schema, JsonNode value, string path)
    {
        if (schema["enum"] is JsonArray allowed && !allowed.Any(item => JsonNode.DeepEquals(item, value)))
            yield return FieldProblem.NotSupported(path, value, allowed.Select(item => item.Text() ?? item!.ToJsonString()));
        if (value.Text() is { } text)
        {
            if (schema["pattern"].Text() is { } pattern && !Regex.IsMatch(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1)))
                yield return FieldProblem.Invalid(path, value, $"{path} in body should match '{pattern}'");
            if (schema["minLength"].Number() is { } least && text.Length < least)
                yield return FieldProblem.Invalid(path, value, $"{path} in body should be at least {least} chars long");
            if (schema["maxLength"].Number() is { } longest && text.Length > longest)
                yield return FieldProblem.Invalid(path, value, $"{path} in body should be at most {longest} chars long");
        }
        else if (value.GetValueKind() == JsonValueKind.Number)
        {
            var number = double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
            if (schema["minimum"] is { } minimum && number < double.Parse(minimum.ToJsonString(), CultureInfo.InvariantCulture))
                yield return FieldProblem.Invalid(path, value, $"{path} in body should be greater than or equal to {minimum.ToJsonString()}");
            if (schema["maximum"] is { } maximum && number > double.Parse(maximum.ToJsonString(), CultureInfo.InvariantCulture))
                yield return FieldProblem.Invalid(path, value, $"{path} in body should be less than or equal to {maximum.ToJsonString()}");
        }
    }
}
