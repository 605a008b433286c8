using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Catalog;

/// <summary>Fills a component's manifests in for one environment and region, and stamps whose they are.</summary>
public static class ManifestRenderer
{
    private static readonly HashSet<string> ClusterScoped =
    [
        "APIService", "ClusterExternalSecret", "ClusterIssuer", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "CustomResourceDefinition", "IngressClass",
        "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass", "ValidatingWebhookConfiguration",
    ];

    /// <summary>The objects in the order in which they are to be applied, secrets first.</summary>
    /// <param name="live">The world as far as it was observed, for what only it knows; default: nothing was.</param>
    /// <remarks>Secrets come without data: their values are generated when they are created.</remarks>
    public static IReadOnlyList<DesiredObject> Render(
        EnvironmentSpecification environment, ComponentDefinition component, string region, IReadOnlyDictionary<ResourceAddress, JsonObject>? live = null)
    {
        var values = Parameters(environment, component, region);
        var unknown = new List<string>();
        foreach (var source in Sources(component, region, values))
        {
            var known = source.In(live?.GetValueOrDefault(source.Address));
            values[source.Name] = known ?? JsonValue.Create(source.Unknown);
            if (known is null)
                unknown.Add(source.Name);
        }

        var labels = new Dictionary<string, string>
        {
            [Ownership.ManagedByLabel] = Ownership.ManagedBy,
            [Ownership.PlatformLabel] = environment.Platform,
            [Ownership.EnvironmentLabel] = environment.Name,
            [Ownership.ComponentLabel] = component.Name,
        };
        var annotations = component.Parameters.Where(parameter => parameter.Immutable)
            .ToDictionary(parameter => Ownership.ImmutablePrefix + parameter.Name, parameter => Text(values[parameter.Name]));

        var objects = component.Secrets.Select(secret => new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = secret.Name, ["namespace"] = secret.Namespace },
            ["type"] = "Opaque",
        }).ToList();
        var awaits = objects.Select(_ => (IReadOnlyList<string>)[]).ToList();
        foreach (var repetition in Repetitions(environment, component.RepeatFor))
        {
            var all = values.Concat(repetition).ToDictionary();
            foreach (var manifest in component.Manifests.Where(manifest => Holds(manifest, all)))
            {
                objects.Add((JsonObject)Fill(manifest.Tree, all)!);
                awaits.Add(unknown.Count == 0 ? [] : [.. unknown.Intersect(ManifestReader.TextsOf(manifest.Tree).SelectMany(Placeholders.NamesIn))]);
            }
        }

        if (DelegatedScaling.Of(environment, component, region) is { } scaler)
        {
            objects.Add(scaler);
            awaits.Add([]);
        }

        if (component.Chart is { } chart)
            objects.Add(ArgoApplication.Of(component.Name, chart with { Repository = FillText(chart.Repository, values), Version = FillText(chart.Version, values) }, Values(chart, values)));

        return [.. objects.Select((manifest, index) => Stamp(manifest, component, region, labels, annotations) with { Awaits = awaits.ElementAtOrDefault(index) ?? [] })];
    }

    /// <summary>The objects of the world that tell values which a component's manifests refer to.</summary>
    public static IReadOnlyList<ObservedSource> Sources(EnvironmentSpecification environment, ComponentDefinition component, string region) =>
        component.Observed.Count == 0 ? [] : Sources(component, region, Parameters(environment, component, region));

    private static List<ObservedSource> Sources(ComponentDefinition component, string region, Dictionary<string, JsonNode?> values) =>
        [.. component.Observed.Select(item => new ObservedSource(item.Name, new(region, item.Kind.ApiVersion, item.Kind.Kind, item.Namespace, FillText(item.Object, values)), item.Field))];

    /// <summary>The certificates that a component declares, with the names that they have in an environment.</summary>
    public static IEnumerable<CertificateDefinition> Certificates(EnvironmentSpecification environment, ComponentDefinition component, string region)
    {
        var values = component.Certificates.Count == 0 ? [] : Parameters(environment, component, region);
        return component.Certificates.Select(certificate => certificate with { DnsNames = [.. certificate.DnsNames.Select(name => FillText(name, values))] });
    }

    /// <summary>The secrets that are rotated, with what they say of their systems filled in.</summary>
    public static IEnumerable<RotationDefinition> Rotations(EnvironmentSpecification environment, ComponentDefinition component, string region)
    {
        var values = component.Rotations.Count == 0 ? [] : Parameters(environment, component, region);
        return component.Rotations.Where(rotation => Holds(rotation.When, values))
            .Select(rotation => rotation with
            {
                Target = RotationReader.Filled(rotation.Target, name => Text(values[name]), body => Fill(body, values)),
                NoConsumers = rotation.NoConsumers is { } why && Placeholders.Replace(why, name => Text(values[name])) is { Length: > 0 } filled ? filled : null,
            });
    }

    /// <summary>A workload of the component as it is declared; null: no manifest declares it.</summary>
    internal static JsonObject? Workload(EnvironmentSpecification environment, ComponentDefinition component, string region, ScaledWorkload workload)
    {
        var values = Parameters(environment, component, region);
        var declared = component.Manifests.FirstOrDefault(manifest =>
            (string?)manifest.Tree["kind"] == workload.Kind && Holds(manifest, values) && FillText((string)manifest.Tree["metadata"]!["name"]!, values) == workload.Name);
        return declared is null ? null : (JsonObject)Fill(declared.Tree, values.Concat(component.Observed.Select(item => KeyValuePair.Create(item.Name, (JsonNode?)null))).ToDictionary())!;
    }

    /// <summary>What is known before anything is there.</summary>
    internal static Dictionary<string, JsonNode?> Parameters(EnvironmentSpecification environment, ComponentDefinition component, string region)
    {
        var values = BuiltInParameters.Values(environment, component, region);
        var given = environment.Components.FirstOrDefault(candidate => candidate.Name == component.Name)?.Parameters;
        foreach (var parameter in component.Parameters)
            values[parameter.Name] = given?[parameter.Name] ?? parameter.Default;
        foreach (var name in component.Imports.Keys)
            values[name] = environment.Components.First(candidate => candidate.Name == component.OwnerOf(name, environment)).Parameters[name];
        return values;
    }

    /// <summary>Whether the objects of a kind have no namespace.</summary>
    internal static bool IsClusterScoped(ObjectKind kind) => kind.OutsideKubernetes || ClusterScoped.Contains(kind.Kind);

    private static JsonObject Values(ChartDefinition chart, Dictionary<string, JsonNode?> parameters)
    {
        var result = new JsonObject();
        foreach (var layer in chart.Values.Where(layer => Holds(layer, parameters)))
            Overlay(result, (JsonObject)Fill(layer.Tree, parameters)!);
        return result;
    }

    /// <summary>As Helm lays files of values over one another: maps merge, everything else replaces.</summary>
    private static void Overlay(JsonObject under, JsonObject over)
    {
        foreach (var (key, value) in over)
        {
            if (under[key] is JsonObject lower && value is JsonObject upper)
                Overlay(lower, upper);
            else
                under[key] = value?.DeepClone();
        }
    }

    private static bool Holds(ManifestTemplate template, Dictionary<string, JsonNode?> parameters) => Holds(template.When, parameters);

    private static bool Holds(string? when, Dictionary<string, JsonNode?> parameters) => when is null || Condition.Parse(when)!.Holds(name => Text(parameters[name]));

    private static IEnumerable<Dictionary<string, JsonNode?>> Repetitions(EnvironmentSpecification environment, RepeatFor repeatFor) =>
        repeatFor == RepeatFor.Nothing
            ? [[]]
            : environment.Namespaces.Select(space => new Dictionary<string, JsonNode?>
            {
                ["name"] = space.Name,
                ["purpose"] = space.Purpose,
                ["networkPolicy"] = space.NetworkPolicy,
                ["resourceClass"] = space.ResourceClass,
            });

    private static JsonNode? Fill(JsonNode? node, Dictionary<string, JsonNode?> values) => node switch
    {
        JsonObject map => new JsonObject(map.Select(pair => KeyValuePair.Create(FillText(pair.Key, values), Fill(pair.Value, values)))),
        JsonArray list => new JsonArray([.. list.Select(item => Fill(item, values))]),
        JsonValue value when value.TryGetValue<string>(out var text) =>
            Placeholders.Whole(text) is { } name ? values[name]?.DeepClone() : JsonValue.Create(FillText(text, values)),
        _ => node?.DeepClone(),
    };

    /// <summary>The text with every <c>${parameter}</c> replaced.</summary>
    internal static string FillText(string text, Dictionary<string, JsonNode?> values) =>
        Placeholders.Replace(text, name => Text(values[name]));

    private static string Text(JsonNode? value) => value switch
    {
        null => "",
        JsonValue scalar when scalar.TryGetValue<string>(out var text) => text,
        JsonValue scalar when scalar.TryGetValue<bool>(out var flag) => flag ? "true" : "false",
        JsonValue scalar when scalar.TryGetValue<long>(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => value.ToJsonString(),
    };

    private static DesiredObject Stamp(JsonObject manifest, ComponentDefinition component, string region, Dictionary<string, string> labels, Dictionary<string, string> annotations)
    {
        var kind = new ObjectKind((string)manifest["apiVersion"]!, (string)manifest["kind"]!);
        var metadata = (JsonObject)manifest["metadata"]!;
        if (!IsClusterScoped(kind) && metadata["namespace"] is null)
            metadata["namespace"] = component.Namespace;
        Merge(metadata, "labels", labels);
        if (annotations.Count > 0)
            Merge(metadata, "annotations", annotations);
        if (PodTemplate(manifest) is { } template)
        {
            template["metadata"] ??= new JsonObject();
            Merge((JsonObject)template["metadata"]!, "labels", labels);
        }

        // The Secret outlives its Certificate: without our labels nobody would know any more that it may go.
        if (kind is { ApiVersion: "cert-manager.io/v1", Kind: "Certificate" } && manifest["spec"] is JsonObject spec)
        {
            spec["secretTemplate"] ??= new JsonObject();
            Merge((JsonObject)spec["secretTemplate"]!, "labels", labels);
        }

        return new(new(region, kind.ApiVersion, kind.Kind, (string?)metadata["namespace"], (string)metadata["name"]!), manifest);
    }

    private static JsonObject? PodTemplate(JsonObject manifest) => (string)manifest["kind"]! switch
    {
        "Deployment" or "StatefulSet" or "DaemonSet" or "Job" => manifest["spec"]?["template"] as JsonObject,
        "CronJob" => manifest["spec"]?["jobTemplate"]?["spec"]?["template"] as JsonObject,
        _ => null,
    };

    private static void Merge(JsonObject metadata, string key, Dictionary<string, string> additions)
    {
        metadata[key] ??= new JsonObject();
        foreach (var (name, value) in additions)
            metadata[key]![name] = value;
    }
}
