using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>Whether labels answer a selector of matchLabels and matchExpressions.</summary>
internal static class LabelQuery
{
    /// <summary>An empty or missing selector selects nothing, as for workloads.</summary>
    public static bool Selects(JsonNode? selector, JsonObject labels)
    {
        var wanted = selector.Fields("matchLabels");
        var expressions = selector.Items("matchExpressions").ToList();
        if (wanted is not { Count: > 0 } && expressions.Count == 0)
            return false;
        return Contains(labels, wanted) && expressions.All(expression => Holds(expression, labels));
    }

    /// <summary>Whether every wanted label is there with that value.</summary>
    public static bool Contains(JsonObject labels, JsonObject? wanted) =>
        wanted is null || wanted.All(label => labels.Text(label.Key) is { } value && value == label.Value?.GetValue<string>());

    /// <summary>One requirement: In, NotIn, Exists or DoesNotExist; and, for nodes, Gt and Lt.</summary>
    public static bool Holds(JsonNode expression, JsonObject labels)
    {
        var actual = labels.Text(expression.Text("key") ?? "");
        var values = expression.Items("values").Select(value => value.GetValue<string>()).ToList();
        return expression.Text("operator") switch
        {
            "In" => actual is not null && values.Contains(actual),
            "NotIn" => actual is null || !values.Contains(actual),
            "Exists" => actual is not null,
            "DoesNotExist" => actual is null,
            "Gt" => long.TryParse(actual, out var number) && number > long.Parse(values[0]),
            "Lt" => long.TryParse(actual, out var number) && number < long.Parse(values[0]),
            _ => false,
        };
    }
}
