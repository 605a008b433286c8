using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>How the status of a resource is read, whatever its kind.</summary>
internal static class ResourceStatus
{
    /// <summary>The condition of a type, or null when the resource has none.</summary>
    public static JsonObject? Condition(JsonObject live, string type) =>
        (live["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(condition => (string?)condition["type"] == type);

    public static bool Is(JsonObject? condition, string status) => (string?)condition?["status"] == status;

    /// <summary>Whether what is said of the resource was said of an earlier declaration.</summary>
    /// <param name="observed">The generation that was looked at; null when the kind does not tell.</param>
    public static bool IsStale(JsonObject live, JsonNode? observed) => observed is not null && (long)observed < ((long?)live["metadata"]?["generation"] ?? 0);

    /// <summary><c>Reason: message</c> without the full stop, or what there is of it.</summary>
    public static string Said(JsonObject? condition) =>
        string.Join(": ", new[] { (string?)condition?["reason"], ((string?)condition?["message"])?.Trim().TrimEnd('.') }.Where(text => !string.IsNullOrEmpty(text))) is { Length: > 0 } said
            ? said : "no reason is given";

    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
