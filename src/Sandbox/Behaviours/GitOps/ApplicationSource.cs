using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>One source of an Application: a chart of a repository, at a version, with values.</summary>
internal sealed record ApplicationSource(string Repository, string Chart, string Version, string Release, JsonObject Values)
{
    public static IReadOnlyList<ApplicationSource> Of(ClusterObject application) =>
        [.. Bodies(application).Select(body => Read(application, body))];

    /// <summary>As they are written, of an Application with one source or with several.</summary>
    public static IEnumerable<JsonNode> Bodies(ClusterObject application) => application.Spec.Items("sources").Any()
        ? application.Spec.Items("sources")
        : application.Spec.At("source") is { } source ? [source] : [];

    /// <summary>The value at a dotted path, or null.</summary>
    public JsonNode? Value(string path) => path.Split('.').Aggregate((JsonNode?)Values, (node, field) => node.At(field));

    /// <summary>The name that most charts give what they install.</summary>
    public string FullName(int longest)
    {
        var name = Values.Text("fullnameOverride") is { Length: > 0 } given ? given
            : Release.Contains(Chart, StringComparison.Ordinal) ? Release : $"{Release}-{Chart}";
        return name[..Math.Min(name.Length, longest)].TrimEnd('-');
    }

    private static ApplicationSource Read(ClusterObject application, JsonNode body)
    {
        var helm = body.At("helm");
        var values = helm.Fields("valuesObject")?.Copy() ?? (helm.Text("values") is { } text ? YamlText.Read(text) as JsonObject : null) ?? [];
        foreach (var parameter in helm.Items("parameters"))
            Set(values, (parameter.Text("name") ?? "").Split('.'), Typed(parameter));
        return new(body.Text("repoURL") ?? "", body.Text("chart") ?? body.Text("path") ?? "", body.Text("targetRevision") ?? "",
            helm.Text("releaseName") is { Length: > 0 } release ? release : application.Name, values);
    }

    private static JsonNode? Typed(JsonNode parameter) =>
        parameter.Flag("forceString") ? parameter.Text("value") : YamlText.Read(parameter.Text("value") ?? "");

    private static void Set(JsonObject values, ReadOnlySpan<string> path, JsonNode? value)
    {
        if (path.Length == 1)
        {
            values[path[0]] = value;
            return;
        }
        if (values.Fields(path[0]) is not { } inner)
            values[path[0]] = inner = [];
        Set(inner, path[1..], value);
    }
}
