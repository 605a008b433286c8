using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Yaml;

/// <summary>Durations and quantities with their units, in text and in one normal form each.</summary>
public static partial class Units
{
    /// <summary>Reads <c>90s</c>, <c>15m</c>, <c>1h30m</c>, <c>30d</c>, <c>250ms</c>, <c>0s</c>. A unit is required.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var match = DurationPattern().Match(text);
        if (!match.Success || text.Length == 0)
            return false;
        foreach (Capture part in match.Groups[1].Captures)
        {
            var unitAt = part.Value.IndexOfAny(['d', 'h', 'm', 's']);
            if (!long.TryParse(part.ValueSpan[..unitAt], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 100_000_000)
                return false;
            duration += part.Value[unitAt..] switch
            {
                "d" => TimeSpan.FromDays(number),
                "h" => TimeSpan.FromHours(number),
                "m" => TimeSpan.FromMinutes(number),
                "s" => TimeSpan.FromSeconds(number),
                _ => TimeSpan.FromMilliseconds(number),
            };
        }

        return true;
    }

    /// <summary>The normal form: days, hours, minutes, seconds and milliseconds, largest first, zero parts left out.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
            return "0s";
        (int Number, string Unit)[] parts =
            [(duration.Days, "d"), (duration.Hours, "h"), (duration.Minutes, "m"), (duration.Seconds, "s"), (duration.Milliseconds, "ms")];
        return string.Concat(parts.Where(part => part.Number != 0).Select(part => part.Number.ToString(CultureInfo.InvariantCulture) + part.Unit));
    }

    /// <summary>Whether the text is a Kubernetes quantity such as <c>500m</c>, <c>2</c>, <c>1.5</c>, <c>64Mi</c>, <c>10G</c>.</summary>
    public static bool IsQuantity(string text) => QuantityPattern().IsMatch(text);

    [GeneratedRegex("^(?:([0-9]+(?:d|h|ms|m|s)))+$")]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$")]
    private static partial Regex QuantityPattern();
}
