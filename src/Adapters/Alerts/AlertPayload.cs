using System.Globalization;
using System.Text.Json;

namespace PlatformOps.Adapters.Alerts;

/// <summary>Reads fields of a sender's JSON, with errors that name the field.</summary>
internal static class AlertPayload
{
    /// <exception cref="AdapterException">It is no JSON object.</exception>
    public static JsonElement Object(ReadOnlyMemory<byte> body, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new() { MaxDepth = 32 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw Wrong($"{what}: a JSON object is expected, not {document.RootElement.ValueKind}.");
        }
        catch (JsonException failure)
        {
            throw Wrong($"{what} is not JSON: {failure.Message}");
        }
    }

    public static string Text(JsonElement from, string name, string path) =>
        Optional(from, name, path) is { Length: > 0 } text ? text : throw Wrong($"{path}{name} is missing or empty; text is expected.");

    public static string? Optional(JsonElement from, string name, string path) => from.TryGetProperty(name, out var value)
        ? value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Null => null,
            _ => throw Wrong($"{path}{name} is {value.GetRawText()}; text is expected."),
        }
        : null;

    /// <summary>A time; null when it is missing, empty, or the zero time with which Go says "none".</summary>
    public static DateTimeOffset? Time(JsonElement from, string name, string path)
    {
        if (Optional(from, name, path) is not { Length: > 0 } text)
            return null;
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            throw Wrong($"{path}{name} is '{text}'; a time such as 2026-01-31T03:00:00Z is expected.");
        return time.Year <= 1 ? null : time;
    }

    /// <summary>A map of texts; empty when it is missing.</summary>
    public static Dictionary<string, string> Texts(JsonElement from, string name, string path)
    {
        if (!from.TryGetProperty(name, out var map) || map.ValueKind == JsonValueKind.Null)
            return [];
        if (map.ValueKind != JsonValueKind.Object)
            throw Wrong($"{path}{name} is {map.ValueKind}; an object of texts is expected.");
        return map.EnumerateObject().ToDictionary(
            pair => pair.Name,
            pair => pair.Value.ValueKind == JsonValueKind.String ? pair.Value.GetString()! : throw Wrong($"{path}{name}.{pair.Name} is {pair.Value.ValueKind}; text is expected."));
    }

    public static AdapterException Wrong(string message) => new(AdapterFailureKind.Rejected, message);
}
