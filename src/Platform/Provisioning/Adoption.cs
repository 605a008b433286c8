using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>What to write into the specification so that it says what was found.</summary>
/// <param name="File">The environment's overlay, relative to the specification's folder.</param>
/// <param name="Yaml">What to merge into it; empty when no field can be adopted.</param>
/// <param name="Fields">The fields that the specification then says as found.</param>
/// <param name="NotPossible">What the specification cannot say, each with the reason and what to do instead.</param>
public sealed record SpecificationChange(string File, string Yaml, IReadOnlyList<AdoptedField> Fields, IReadOnlyList<string> NotPossible);

/// <summary>A field whose found value a parameter can give it.</summary>
/// <param name="Component">The component that declares the parameter.</param>
public sealed record AdoptedField(ResourceAddress Address, string Path, string Component, string Parameter, string Value);

/// <summary>Finds the parameters that would make the specification say what was found. A parameter counts only when the manifests, rendered with the found
/// value, have exactly that value in exactly that field.</summary>
public static class Adoption
{
    public static SpecificationChange Propose(EnvironmentSpecification environment, ComponentCatalog catalog, IEnumerable<DriftFinding> findings)
    {
        var overlay = new SortedDictionary<string, SortedDictionary<string, JsonNode>>(StringComparer.Ordinal);
        var (fields, notPossible) = (new List<AdoptedField>(), new List<string>());
        foreach (var finding in findings)
        {
            if (Explain(environment, catalog, finding) is not { } found)
            {
                notPossible.Add($"{finding.Address}{(finding.Path is null ? "" : $" {finding.Path}")}: {WhyNot(finding)}");
                continue;
            }

            var values = overlay.TryGetValue(found.Field.Component, out var known) ? known : overlay[found.Field.Component] = new(StringComparer.Ordinal);
            if (values.TryGetValue(found.Field.Parameter, out var other) && !JsonNode.DeepEquals(other, found.Value))
            {
                notPossible.Add($"{finding.Address} {finding.Path}: {found.Field.Parameter} of {found.Field.Component} has one value for all regions and objects, and another one was found elsewhere. Make them agree first.");
                continue;
            }

            values[found.Field.Parameter] = found.Value;
            fields.Add(found.Field);
        }

        return new($"environments/{environment.Name}.yaml", InYaml(overlay), fields, notPossible);
    }

    private static string WhyNot(DriftFinding finding) => finding.Kind switch
    {
        DriftKind.Field => $"no parameter of {finding.Component} gives it the value that was found. Revert it, or change the manifests in the catalog's folder {finding.Component}.",
        DriftKind.Missing => $"to do without it, switch {finding.Component} or the manifest off. Revert creates it again.",
        DriftKind.Undeclared => $"declare it in the catalog's folder {finding.Component}, or remove it by hand.",
        _ => "it is not ours to declare as it is.",
    };

    private static (AdoptedField Field, JsonNode Value)? Explain(EnvironmentSpecification environment, ComponentCatalog catalog, DriftFinding finding)
    {
        if (finding is not { Kind: DriftKind.Field, Path: { } path, Declared: { } declared, Found: { } found } || catalog.Find(finding.Component) is not { } component)
            return null;
        foreach (var (owner, parameter) in Parameters(environment, catalog, component))
        {
            if (Candidate(environment, owner, parameter, declared, found) is { } value && Gives(environment, component, finding.Address, path, found, (owner, parameter.Name, value)))
                return (new(finding.Address, path, owner, parameter.Name, FieldPath.Text(value)), value);
        }

        return null;
    }

    /// <summary>The component's own, and those that it imports from where they are declared. What can never be changed cannot be adopted either.</summary>
    private static IEnumerable<(string Owner, ParameterDefinition Parameter)> Parameters(
        EnvironmentSpecification environment, ComponentCatalog catalog, ComponentDefinition component) =>
        component.Parameters.Select(parameter => (component.Name, parameter))
            .Concat(component.Imports.Keys.Select(name => (Name: name, Owner: component.OwnerOf(name, environment))).SelectMany(import =>
                (catalog.Find(import.Owner ?? "")?.Parameters ?? []).Where(parameter => parameter.Name == import.Name).Select(parameter => (import.Owner!, parameter))))
            .Where(pair => !pair.parameter.Immutable);

    /// <summary>What the parameter would have to be: the found value without the text that stands around the present one in the declared value.</summary>
    private static JsonNode? Candidate(EnvironmentSpecification environment, string owner, ParameterDefinition parameter, string declared, string found)
    {
        var given = environment.Components.FirstOrDefault(component => component.Name == owner)?.Parameters[parameter.Name] ?? parameter.Default;
        if (given is null || FieldPath.Text(given) is not { Length: > 0 } present)
            return null;
        for (var at = declared.IndexOf(present, StringComparison.Ordinal); at >= 0; at = declared.IndexOf(present, at + 1, StringComparison.Ordinal))
        {
            var (before, after) = (declared[..at], declared[(at + present.Length)..]);
            if (found.Length >= before.Length + after.Length && found.StartsWith(before, StringComparison.Ordinal) && found.EndsWith(after, StringComparison.Ordinal))
                return Typed(parameter, found[before.Length..^after.Length]);
        }

        return null;
    }

    private static JsonNode? Typed(ParameterDefinition parameter, string text) => parameter.Type switch
    {
        ParameterType.Integer => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= (parameter.Minimum ?? long.MinValue) && number <= (parameter.Maximum ?? long.MaxValue) ? JsonValue.Create(number) : null,
        ParameterType.Boolean => bool.TryParse(text, out var flag) ? JsonValue.Create(flag) : null,
        _ => parameter.Allowed.Count == 0 || parameter.Allowed.Contains(text) ? JsonValue.Create(text) : null,
    };

    private static bool Gives(
        EnvironmentSpecification environment, ComponentDefinition component, ResourceAddress address, string path, string found, (string Owner, string Parameter, JsonNode Value) given)
    {
        var changed = environment with
        {
            Components = [.. environment.Components.Select(known => known.Name != given.Owner ? known : known with { Parameters = With(known.Parameters, given.Parameter, given.Value) })],
        };
        return Rendered(changed, component, address) is { } after && Rendered(environment, component, address) is { } before
            && FieldDiff.Compare(after, before).Any(change => change.Path == path && change.To == found);
    }

    private static JsonObject? Rendered(EnvironmentSpecification environment, ComponentDefinition component, ResourceAddress address) =>
        ManifestRenderer.Render(environment, component, address.Region).FirstOrDefault(item => item.Address == address)?.Manifest;

    private static JsonObject With(JsonObject parameters, string name, JsonNode value)
    {
        var copy = (JsonObject)parameters.DeepClone();
        copy[name] = value.DeepClone();
        return copy;
    }

    private static string InYaml(SortedDictionary<string, SortedDictionary<string, JsonNode>> overlay) => overlay.Count == 0 ? "" :
        "components:\n" + string.Concat(overlay.Select(component =>
            $"  {component.Key}:\n" + string.Concat(component.Value.Select(value => $"    {value.Key}: {JsonSerializer.Serialize(value.Value, Yaml)}\n"))));

    /// <summary>A JSON scalar is a YAML scalar.</summary>
    private static readonly JsonSerializerOptions Yaml = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
