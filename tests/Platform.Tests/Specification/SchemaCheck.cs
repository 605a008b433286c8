using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Tests.Specification;

/// <summary>Checks JSON against the keywords of JSON Schema that our schemas use; an unknown keyword fails the test.</summary>
internal static class SchemaCheck
{
    private static readonly string[] Known =
    [
        "$schema", "title", "description", "default", "type", "properties", "required", "additionalProperties", "propertyNames", "pattern", "minLength",
        "enum", "items", "minimum", "maximum", "anyOf",
    ];

    public static IReadOnlyList<string> Violations(JsonObject schema, JsonNode? value, string path = "")
    {
        Assert.Empty(schema.Select(keyword => keyword.Key).Except(Known));
        var found = new List<string>();
        if (schema["anyOf"] is JsonArray choices && choices.All(choice => Violations((JsonObject)choice!, value, path).Count > 0))
            found.Add($"{path}: none of anyOf");
        if (schema["type"] is { } type && !(type is JsonArray types ? types.Any(one => IsOf((string)one!, value)) : IsOf((string)type!, value)))
            return [$"{path}: not {type.ToJsonString()}"];
        if (schema["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value)))
            found.Add($"{path}: not in enum");
        if (value is JsonValue text && text.GetValueKind() == JsonValueKind.String)
            found.AddRange(OfText(schema, (string)text!, path));
        if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number
            && (Number(number) < Number(schema["minimum"] ?? double.MinValue) || Number(number) > Number(schema["maximum"] ?? double.MaxValue)))
            found.Add($"{path}: out of range");
        if (value is JsonObject map)
            found.AddRange(OfMap(schema, map, path));
        if (value is JsonArray list && schema["items"] is JsonObject item)
            found.AddRange(list.SelectMany((element, index) => Violations(item, element, $"{path}[{index}]")));
        return found;
    }

    private static IEnumerable<string> OfText(JsonObject schema, string text, string path)
    {
        if (schema["pattern"] is { } pattern && !Regex.IsMatch(text, (string)pattern!, RegexOptions.ECMAScript))
            yield return $"{path}: pattern";
        if (text.Length < ((int?)schema["minLength"] ?? 0))
            yield return $"{path}: minLength";
    }

    private static IEnumerable<string> OfMap(JsonObject schema, JsonObject map, string path)
    {
        foreach (var missing in (schema["required"]?.AsArray() ?? []).Select(name => (string)name!).Where(name => !map.ContainsKey(name)))
            yield return $"{path}.{missing}: required";
        foreach (var (key, value) in map)
        {
            var property = schema["properties"]?[key] ?? schema["additionalProperties"];
            if (schema["propertyNames"] is JsonObject names && Violations(names, key, path).Count > 0)
                yield return $"{path}.{key}: propertyNames";
            if (property is JsonValue allowed && !(bool)allowed)
                yield return $"{path}.{key}: additional";
            foreach (var inside in property is JsonObject shape ? Violations(shape, value, $"{path}.{key}") : [])
                yield return inside;
        }
    }

    private static double Number(JsonNode node) => double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);

    private static bool IsOf(string type, JsonNode? value) => (type, value?.GetValueKind()) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) => true,
        ("boolean", JsonValueKind.True or JsonValueKind.False) or ("number", JsonValueKind.Number) => true,
        ("integer", JsonValueKind.Number) => double.IsInteger(Number(value!)),
        _ => false,
    };
}
