using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;

namespace PlatformOps.Sandbox.Writes;

/// <summary>What a server refuses about a pod's specification.</summary>
internal static class PodValidation
{
    public static void Check(JsonObject? pod, string path, List<FieldProblem> problems)
    {
        var containers = PodDefaults.Objects(pod?["containers"]).ToList();
        if (containers.Count == 0)
            problems.Add(FieldProblem.Required($"{path}.containers"));
        var volumes = PodDefaults.Objects(pod?["volumes"]).Select(volume => volume["name"].Text()).ToList();
        var names = new HashSet<string>();
        CheckContainers(containers, $"{path}.containers", volumes, names, problems);
        CheckContainers([.. PodDefaults.Objects(pod?["initContainers"])], $"{path}.initContainers", volumes, names, problems);
        foreach (var (volume, index) in volumes.Select((volume, index) => (volume, index)).Where(entry => volumes.IndexOf(entry.volume) != entry.index))
            problems.Add(FieldProblem.Duplicate($"{path}.volumes[{index}].name", volume));
    }

    private static void CheckContainers(List<JsonObject> containers, string path, List<string?> volumes, HashSet<string> names, List<FieldProblem> problems)
    {
        foreach (var (container, index) in containers.Select((container, index) => (container, index)))
        {
            var here = $"{path}[{index}]";
            if (container["name"].Text() is not { Length: > 0 } name)
                problems.Add(FieldProblem.Required($"{here}.name"));
            else if (!names.Add(name))
                problems.Add(FieldProblem.Duplicate($"{here}.name", name));
            if (container["image"].Text() is not { Length: > 0 })
                problems.Add(FieldProblem.Required($"{here}.image"));
            foreach (var (port, place) in PodDefaults.Objects(container["ports"]).Select((port, place) => (port, place)))
            {
                if (port["containerPort"].Number() is not (>= 1 and <= 65535))
                    problems.Add(FieldProblem.Invalid($"{here}.ports[{place}].containerPort", port["containerPort"]?.DeepClone(), "must be between 1 and 65535, inclusive"));
            }

            foreach (var (mount, place) in PodDefaults.Objects(container["volumeMounts"]).Select((mount, place) => (mount, place)))
            {
                // Claims of a StatefulSet become volumes of its pods; they are not listed in its template.
                if (mount["name"].Text() is { } volume && !volumes.Contains(volume) && !path.StartsWith("spec.template", StringComparison.Ordinal))
                    problems.Add(new($"{here}.volumeMounts[{place}].name", "FieldValueNotFound", $"Not found: \"{volume}\""));
            }

            CheckResources(container, here, problems);
        }
    }

    private static void CheckResources(JsonObject container, string here, List<FieldProblem> problems)
    {
        foreach (var part in new[] { "limits", "requests" })
        {
            foreach (var (name, quantity) in container["resources"]?[part] as JsonObject ?? [])
            {
                if (Quantities.Canonical(quantity) is null)
                    problems.Add(FieldProblem.Invalid($"{here}.resources.{part}[{name}]", quantity?.DeepClone(), "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"));
            }
        }
    }
}
