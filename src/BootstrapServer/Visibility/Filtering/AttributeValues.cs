using System.Globalization;
using System.Text.Json;
using PlatformOps.BootstrapServer.SearchAttributeTypes;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>
/// Search attribute values as they are compared: <see cref="string"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>,
/// <see cref="DateTimeOffset"/>, and a list of strings.
/// </summary>
internal static class AttributeValues
{
    public static int Compare(object left, object right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        (long a, double b) => ((double)a).CompareTo(b),
        (IComparable a, _) => a.CompareTo(right),
        _ => throw new InvalidOperationException($"A {left.GetType().Name} has no order."),
    };

    /// <summary>The value that a payload holds, or null when it holds none of that type.</summary>
    public static object? Decode(Payload payload, IndexedValueType type)
    {
        if (payload.Data.IsEmpty || SearchAttributeValue.Problem("", type, payload) is not null)
            return null;
        using var json = JsonDocument.Parse(payload.Data.Memory);
        var value = json.RootElement;
        if (type == IndexedValueType.KeywordList)
            return value.ValueKind == JsonValueKind.Null ? null : Strings(value);
        if (value.ValueKind == JsonValueKind.Array)
        {
            if (value.GetArrayLength() == 0)
                return null;
            value = value[0];
        }
        return value.ValueKind == JsonValueKind.Null ? null : Single(value, type);
    }

    private static object? Single(JsonElement value, IndexedValueType type) => type switch
    {
        IndexedValueType.Bool => value.GetBoolean(),
        IndexedValueType.Int => value.GetInt64(),
        IndexedValueType.Double => value.GetDouble(),
        IndexedValueType.Datetime => DateTimeOffset.Parse(value.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
        _ => value.GetString(),
    };

    private static string[]? Strings(JsonElement value)
    {
        string[] all = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(e => e.GetString()!)] : [value.GetString()!];
        return all.Length == 0 ? null : all;
    }
}
