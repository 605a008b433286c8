using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Backups;

/// <summary>One piece of PostgreSQL's log.</summary>
/// <param name="Timeline">Every promotion begins another one.</param>
/// <param name="Number">Its position in the log, counted in segments.</param>
public readonly partial record struct WalSegment(uint Timeline, ulong Number)
{
    /// <summary>PostgreSQL's default, 16 MiB.</summary>
    public const long DefaultSize = 16 * 1024 * 1024;

    /// <summary>Reads the name of an archived file, which may have a checksum and the ending of a compression after it. Null: it is something else, for example a history or an unfinished segment.</summary>
    /// <param name="size">Of a segment, in bytes.</param>
    public static WalSegment? Parse(string name, long size = DefaultSize)
    {
        var match = Name().Match(name[(name.LastIndexOf('/') + 1)..]);
        return !match.Success ? null : new(Part(match, 1), (Part(match, 2) * PerFile(size)) + Part(match, 3));
    }

    /// <summary>The segment in which a position of the log lies.</summary>
    /// <param name="position">As PostgreSQL writes it, for example <c>16/B374D848</c>.</param>
    public static ulong NumberAt(string position, long size = DefaultSize)
    {
        var parts = position.Split('/');
        return ((ulong.Parse(parts[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) << 32) | ulong.Parse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)) / (ulong)size;
    }

    /// <summary>As PostgreSQL names its file.</summary>
    public string FileName(long size = DefaultSize) => $"{Timeline:X8}{Number / PerFile(size):X8}{Number % PerFile(size):X8}";

    private static ulong PerFile(long size) => 0x1_0000_0000UL / (ulong)size;

    private static uint Part(Match match, int group) => uint.Parse(match.Groups[group].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>pgBackRest adds <c>-checksum.ending</c>. A <c>.partial</c> one ends where its timeline does, and does not count.</summary>
    [GeneratedRegex(@"^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(-[0-9a-f]{40})?(\.(gz|lz4|zst|bz2))?$")]
    private static partial Regex Name();
}
