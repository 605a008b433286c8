using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Reads;

/// <summary>Chooses objects by some of their fields: name and namespace for every kind, and the few more that a server knows for some.</summary>
internal sealed class FieldSelector
{
    private static readonly Dictionary<string, string[]> More = new()
    {
        ["Pod"] = ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase", "status.podIP"],
        ["Namespace"] = ["status.phase"],
        ["Secret"] = ["type"],
        ["Service"] = ["spec.clusterIP", "spec.type"],
        ["Job"] = ["status.successful"],
        ["Event"] = ["involvedObject.kind", "involvedObject.name", "involvedObject.namespace", "involvedObject.uid", "reason", "type", "source"],
        ["Node"] = ["spec.unschedulable"],
        ["ReplicaSet"] = ["status.replicas"],
    };

    private readonly IReadOnlyList<(string[] Path, string Value, bool Negated)> requirements;

    private FieldSelector(IReadOnlyList<(string[] Path, string Value, bool Negated)> requirements) => this.requirements = requirements;

    public bool Matches(JsonObject value) => requirements.All(requirement =>
        (Text(requirement.Path.Aggregate((JsonNode?)value, (place, name) => place?[name])) == requirement.Value) != requirement.Negated);

    /// <exception cref="ApiFailure">400: it cannot be read, or the kind cannot be selected by that field.</exception>
    public static FieldSelector Parse(ResourceKind kind, string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return new([]);
        return new([.. text.Split(',').Select(part =>
        {
            var negated = part.Contains("!=", StringComparison.Ordinal);
            var sides = part.Split(negated ? "!=" : part.Contains("==", StringComparison.Ordinal) ? "==" : "=", 2);
            if (sides.Length != 2)
                throw ApiFailure.BadRequest($"invalid selector: '{text}'; can't understand '{part}'");
            var field = sides[0].Trim();
            if (field is not ("metadata.name" or "metadata.namespace") && !More.GetValueOrDefault(kind.Kind, []).Contains(field))
                throw ApiFailure.BadRequest($"field label not supported: {field}");
            return (field.Split('.'), sides[1].Trim(), negated);
        })]);
    }

    private static string Text(JsonNode? node) => node.Text() ?? node?.ToJsonString() ?? "";
}
