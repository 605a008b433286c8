using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Sandbox.Api;

namespace PlatformOps.Sandbox.Reads;

/// <summary>Chooses objects by their labels.</summary>
internal sealed partial class LabelSelector
{
    private readonly IReadOnlyList<Requirement> requirements;

    private LabelSelector(IReadOnlyList<Requirement> requirements) => this.requirements = requirements;

    private enum Operator
    {
        In,
        NotIn,
        Exists,
        DoesNotExist,
    }

    private sealed record Requirement(string Label, Operator Operator, IReadOnlyList<string> Values)
    {
        public bool Holds(JsonObject? labels)
        {
            var value = labels?[Label].Text();
            return Operator switch
            {
                Operator.In => value is not null && Values.Contains(value),
                Operator.NotIn => value is null || !Values.Contains(value),
                Operator.Exists => value is not null,
                _ => value is null,
            };
        }
    }

    public bool IsEmpty => requirements.Count == 0;

    public bool Matches(JsonObject? labels) => requirements.All(requirement => requirement.Holds(labels));

    /// <summary>Reads the text of a query: <c>a=b,c!=d,e in (f,g),h notin (i),j,!k</c>.</summary>
    /// <exception cref="ApiFailure">400: it cannot be read.</exception>
    public static LabelSelector Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return new([]);
        return new([.. OutsideParentheses().Split(text).Select(part => ParseRequirement(part.Trim(), text))]);
    }

    /// <summary>Reads a <c>LabelSelector</c> of an object.</summary>
    public static LabelSelector Of(JsonObject selector) => new(
    [
        .. (selector["matchLabels"] as JsonObject ?? []).Select(label => new Requirement(label.Key, Operator.In, [label.Value.Text() ?? ""])),
        .. (selector["matchExpressions"] as JsonArray ?? []).OfType<JsonObject>().Select(expression => new Requirement(
            (string)expression["key"]!, Enum.Parse<Operator>((string)expression["operator"]!), [.. (expression["values"] as JsonArray ?? []).Select(value => (string)value!)])),
    ]);

    private static Requirement ParseRequirement(string part, string whole)
    {
        if (SetPattern().Match(part) is { Success: true } set)
            return new(set.Groups[1].Value, set.Groups[2].Value == "in" ? Operator.In : Operator.NotIn, [.. set.Groups[3].Value.Split(',').Select(value => value.Trim())]);
        if (EqualityPattern().Match(part) is { Success: true } equality)
            return new(equality.Groups[1].Value, equality.Groups[2].Value == "!=" ? Operator.NotIn : Operator.In, [equality.Groups[3].Value]);
        if (ExistencePattern().Match(part) is { Success: true } existence)
            return new(existence.Groups[2].Value, existence.Groups[1].Length > 0 ? Operator.DoesNotExist : Operator.Exists, []);
        throw ApiFailure.BadRequest($"unable to parse requirement: found '{part}' in label selector '{whole}'");
    }

    [GeneratedRegex(@",(?![^(]*\))")]
    private static partial Regex OutsideParentheses();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_./]*)\s+(in|notin)\s*\(([^)]*)\)$")]
    private static partial Regex SetPattern();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_./]*)\s*(==|=|!=)\s*([-A-Za-z0-9_.]*)$")]
    private static partial Regex EqualityPattern();

    [GeneratedRegex(@"^(!?)\s*([A-Za-z0-9][-A-Za-z0-9_./]*)$")]
    private static partial Regex ExistencePattern();
}
