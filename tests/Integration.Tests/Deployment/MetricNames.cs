using System.Text.RegularExpressions;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>Which metrics an expression of Prometheus asks for. Also compiled into the tests of the catalog.</summary>
internal static partial class MetricNames
{
    private static readonly string[] Words = ["and", "or", "unless", "by", "on", "without", "ignoring", "group_left", "group_right", "bool", "offset", "Inf", "NaN"];

    /// <summary>What is left of an expression without labels, functions, words and durations.</summary>
    public static IEnumerable<string> In(string expression) =>
        Identifier().Matches(Grouping().Replace(Labels().Replace(expression, " "), " ")).Where(match => match.Groups[2].Length == 0).Select(match => match.Groups[1].Value).Except(Words).Distinct();

    /// <summary>Selectors by labels, texts, ranges of time.</summary>
    [GeneratedRegex("\\{[^}]*\\}|\"[^\"]*\"|\\[[^\\]]*\\]")]
    private static partial Regex Labels();

    [GeneratedRegex("\\b(by|on|without|ignoring|group_left|group_right)\\s*\\([^)]*\\)")]
    private static partial Regex Grouping();

    [GeneratedRegex("(?<![0-9A-Za-z_:])([A-Za-z_][A-Za-z0-9_:]*)(\\s*\\()?")]
    private static partial Regex Identifier();
}
