using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Kinds;
using PlatformOps.Sandbox.Reads;

namespace PlatformOps.Sandbox.Writes;

/// <summary>What a server refuses about an object itself; the words are those of a real one.</summary>
internal static partial class Validation
{
    private const string Subdomain =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    /// <exception cref="ApiFailure">422: all problems at once.</exception>
    public static void Check(ResourceKind kind, JsonObject value, JsonObject? live)
    {
        var problems = new List<FieldProblem>();
        CheckMetadata(kind, value, problems);
        if (kind.Custom)
        {
            if (kind.Schema is { } schema)
                problems.AddRange(CustomSchema.Check(schema, value, ""));
        }
        else
        {
            CheckBuiltIn(kind, value, problems);
            if (live is not null)
                problems.AddRange(ImmutableFields.Check(kind, value, live));
        }

        if (problems.Count > 0)
            throw ApiFailure.Invalid(kind, (string?)value["metadata"]?["name"] ?? "", problems);
    }

    private static void CheckMetadata(ResourceKind kind, JsonObject value, List<FieldProblem> problems)
    {
        var metadata = value["metadata"]!;
        var name = metadata["name"].Text() ?? "";
        // Names of roles may hold colons and capitals; those of the other kinds become parts of host names.
        if (kind.Group != "rbac.authorization.k8s.io" && (name.Length > 253 || !SubdomainPattern().IsMatch(name)))
            problems.Add(FieldProblem.Invalid("metadata.name", name, Subdomain));
        foreach (var (label, text) in metadata["labels"] as JsonObject ?? [])
        {
            if (!LabelName().IsMatch(label))
                problems.Add(FieldProblem.Invalid("metadata.labels", label, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
            if (text.Text() is not { } written || written.Length > 63 || !LabelValue().IsMatch(written))
                problems.Add(FieldProblem.Invalid("metadata.labels", text?.DeepClone(), "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
    }

    private static void CheckBuiltIn(ResourceKind kind, JsonObject value, List<FieldProblem> problems)
    {
        var spec = value["spec"] as JsonObject;
        switch (kind.Kind)
        {
            case "Pod":
                PodValidation.Check(spec, "spec", problems);
                break;
            case "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" or "Job":
                CheckWorkload(kind, spec, problems);
                break;
            case "CronJob":
                if (spec?["schedule"].Text() is not { Length: > 0 })
                    problems.Add(FieldProblem.Required("spec.schedule"));
                PodValidation.Check(spec?["jobTemplate"]?["spec"]?["template"]?["spec"] as JsonObject, "spec.jobTemplate.spec.template.spec", problems);
                break;
            case "Service":
                CheckService(spec, problems);
                break;
            case "PersistentVolumeClaim":
                if (spec?["accessModes"] is not JsonArray { Count: > 0 })
                    problems.Add(FieldProblem.Required("spec.accessModes", "at least 1 access mode is required"));
                if (spec?["resources"]?["requests"]?["storage"] is null)
                    problems.Add(FieldProblem.Required("spec.resources[storage]"));
                break;
            case "RoleBinding" or "ClusterRoleBinding":
                if (value["roleRef"]?["name"].Text() is not { Length: > 0 })
                    problems.Add(FieldProblem.Required("roleRef.name"));
                break;
            case "CustomResourceDefinition":
                CheckDefinition(value, spec, problems);
                break;
        }
    }

    private static void CheckWorkload(ResourceKind kind, JsonObject? spec, List<FieldProblem> problems)
    {
        if (spec?["replicas"] is { } replicas && replicas.Number() is < 0)
            problems.Add(FieldProblem.Invalid("spec.replicas", replicas.DeepClone(), "must be greater than or equal to 0"));
        var template = spec?["template"] as JsonObject;
        if (kind.Kind != "Job")
        {
            if (spec?["selector"] is not JsonObject selector || (selector["matchLabels"] is null && selector["matchExpressions"] is null))
                problems.Add(FieldProblem.Required("spec.selector"));
            else if (!LabelSelector.Of(selector).Matches(template?["metadata"]?["labels"] as JsonObject))
                problems.Add(FieldProblem.Invalid("spec.template.metadata.labels", template?["metadata"]?["labels"]?.DeepClone(), "`selector` does not match template `labels`"));
        }

        PodValidation.Check(template?["spec"] as JsonObject, "spec.template.spec", problems);
        var restart = template?["spec"]?["restartPolicy"].Text();
        if (kind.Kind == "Job" && restart is not ("OnFailure" or "Never"))
            problems.Add(FieldProblem.Required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\""));
        if (kind.Kind != "Job" && restart is not "Always")
            problems.Add(FieldProblem.NotSupported("spec.template.spec.restartPolicy", restart, ["Always"]));
    }

    private static void CheckService(JsonObject? spec, List<FieldProblem> problems)
    {
        var ports = PodDefaults.Objects(spec?["ports"]).ToList();
        if (ports.Count == 0 && spec?["type"].Text() != "ExternalName" && spec?["clusterIP"].Text() != "None")
            problems.Add(FieldProblem.Required("spec.ports"));
        foreach (var (port, index) in ports.Select((port, index) => (port, index)))
        {
            if (port["port"].Number() is not (>= 1 and <= 65535))
                problems.Add(FieldProblem.Invalid($"spec.ports[{index}].port", port["port"]?.DeepClone(), "must be between 1 and 65535, inclusive"));
            if (ports.Count > 1 && port["name"].Text() is not { Length: > 0 })
                problems.Add(FieldProblem.Required($"spec.ports[{index}].name"));
        }
    }

    private static void CheckDefinition(JsonObject value, JsonObject? spec, List<FieldProblem> problems)
    {
        var expected = $"{spec?["names"]?["plural"].Text()}.{spec?["group"].Text()}";
        if (value["metadata"]?["name"].Text() != expected)
            problems.Add(FieldProblem.Invalid("metadata.name", value["metadata"]?["name"]?.DeepClone(), $"must be spec.names.plural+\".\"+spec.group"));
        if (!PodDefaults.Objects(spec?["versions"]).Any(version => version["storage"]?.GetValueKind() == JsonValueKind.True))
            problems.Add(FieldProblem.Invalid("spec.versions", spec?["versions"]?.DeepClone(), "must have exactly one version marked as storage version"));
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    private static partial Regex SubdomainPattern();

    [GeneratedRegex("^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")]
    private static partial Regex LabelName();

    [GeneratedRegex("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]
    private static partial Regex LabelValue();
}
