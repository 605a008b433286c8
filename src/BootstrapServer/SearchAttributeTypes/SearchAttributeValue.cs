using System.Globalization;
using System.Text.Json;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.SearchAttributeTypes;

/// <summary>Whether the JSON value of a payload fits the type of its search attribute.</summary>
internal static class SearchAttributeValue
{
    public static string? Problem(string name, IndexedValueType type, Payload payload)
    {
        if (payload.Data.IsEmpty)
            return null; // takes the value away
        try
        {
            using var json = JsonDocument.Parse(payload.Data.Memory);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Null || Fits(type, root))
                return null;
            // A list of one value, or of none, is how some SDKs write a single value.
            if (type != IndexedValueType.KeywordList && root.ValueKind == JsonValueKind.Array && root.GetArrayLength() <= 1 && root.EnumerateArray().All(e => Fits(type, e)))
                return null;
            return $"invalid value for search attribute {name} of type {type}: {root.GetRawText()}";
        }
        catch (JsonException e)
        {
            return $"invalid value for search attribute {name} of type {type}: {e.Message}";
        }
    }

    private static bool Fits(IndexedValueType type, JsonElement value) => type switch
    {
        IndexedValueType.Bool => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        IndexedValueType.Int => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        IndexedValueType.Double => value.ValueKind == JsonValueKind.Number,
        IndexedValueType.Datetime => value.ValueKind == JsonValueKind.String
            && DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _),
        IndexedValueType.KeywordList => value.ValueKind == JsonValueKind.String
            || (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String)),
        _ => value.ValueKind == JsonValueKind.String,
    };
}
