using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Catalog;

/// <summary>The <c>${name}</c> in manifests. <c>$${</c> stands for a literal <c>${</c>.</summary>
internal static partial class Placeholders
{
    public static IEnumerable<string> NamesIn(string text) =>
        Pattern().Matches(text).Where(match => match.Groups["name"].Success).Select(match => match.Groups["name"].Value);

    /// <summary>The name when the whole text is one placeholder: then the value keeps its type.</summary>
    public static string? Whole(string text) =>
        WholePattern().Match(text) is { Success: true } match ? match.Groups["name"].Value : null;

    public static string Replace(string text, Func<string, string> value) =>
        Pattern().Replace(text, match => match.Groups["name"].Success ? value(match.Groups["name"].Value) : "${");

    [GeneratedRegex(@"\$\$\{|\$\{(?<name>[A-Za-z][A-Za-z0-9]*)\}")]
    private static partial Regex Pattern();

    [GeneratedRegex(@"^\$\{(?<name>[A-Za-z][A-Za-z0-9]*)\}$")]
    private static partial Regex WholePattern();
}
