using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Specification;

/// <summary>JSON Schemas (draft 2020-12) of everything that people write, so that editors complete and check it. Made from the shapes that
/// the readers use; what looks at several values at once (sums, dependencies, ranges in ranges) is checked by the readers alone.</summary>
public static class SpecificationSchema
{
    private const string NamePattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

    /// <summary>The schema of <c>platform.yaml</c>.</summary>
    /// <param name="catalog">Gives the components and their parameters; without it, any may be named.</param>
    public static JsonObject Platform(ComponentCatalog? catalog = null) =>
        Document("Platform", PlatformShape.Platform(catalog), partial: true);

    /// <summary>The schema of <c>environments/*.yaml</c>. Only the keys that say what the file is are required: the rest may come from <c>platform.yaml</c>.</summary>
    /// <param name="catalog">Gives the components and their parameters; without it, any may be named.</param>
    public static JsonObject Environment(ComponentCatalog? catalog = null) =>
        Document("Environment", PlatformShape.Overlay(catalog), partial: true);

    /// <summary>The schema of <c>component.yaml</c>.</summary>
    public static JsonObject Component() => Document("Component", ComponentShape.Component, partial: false);

    private static JsonObject Document(string title, MapShape shape, bool partial)
    {
        var document = new JsonObject { ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = title };
        foreach (var (key, value) in Map(shape, partial, required: true))
            document[key] = value?.DeepClone();
        return document;
    }

    /// <param name="partial">Whether what is required inside may also come from another file, so that its absence is no mistake here.</param>
    private static JsonObject Of(Shape shape, bool partial) => shape switch
    {
        MapShape map => Map(map, partial, required: !partial),
        TableShape { Known: { } known } table => With(table, "object", ("properties", Properties(known.Select(pair => (pair.Key, Of(pair.Value, partial))))), ("additionalProperties", false)),
        TableShape table => With(table, "object", ("propertyNames", new JsonObject { ["pattern"] = NamePattern }), ("additionalProperties", Of(table.Value, partial))),
        WordsShape words => With(words, "object", ("additionalProperties", Of(words.Value, partial))),
        ListShape list => With(list, "array", ("items", Of(list.Item, partial))),
        IntegerShape integer => With(integer, "integer",
            ("minimum", integer.Minimum == long.MinValue ? null : integer.Minimum), ("maximum", integer.Maximum == long.MaxValue ? null : integer.Maximum)),
        BooleanShape => With(shape, "boolean"),
        DurationShape duration => Duration(duration),
        QuantityShape => new JsonObject
        {
            ["description"] = shape.Summary,
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = "string", ["pattern"] = Units.QuantityPatternText },
                new JsonObject { ["type"] = "number", ["minimum"] = 0 }),
        },
        CronShape => With(shape, "string", ("pattern", @"^\s*\S+(\s+\S+){4}\s*$")),
        TextShape text => Text(text),
        _ => new JsonObject { ["description"] = shape.Summary },
    };

    private static JsonObject Map(MapShape map, bool partial, bool required)
    {
        var names = map.Keys.Where(key => required && key.Required).Select(key => (JsonNode?)JsonValue.Create(key.Name)).ToArray();
        return With(map, "object",
            ("properties", Properties(map.Keys.Select(key => (key.Name, WithDefault(Of(key.Shape, partial), key.Default))))),
            ("required", names.Length == 0 ? null : new JsonArray(names)),
            ("additionalProperties", false));
    }

    private static JsonObject Duration(DurationShape duration)
    {
        var bounds = (duration.Minimum, duration.Maximum) switch
        {
            (null, null) => "",
            ({ } minimum, null) => $" {Units.Format(minimum)} or more.",
            (null, { } maximum) => $" {Units.Format(maximum)} or less.",
            ({ } minimum, { } maximum) => $" {Units.Format(minimum)} to {Units.Format(maximum)}.",
        };
        var pattern = duration.ZeroWord is null ? Units.DurationPatternText : $"^{duration.ZeroWord}$|{Units.DurationPatternText}";
        return new()
        {
            ["description"] = $"{duration.Summary}{bounds}",
            ["type"] = "string",
            ["pattern"] = pattern,
            ["minLength"] = 1,
        };
    }

    /// <summary>Free text may look like a number or a truth value in YAML; the readers take it as it stands.</summary>
    private static JsonObject Text(TextShape text) => text switch
    {
        { Allowed: { Count: > 0 } allowed } => With(text, "string", ("enum", new JsonArray([.. allowed.Select(word => JsonValue.Create(word))]))),
        { Pattern: { } pattern } => With(text, "string", ("pattern", pattern)),
        _ => new JsonObject { ["description"] = text.Summary, ["type"] = new JsonArray("string", "number", "boolean") },
    };

    private static JsonObject Properties(IEnumerable<(string Name, JsonObject Schema)> properties) =>
        new(properties.Select(property => KeyValuePair.Create(property.Name, (JsonNode?)property.Schema)));

    private static JsonObject WithDefault(JsonObject schema, JsonNode? value)
    {
        if (value is not null)
            schema["default"] = value.DeepClone();
        return schema;
    }

    private static JsonObject With(Shape shape, string type, params ReadOnlySpan<(string Keyword, JsonNode? Value)> keywords)
    {
        var schema = new JsonObject { ["description"] = shape.Summary, ["type"] = type };
        foreach (var (keyword, value) in keywords)
        {
            if (value is not null)
                schema[keyword] = value;
        }

        return schema;
    }
}
