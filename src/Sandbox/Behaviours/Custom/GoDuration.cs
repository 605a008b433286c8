using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.Sandbox.Behaviours.Custom;

/// <summary>Durations as custom kinds write them: <c>2160h</c>, <c>1h30m</c>, <c>45s</c>.</summary>
internal static partial class GoDuration
{
    /// <summary>Null for what is missing or none.</summary>
    public static TimeSpan? Read(string? text)
    {
        if (string.IsNullOrEmpty(text) || !Whole().IsMatch(text))
            return null;
        return Part().Matches(text).Aggregate(TimeSpan.Zero, (sum, part) =>
            sum + double.Parse(part.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * (part.Groups[2].Value switch
            {
                "h" => TimeSpan.FromHours(1),
                "m" => TimeSpan.FromMinutes(1),
                "s" => TimeSpan.FromSeconds(1),
                _ => TimeSpan.FromMilliseconds(1),
            }));
    }

    [GeneratedRegex(@"^(\d+(\.\d+)?(h|ms|m|s))+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"(\d+(?:\.\d+)?)(h|ms|m|s)")]
    private static partial Regex Part();
}
