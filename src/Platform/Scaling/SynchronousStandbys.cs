using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Scaling;

/// <summary>What PostgreSQL's <c>synchronous_standby_names</c> says.</summary>
public static partial class SynchronousStandbys
{
    /// <summary>How many standbys a commit waits for (https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-SYNCHRONOUS-STANDBY-NAMES).</summary>
    /// <param name="names">The setting, which the server has accepted.</param>
    public static int Needed(string names) =>
        string.IsNullOrWhiteSpace(names) ? 0
        : Counted().Match(names) is { Success: true } counted ? int.Parse(counted.Groups["count"].ValueSpan, CultureInfo.InvariantCulture)
        : 1;

    /// <summary><c>ANY 2 (...)</c>, <c>FIRST 2 (...)</c> and <c>2 (...)</c>; a list without a number means the first of it.</summary>
    [GeneratedRegex(@"^\s*(?:(?:ANY|FIRST)\s+)?(?<count>[0-9]+)\s*\(", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Counted();
}
