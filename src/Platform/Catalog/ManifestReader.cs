using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Reads the manifests and the chart's values that a component lists, and holds them to its parameters.</summary>
internal sealed class ManifestReader(string component, IReadOnlyDictionary<string, string> files, ICollection<Problem> problems, ShapeReader definition)
{
    private readonly HashSet<string> listed = [];

    public IReadOnlyList<ManifestTemplate> Manifests(JsonObject tree, IReadOnlyCollection<string> parameters) => Read(tree, "manifests", parameters, IsManifest);

    public IReadOnlyList<ManifestTemplate> Values(JsonObject tree, IReadOnlyCollection<string> parameters) => Read(tree, "values", parameters, _ => true);

    /// <summary>Reports the files that nothing has listed: to be called last.</summary>
    public void ReportUnlisted()
    {
        foreach (var unlisted in files.Keys.Where(file => file.StartsWith($"{component}/", StringComparison.Ordinal) && file.EndsWith(".yaml", StringComparison.Ordinal)
            && file != $"{component}/component.yaml" && !listed.Contains(file[(component.Length + 1)..])))
            definition.Report($"{component}.manifests", $"{unlisted} is not listed: list it, or remove the file");
    }

    private IReadOnlyList<ManifestTemplate> Read(JsonObject tree, string key, IReadOnlyCollection<string> parameters, Func<JsonObject, bool> isValid)
    {
        var templates = new List<ManifestTemplate>();
        foreach (var (entry, index) in tree[key]!.AsArray().Select((entry, index) => (entry, index)))
        {
            var path = $"{component}.{key}[{index}]";
            var (name, when) = entry switch
            {
                JsonValue value => ((string?)value, null),
                JsonObject map => ((string?)map["file"], (string?)map["when"]),
                _ => (null, null),
            };
            if (name is null)
                definition.Report(path, "the name of a file, or {file: name, when: condition}, is expected");
            else if (!files.TryGetValue($"{component}/{name}", out var text))
                definition.Report(path, $"there is no file {component}/{name}");
            else if (when is not null && (Condition.Parse(when) is not { } condition || !parameters.Contains(condition.Parameter)))
                definition.Report(path, $"'{when}' is no condition over the parameters ({string.Join(", ", parameters)}); flag, !flag, name == value or name != value is expected");
            else if (listed.Add(name))
                templates.AddRange(ReadFile($"{component}/{name}", text, when, parameters, isValid));
            else
                definition.Report(path, $"{name} is listed twice");
        }

        return templates;
    }

    /// <summary>Every parameter that the manifests and values of a component, or their conditions, refer to.</summary>
    public static IReadOnlySet<string> NamesIn(ComponentDefinition component)
    {
        List<ManifestTemplate> templates = [.. component.Manifests, .. component.Chart?.Values ?? []];
        return templates.SelectMany(template => TextsOf(template.Tree)).Concat(component.Chart is { } chart ? [chart.Repository, chart.Version] : [])
            .SelectMany(Placeholders.NamesIn)
            .Concat(templates.Select(template => template.When).OfType<string>().Select(Condition.Parse).OfType<Condition>().Select(condition => condition.Parameter))
            .ToHashSet();
    }

    private static bool IsManifest(JsonObject tree) => tree["apiVersion"] is JsonValue && tree["kind"] is JsonValue && tree["metadata"]?["name"] is JsonValue;

    private IEnumerable<ManifestTemplate> ReadFile(string file, string text, string? when, IReadOnlyCollection<string> parameters, Func<JsonObject, bool> isValid)
    {
        foreach (var document in SourceReader.ReadAll(file, text, problems))
        {
            CheckPlaceholders(document, parameters);
            if (ManifestJson.From(document) is not JsonObject tree)
                problems.Add(new(component, "a map of keys is expected", document.File, document.Line));
            else if (!isValid(tree))
                problems.Add(new(component, "a manifest needs apiVersion, kind and metadata.name", document.File, document.Line));
            else
                yield return new(file[(component.Length + 1)..], document.Line, tree, when);
        }
    }

    private void CheckPlaceholders(SourceNode node, IReadOnlyCollection<string> parameters)
    {
        switch (node)
        {
            case SourceScalar scalar:
                Check(scalar.Text, scalar.File, scalar.Line);
                break;
            case SourceList list:
                foreach (var item in list.Items)
                    CheckPlaceholders(item, parameters);
                break;
            case SourceMap map:
                foreach (var entry in map.Entries)
                {
                    Check(entry.Key, map.File, entry.Line);
                    CheckPlaceholders(entry.Value, parameters);
                }

                break;
        }

        void Check(string text, string file, int line)
        {
            foreach (var unknown in Placeholders.NamesIn(text).Where(name => !parameters.Contains(name)))
                problems.Add(new(component, $"${{{unknown}}} is not a parameter of {component}; declared or built in: {string.Join(", ", parameters)}", file, line));
        }
    }

    /// <summary>Every key and text in a tree.</summary>
    internal static IEnumerable<string> TextsOf(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(pair => TextsOf(pair.Value).Append(pair.Key)),
        JsonArray list => list.SelectMany(TextsOf),
        JsonValue value when value.TryGetValue<string>(out var text) => [text],
        _ => [],
    };
}
