using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Catalog;

/// <summary>The <c>when</c> of a manifest: <c>flag</c>, <c>!flag</c>, <c>name == value</c>, <c>name != value</c>.</summary>
/// <param name="Expected">The value to compare with; <c>true</c> for a flag.</param>
/// <param name="Negated">Whether the comparison must not hold.</param>
internal sealed partial record Condition(string Parameter, string Expected, bool Negated)
{
    /// <summary>Null when the text is no condition.</summary>
    public static Condition? Parse(string text)
    {
        if (FlagPattern().Match(text) is { Success: true } flag)
            return new(flag.Groups["name"].Value, "true", flag.Groups["not"].Length > 0);
        if (ComparisonPattern().Match(text) is { Success: true } comparison)
            return new(comparison.Groups["name"].Value, comparison.Groups["value"].Value, comparison.Groups["operator"].Value == "!=");
        return null;
    }

    public bool Holds(Func<string, string> valueOf) => (valueOf(Parameter) == Expected) != Negated;

    /// <summary>Whether the two can never hold together.</summary>
    public bool Excludes(Condition other) => Parameter == other.Parameter && (Negated, other.Negated) switch
    {
        (false, false) => Expected != other.Expected,
        (true, true) => false,
        _ => Expected == other.Expected,
    };

    [GeneratedRegex("^(?<not>!?)(?<name>[A-Za-z][A-Za-z0-9]*)$")]
    private static partial Regex FlagPattern();

    [GeneratedRegex("^(?<name>[A-Za-z][A-Za-z0-9]*) *(?<operator>==|!=) *(?<value>[^ ]+)$")]
    private static partial Regex ComparisonPattern();
}
