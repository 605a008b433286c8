using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Writes;

/// <summary>Brings quantities to the one form in which a server stores them: <c>1000m</c> becomes <c>1</c>, <c>1024Mi</c> becomes <c>1Gi</c>.</summary>
internal static class Quantities
{
    private static readonly HashSet<string> Maps = ["capacity", "default", "defaultRequest", "hard", "limits", "max", "min", "overhead", "requests", "allocatable"];

    private static readonly (string Suffix, decimal Factor)[] Binary =
        [("Ei", 1L << 60), ("Pi", 1L << 50), ("Ti", 1L << 40), ("Gi", 1L << 30), ("Mi", 1L << 20), ("Ki", 1L << 10), ("", 1)];

    private static readonly (string Suffix, decimal Factor)[] Decimal =
        [("E", 1e18m), ("P", 1e15m), ("T", 1e12m), ("G", 1e9m), ("M", 1e6m), ("k", 1e3m), ("", 1m), ("m", 1e-3m), ("u", 1e-6m), ("n", 1e-9m)];

    /// <summary>Normalises every quantity of a built-in object in place.</summary>
    public static void Normalise(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list)
                Normalise(item);
        }
        else if (node is JsonObject map)
        {
            foreach (var (name, value) in map.ToList())
            {
                if (name == "sizeLimit" && Canonical(value) is { } size)
                    map[name] = size;
                else if (Maps.Contains(name) && value is JsonObject quantities)
                    NormaliseMap(quantities);
                else if (name is not ("data" or "annotations" or "labels" or "stringData" or "matchLabels"))
                    Normalise(value);
            }
        }
    }

    /// <summary>The canonical text; null when it is no quantity.</summary>
    public static string? Canonical(JsonNode? value)
    {
        var text = value is JsonValue ? value.Text() ?? value.ToJsonString() : null;
        if (text is null || Parse(text) is not { } parsed)
            return null;
        var (number, binary) = parsed;
        // Binary quantities below 1024 and fractions of it are written as decimals.
        var suffixes = binary && Math.Abs(number) >= 1024 && number == decimal.Truncate(number) ? Binary : Decimal;
        foreach (var (suffix, factor) in suffixes)
        {
            if (number != 0 && number % factor == 0)
                return (number / factor).ToString("0", CultureInfo.InvariantCulture) + suffix;
        }

        return number == 0 ? "0" : text;
    }

    private static void NormaliseMap(JsonObject quantities)
    {
        foreach (var (name, value) in quantities.ToList())
        {
            if (Canonical(value) is { } canonical)
                quantities[name] = canonical;
        }
    }

    private static (decimal Number, bool Binary)? Parse(string text)
    {
        foreach (var (suffix, factor) in Binary.Where(entry => entry.Suffix.Length > 0))
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
                return Number(text[..^suffix.Length]) is { } number ? (number * factor, true) : null;
        }

        foreach (var (suffix, factor) in Decimal.Where(entry => entry.Suffix.Length > 0))
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
                return Number(text[..^suffix.Length]) is { } number ? (number * factor, false) : null;
        }

        return Number(text) is { } plain ? (plain, false) : null;
    }

    private static decimal? Number(string text) => decimal.TryParse(
        text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number) ? number : null;
}
