using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.External;

/// <summary>Reads fields of declarations and answers.</summary>
internal static class ExternalFields
{
    /// <summary>A text that a declaration has to have.</summary>
    public static string Need(this JsonObject declared, string kind, string field) =>
        declared.Word(field) ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{kind}: spec.{field} is missing: it says which object is meant. State it in the manifest.");

    /// <summary>The text; numbers as they are written; null for anything else.</summary>
    public static string? Word(this JsonNode? node, string field) => node is JsonObject map && map[field] is JsonValue value
        ? value.TryGetValue<string>(out var text) ? text.Length > 0 ? text : null : value.ToJsonString()
        : null;
}
