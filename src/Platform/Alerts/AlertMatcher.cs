using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Alerts;

/// <summary>One condition on a label, written and meant as in Alertmanager: <c>severity="critical"</c>, <c>!=</c>, <c>=~</c>, <c>!~</c>. A label that is missing is
/// empty; regular expressions match the whole value.</summary>
public sealed partial record AlertMatcher
{
    private readonly Regex? expression;

    private AlertMatcher(string label, string operation, string value)
    {
        (Label, Operation, Value) = (label, operation, value);
        if (operation is "=~" or "!~")
            expression = new($"^(?:{value})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }

    public string Label { get; }

    public string Operation { get; }

    public string Value { get; }

    /// <summary>Reads one condition.</summary>
    /// <param name="problem">What is wrong with it, when it is not one.</param>
    public static AlertMatcher? Parse(string text, out string? problem)
    {
        problem = null;
        var match = Form().Match(text);
        if (!match.Success)
        {
            problem = $"'{text}' is not a matcher; label=\"value\" is expected, with =, !=, =~ or !~";
            return null;
        }

        try
        {
            return new(match.Groups["label"].Value, match.Groups["operation"].Value, Unescape(match.Groups["value"].Value));
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            problem = $"'{match.Groups["value"].Value}' is not a regular expression that can be used: {failure.Message}";
            return null;
        }
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        var value = labels.GetValueOrDefault(Label, "");
        return Operation switch
        {
            "=" => value == Value,
            "!=" => value != Value,
            "=~" => expression!.IsMatch(value),
            _ => !expression!.IsMatch(value),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Label}{Operation}\"{Value}\"";

    /// <summary>As Alertmanager reads it: other backslashes stay, for regular expressions.</summary>
    private static string Unescape(string text) => Escape().Replace(text, found => found.Value[1] switch
    {
        'n' => "\n",
        _ => found.Value[1..],
    });

    [GeneratedRegex("""\\[\\"n]""")]
    private static partial Regex Escape();

    [GeneratedRegex("""^\s*(?<label>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?<operation>=~|!~|!=|=)\s*"(?<value>(?:[^"\\]|\\.)*)"\s*$""")]
    private static partial Regex Form();
}
