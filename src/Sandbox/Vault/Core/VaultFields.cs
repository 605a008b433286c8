using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>Reads fields as loosely as Vault does: numbers and durations may be texts, lists may be texts with commas. Unknown fields are ignored.</summary>
internal static class VaultFields
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static string? String(this JsonObject fields, string name) => fields[name] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        JsonValue value when value.GetValueKind() is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.ToJsonString(),
        _ => throw Invalid(name, "string"),
    };

    public static string Required(this JsonObject fields, string name) =>
        fields.String(name) is { Length: > 0 } text ? text : throw VaultFailure.Rejected($"missing {name}");

    public static bool Flag(this JsonObject fields, string name, bool otherwise = false) => fields.String(name) is not { } text
        ? otherwise
        : bool.TryParse(text, out var flag) ? flag : throw Invalid(name, "bool");

    public static int? Integer(this JsonObject fields, string name) => fields.String(name) is not { } text
        ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Invalid(name, "int");

    public static IReadOnlyList<string>? Words(this JsonObject fields, string name) => fields[name] switch
    {
        null => null,
        JsonArray list => [.. list.Select(item => item.Text() ?? throw Invalid(name, "[]string"))],
        JsonValue value when value.Text() is { } text => [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
        _ => throw Invalid(name, "[]string"),
    };

    /// <summary>A duration: seconds as a number or text, or with units (<c>90s</c>, <c>1h30m</c>, <c>30d</c>).</summary>
    public static TimeSpan? Duration(this JsonObject fields, string name)
    {
        if (fields.String(name) is not { Length: > 0 } text)
            return null;
        if (long.TryParse(text, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(seconds);
        var total = TimeSpan.Zero;
        for (var at = 0; at < text.Length;)
        {
            var digits = text.AsSpan(at).IndexOfAnyExcept(Digits);
            if (digits <= 0 || !double.TryParse(text.AsSpan(at, digits), CultureInfo.InvariantCulture, out var number))
                throw Invalid(name, "duration");
            total += text[at + digits] switch
            {
                's' => TimeSpan.FromSeconds(number),
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                'd' => TimeSpan.FromDays(number),
                _ => throw Invalid(name, "duration"),
            };
            at += digits + 1;
        }

        return total;
    }

    public static long Seconds(TimeSpan duration) => (long)duration.TotalSeconds;

    public static JsonArray Array(IEnumerable<string> items) => new([.. items.Select(item => (JsonNode?)item)]);

    /// <summary>Only these fields of what was sent, over what was there: that is how Vault's roles and configurations are updated.</summary>
    public static JsonObject Merged(JsonObject? before, JsonObject sent, IReadOnlyDictionary<string, JsonNode?> known)
    {
        var merged = before is null ? [] : (JsonObject)before.DeepClone();
        foreach (var (name, otherwise) in known)
        {
            if (sent[name] is { } value)
                merged[name] = value.DeepClone();
            else if (!merged.ContainsKey(name))
                merged[name] = otherwise?.DeepClone();
        }

        return merged;
    }

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset? Moment(this JsonObject fields, string name) => fields.String(name) is { Length: > 0 } text
        ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : null;

    private static VaultFailure Invalid(string name, string type) =>
        VaultFailure.Rejected($"error converting input for field \"{name}\": expected type '{type}'");
}
