using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Yaml;

/// <summary>Durations and quantities with their units, and one normal form of each: two texts of the same meaning have the same normal form.</summary>
public static partial class Units
{
    /// <summary>The longest duration that is accepted; nothing that we wait for or keep lasts longer.</summary>
    public static readonly TimeSpan MaximumDuration = TimeSpan.FromDays(36_500);

    internal const string DurationPatternText = "^(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?(?:[0-9]+ms)?$";

    internal const string QuantityPatternText = @"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$";

    private static readonly Dictionary<string, BigInteger> Thousandths = new()
    {
        ["m"] = 1,
        [""] = 1000,
        ["k"] = BigInteger.Pow(1000, 2),
        ["M"] = BigInteger.Pow(1000, 3),
        ["G"] = BigInteger.Pow(1000, 4),
        ["T"] = BigInteger.Pow(1000, 5),
        ["P"] = BigInteger.Pow(1000, 6),
        ["E"] = BigInteger.Pow(1000, 7),
        ["Ki"] = 1000 * BigInteger.Pow(1024, 1),
        ["Mi"] = 1000 * BigInteger.Pow(1024, 2),
        ["Gi"] = 1000 * BigInteger.Pow(1024, 3),
        ["Ti"] = 1000 * BigInteger.Pow(1024, 4),
        ["Pi"] = 1000 * BigInteger.Pow(1024, 5),
        ["Ei"] = 1000 * BigInteger.Pow(1024, 6),
    };

    private static readonly string[] DecimalUnits = ["E", "P", "T", "G", "M", "k", "", "m"];
    private static readonly string[] BinaryUnits = ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"];

    /// <summary>Reads <c>90s</c>, <c>15m</c>, <c>1h30m</c>, <c>30d</c>, <c>250ms</c>, largest unit first. Every number needs its unit.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Length == 0 || !DurationPattern().IsMatch(text))
            return false;
        var total = BigInteger.Zero;
        foreach (Match part in DurationPart().Matches(text))
        {
            total += BigInteger.Parse(part.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) * part.Groups[2].Value switch
            {
                "d" => TimeSpan.TicksPerDay,
                "h" => TimeSpan.TicksPerHour,
                "m" => TimeSpan.TicksPerMinute,
                "s" => TimeSpan.TicksPerSecond,
                _ => TimeSpan.TicksPerMillisecond,
            };
        }

        if (total > MaximumDuration.Ticks)
            return false;
        duration = TimeSpan.FromTicks((long)total);
        return true;
    }

    /// <summary>The normal form, for example <c>1h30m</c>. Hours are the largest unit, so that programs which know no days read it too.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
            return "0s";
        (long Number, string Unit)[] parts =
        [
            (duration.Ticks / TimeSpan.TicksPerHour, "h"), (duration.Minutes, "m"), (duration.Seconds, "s"), (duration.Milliseconds, "ms"),
        ];
        return string.Concat(parts.Where(part => part.Number != 0).Select(part => part.Number.ToString(CultureInfo.InvariantCulture) + part.Unit));
    }

    /// <summary>Reads a Kubernetes quantity such as <c>500m</c>, <c>2</c>, <c>1.5</c>, <c>2Gi</c> and gives its normal form: the largest
    /// unit that leaves a whole number, binary units staying binary (<c>1024Mi</c> is <c>1Gi</c>, <c>0.5</c> is <c>500m</c>).</summary>
    public static bool TryNormaliseQuantity(string text, out string normal)
    {
        normal = "";
        var match = QuantityPattern().Match(text);
        if (!match.Success || text.Length > 32)
            return false;
        var unit = match.Groups[2].Value;
        var fraction = match.Groups[1].Value.TrimStart('.');
        var number = match.Groups[1].Success ? text[..match.Groups[1].Index] : text[..^unit.Length];
        var scaled = BigInteger.Parse(number + fraction, CultureInfo.InvariantCulture) * Thousandths[unit];
        var thousandths = BigInteger.DivRem(scaled, BigInteger.Pow(10, fraction.Length), out var rest);
        if (!rest.IsZero)
            return false;
        var units = unit.EndsWith('i') ? BinaryUnits.Concat(DecimalUnits) : DecimalUnits;
        var best = units.First(candidate => (thousandths % Thousandths[candidate]).IsZero && (!thousandths.IsZero || candidate.Length == 0));
        normal = (thousandths / Thousandths[best]).ToString(CultureInfo.InvariantCulture) + best;
        return true;
    }

    [GeneratedRegex(DurationPatternText + @"\z")]
    private static partial Regex DurationPattern();

    [GeneratedRegex("([0-9]+)(ms|d|h|m|s)")]
    private static partial Regex DurationPart();

    [GeneratedRegex(QuantityPatternText + @"\z")]
    private static partial Regex QuantityPattern();
}
