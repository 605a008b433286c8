using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Yaml;

/// <summary>YAML nodes as JSON by YAML's core schema, the way Kubernetes reads manifests.</summary>
internal static class ManifestJson
{
    public static JsonNode? From(SourceNode node) => node switch
    {
        SourceMap map => new JsonObject(map.Entries.Select(entry => KeyValuePair.Create(entry.Key, From(entry.Value)))),
        SourceList list => new JsonArray([.. list.Items.Select(From)]),
        SourceScalar scalar => Scalar(scalar),
        _ => throw new InvalidOperationException($"No JSON for a {node.GetType().Name}."),
    };

    private static JsonValue? Scalar(SourceScalar scalar)
    {
        if (scalar.Quoted)
            return JsonValue.Create(scalar.Text);
        return scalar.Text switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) => JsonValue.Create(integer),
            _ when LooksLikeNumber(scalar.Text) && double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
            _ => JsonValue.Create(scalar.Text),
        };
    }

    private static bool LooksLikeNumber(string text) =>
        text.Contains('.', StringComparison.Ordinal) && text.All(c => char.IsAsciiDigit(c) || c is '.' or '-' or '+' or 'e' or 'E');
}
