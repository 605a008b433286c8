using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>A <c>LabelSelector</c> of a Kubernetes object: <c>matchLabels</c> and <c>matchExpressions</c>, all of which have to hold. Source: the API's reference of <c>meta/v1</c>.</summary>
public sealed class LabelSelector
{
    private readonly IReadOnlyList<Requirement> requirements;

    private LabelSelector(IReadOnlyList<Requirement> requirements) => this.requirements = requirements;

    private sealed record Requirement(string Label, string Operator, IReadOnlyList<string> Values);

    /// <summary>Reads one.</summary>
    /// <param name="selector">As it stands in an object.</param>
    /// <returns>Null when there is none, which selects nothing; an empty one selects everything.</returns>
    public static LabelSelector? Of(JsonNode? selector) => selector is JsonObject given
        ? new([
            .. (given["matchLabels"] as JsonObject ?? []).Select(label => new Requirement(label.Key, "In", [ResourceStatus.Text(label.Value) ?? ""])),
            .. (given["matchExpressions"] as JsonArray ?? []).OfType<JsonObject>().Select(expression => new Requirement(
                ResourceStatus.Text(expression["key"]) ?? "", ResourceStatus.Text(expression["operator"]) ?? "", [.. (expression["values"] as JsonArray ?? []).Select(value => ResourceStatus.Text(value) ?? "")])),
        ])
        : null;

    /// <summary>Whether an object, or a template of pods, carries labels that it selects.</summary>
    /// <param name="item">With <c>metadata</c>; null is one without labels.</param>
    public bool Selects(JsonNode? item)
    {
        var labels = item?["metadata"]?["labels"];
        return requirements.All(requirement =>
        {
            var value = ResourceStatus.Text(labels?[requirement.Label]);
            return requirement.Operator switch
            {
                "In" => value is not null && requirement.Values.Contains(value),
                "NotIn" => value is null || !requirement.Values.Contains(value),
                "Exists" => value is not null,
                "DoesNotExist" => value is null,
                _ => throw new FormatException($"\"{requirement.Operator}\" is no operator of a label selector. Known: In, NotIn, Exists, DoesNotExist."),
            };
        });
    }

    /// <summary>As a list's query says it, for example <c>app=web,tier in (a,b),!old</c>.</summary>
    public override string ToString() => string.Join(',', requirements.Select(requirement => requirement switch
    {
        { Operator: "In", Values: [var only] } => $"{requirement.Label}={only}",
        { Operator: "Exists" } => requirement.Label,
        { Operator: "DoesNotExist" } => $"!{requirement.Label}",
        _ => $"{requirement.Label} {requirement.Operator.ToLowerInvariant()} ({string.Join(',', requirement.Values)})",
    }));
}
