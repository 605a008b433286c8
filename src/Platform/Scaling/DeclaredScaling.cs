using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Scaling;

/// <summary>What specification and catalog say together about scaling in one region.</summary>
public static partial class DeclaredScaling
{
    /// <summary>In which range the component may be; null: nobody may change its number but the specification.</summary>
    public static ScaleRange? RangeOf(EnvironmentSpecification environment, string component) =>
        environment.Scaling.FirstOrDefault(range => range.Component == component) is { } range ? new(range.Minimum, range.Maximum) : null;

    /// <summary>The component's <c>scaling</c> with its parameters filled in; null: it has none.</summary>
    public static ScalingDefinition? Of(EnvironmentSpecification environment, ComponentDefinition component, string region)
    {
        if (component.Scaling is not { } scaling)
            return null;
        var values = ManifestRenderer.Parameters(environment, component, region);
        return scaling with
        {
            Signals = [.. scaling.Signals.Select(signal => signal with { Query = Filled(signal.Query, values) })],
            Tasks = scaling.Tasks is { } tasks ? tasks with { Namespace = ManifestRenderer.FillText(tasks.Namespace, values), Queue = ManifestRenderer.FillText(tasks.Queue, values) } : null,
        };
    }

    /// <summary>Temporal's server and the metrics of its SDK for Go write labels with underscores for everything but letters and digits (https://github.com/temporalio/sdk-go/issues/912), those of other SDKs leave them as they are:
    /// where a query looks for a pattern, both are meant.</summary>
    private static string Filled(string query, Dictionary<string, JsonNode?> values)
    {
        var patterns = values.ToDictionary(value => value.Key, value => value.Value is JsonValue scalar && scalar.TryGetValue<string>(out var text) ? JsonValue.Create(OtherCharacters().Replace(text, ".")) : value.Value);
        return ManifestRenderer.FillText(Patterns().Replace(query, pattern => ManifestRenderer.FillText(pattern.Value, patterns)), values);
    }

    [GeneratedRegex("=~\"[^\"]*\"")]
    private static partial Regex Patterns();

    [GeneratedRegex("[^A-Za-z0-9_]")]
    private static partial Regex OtherCharacters();

    /// <summary>The number that the specification declares; null: it has none.</summary>
    public static int? NumberOf(EnvironmentSpecification environment, ComponentDefinition component, string region, string parameter) =>
        component.Parameters.Any(known => known.Name == parameter) || component.Imports.ContainsKey(parameter)
            ? (int?)(long?)ManifestRenderer.Parameters(environment, component, region)[parameter]
            : null;

    /// <summary>Who may open how many connections to which database of a region, by the component that says how many it accepts.</summary>
    /// <param name="replicas">How many replicas a component has; null: what the specification declares.</param>
    public static IReadOnlyDictionary<string, ConnectionBudget> Budgets(EnvironmentSpecification environment, ComponentCatalog catalog, string region, Func<string, int?>? replicas = null) =>
        (from listed in environment.Components
         where listed.Enabled && (listed.Regions.Count == 0 || listed.Regions.Contains(region))
         let component = catalog.Find(listed.Name)
         where component is not null && DatabaseOf(environment, component) is not null
         group component by DatabaseOf(environment, component)!)
        .ToDictionary(
            users => users.Key,
            users => new ConnectionBudget(
                NumberOf(environment, users.First(), region, users.First().Scaling!.ConnectionLimit!),
                [.. users.Select(user => new ConnectionPool(
                    user.Name,
                    // Nobody asks before an autoscaler adds one: all that it may add must fit.
                    DelegatedMost(environment, user.Name) ?? replicas?.Invoke(user.Name) ?? NumberOf(environment, user, region, user.Scaling!.Parameter) ?? 0,
                    NumberOf(environment, user, region, user.Scaling!.Connections!) ?? 0))]));

    /// <summary>How many replicas Kubernetes may give a component by itself; null: it may not.</summary>
    private static int? DelegatedMost(EnvironmentSpecification environment, string component) =>
        DelegatedScaling.ByOf(environment, component) == ScaledBy.Autoscale ? null : RangeOf(environment, component)?.Maximum;

    /// <summary>The component whose database it uses; null: it uses none, or the environment does not have it.</summary>
    public static string? DatabaseOf(EnvironmentSpecification environment, ComponentDefinition component) => component.Scaling?.ConnectionLimit switch
    {
        null => null,
        var limit when component.Imports.ContainsKey(limit) => component.OwnerOf(limit, environment),
        _ => component.Name,
    };
}
