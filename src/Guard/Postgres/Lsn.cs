using System.Globalization;

namespace PlatformOps.Guard.Postgres;

/// <summary>Places in the write-ahead log: <c>16/B374D848</c> and bytes.</summary>
internal static class Lsn
{
    /// <summary>The size of a segment file; guards initialise clusters with it.</summary>
    public const long SegmentBytes = 16 * 1024 * 1024;

    public static long? Parse(string? text) => text?.Split('/') is [var high, var low]
        && long.TryParse(high, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var upper) && long.TryParse(low, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var lower)
        ? (upper << 32) + lower : null;

    public static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 32:X}/{bytes & 0xFFFFFFFF:X}");

    /// <summary>The segment file that holds a place.</summary>
    public static string Segment(int timeline, long bytes)
    {
        var number = bytes / SegmentBytes;
        return string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}{number / 256:X8}{number % 256:X8}");
    }
}

/// <summary>What <c>pg_controldata</c> writes.</summary>
internal static class ControlData
{
    public static string? Of(string said, string field) =>
        said.Split('\n').FirstOrDefault(line => line.StartsWith(field + ":", StringComparison.Ordinal)) is { } line ? line[(field.Length + 1)..].Trim() : null;
}
