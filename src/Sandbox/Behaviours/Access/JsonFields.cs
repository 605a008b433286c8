using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>Reads fields of objects, of which any may be missing.</summary>
internal static class JsonFields
{
    public static JsonNode? At(this JsonNode? node, string field) =>
        node is JsonObject fields && fields.TryGetPropertyValue(field, out var value) ? value : null;

    public static string? Text(this JsonNode? node, string field) =>
        node.At(field) is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    /// <summary>The number, or null when it is missing or no whole number.</summary>
    public static int? Number(this JsonNode? node, string field) =>
        node.At(field) is { } value && value.GetValueKind() == JsonValueKind.Number
            && int.TryParse(value.ToJsonString(), out var number) ? number : null;

    public static bool Flag(this JsonNode? node, string field) => node.At(field)?.GetValueKind() == JsonValueKind.True;

    public static JsonObject? Fields(this JsonNode? node, string field) => node.At(field) as JsonObject;

    /// <summary>The elements of a list; none when it is missing.</summary>
    public static IEnumerable<JsonNode> Items(this JsonNode? node, string field) =>
        node.At(field) is JsonArray items ? items.OfType<JsonNode>() : [];

    /// <summary>The element of a list whose <paramref name="key"/> is <paramref name="value"/>.</summary>
    public static JsonObject? Item(this JsonNode? node, string field, string key, string value) =>
        node.Items(field).FirstOrDefault(item => item.Text(key) == value) as JsonObject;

    public static DateTimeOffset? Time(this JsonNode? node, string field) =>
        DateTimeOffset.TryParse(node.Text(field), null, System.Globalization.DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    public static JsonObject Copy(this JsonObject node) => (JsonObject)node.DeepClone();

    /// <summary>A list of the nodes, or of copies of those that are part of something.</summary>
    public static JsonArray ToJson(this IEnumerable<JsonNode> items) => new([.. items.Select(item => item.Parent is null ? item : item.DeepClone())]);

    /// <summary>A time as Kubernetes writes it: whole seconds.</summary>
    public static string Stamp(this DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
