using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Catalog;

/// <summary>One system of the catalog, read from <c>k8s/components/&lt;name&gt;/component.yaml</c> and the manifests beside it.
/// A new component needs a folder there and no C#.</summary>
public sealed record ComponentDefinition
{
    public required string Name { get; init; }

    /// <summary>One sentence for people.</summary>
    public required string Summary { get; init; }

    /// <summary>Where it stands in the reference architecture: <c>data</c>, <c>temporal-backend</c>, <c>temporal-product</c>, ...</summary>
    public required string Plane { get; init; }

    /// <summary>The namespace that its namespaced objects live in unless a manifest names another.</summary>
    public required string Namespace { get; init; }

    /// <summary>Components of the same region that must be healthy first. Disabled ones do not count.</summary>
    public required IReadOnlyList<string> DependsOn { get; init; }

    public required DeliveryKind Delivery { get; init; }

    /// <summary>What the manifests are repeated for; each item's fields become parameters of that repetition.</summary>
    public RepeatFor RepeatFor { get; init; }

    /// <summary>What the manifests may refer to as <c>${name}</c>.</summary>
    public required IReadOnlyList<ParameterDefinition> Parameters { get; init; }

    /// <summary>Parameters of other components that the manifests may refer to as well: the declaring component by the parameter's name.
    /// So that one value has one place, even when several components must agree on it.</summary>
    public IReadOnlyDictionary<string, string> Imports { get; init; } = new Dictionary<string, string>();

    /// <summary>All must pass before the component counts as healthy.</summary>
    public required IReadOnlyList<HealthGate> Health { get; init; }

    /// <summary>Secrets that must exist before its objects are applied.</summary>
    public required IReadOnlyList<SecretDefinition> Secrets { get; init; }

    /// <summary>The manifests as parsed, with their <c>${parameters}</c> still in them, in file and document order.</summary>
    public required IReadOnlyList<ManifestTemplate> Manifests { get; init; }

    /// <summary>SHA-256 over the canonical form of all of the above.</summary>
    public required string Digest { get; init; }
}

/// <summary>What a component's manifests are repeated for.</summary>
public enum RepeatFor
{
    Nothing,

    /// <summary>Every namespace of the environment; gives <c>name</c>, <c>purpose</c>, <c>networkPolicy</c> and <c>resourceClass</c>.</summary>
    Namespaces,
}

/// <summary>How a component gets into the world.</summary>
public enum DeliveryKind
{
    /// <summary>Server-side apply of the manifests by us.</summary>
    Manifests,
}

/// <summary>A parameter of a component.</summary>
/// <param name="Default">The value when the specification is silent; null makes the parameter required.</param>
/// <param name="Minimum">Inclusive, for <see cref="ParameterType.Integer"/>.</param>
/// <param name="Maximum">Inclusive, for <see cref="ParameterType.Integer"/>.</param>
/// <param name="Allowed">The allowed values of a string; empty allows all.</param>
/// <param name="Immutable">Set once, never changed afterwards; the planner refuses a change and says why (<paramref name="ImmutableReason"/>).</param>
public sealed record ParameterDefinition(
    string Name,
    ParameterType Type,
    JsonNode? Default,
    long? Minimum,
    long? Maximum,
    IReadOnlyList<string> Allowed,
    bool Immutable,
    string? ImmutableReason,
    string Summary);

public enum ParameterType
{
    String,
    Integer,
    Boolean,

    /// <summary>A Kubernetes quantity such as <c>500m</c> or <c>2Gi</c>.</summary>
    Quantity,

    /// <summary>A duration with its unit, such as <c>90s</c>, <c>15m</c>, <c>24h</c>, <c>30d</c>.</summary>
    Duration,
}

/// <summary>A secret that a component needs. Values are generated inside the activity that creates it and are never read back.</summary>
/// <param name="Name">The Kubernetes Secret's name.</param>
/// <param name="Namespace">Where it lives.</param>
/// <param name="Literals">Keys whose value is not secret, for example a user name.</param>
/// <param name="Generated">Keys whose value is made from a secure random source, with the number of characters (16..128).</param>
public sealed record SecretDefinition(
    string Name, string Namespace, IReadOnlyDictionary<string, string> Literals, IReadOnlyDictionary<string, int> Generated);

/// <summary>One manifest as a JSON tree whose scalars may hold <c>${parameter}</c>.</summary>
/// <param name="File">Relative to the component's folder.</param>
/// <param name="Line">Where the document starts, from 1.</param>
/// <param name="When">A condition for the object to exist: <c>flag</c>, <c>!flag</c>, <c>name == value</c> or <c>name != value</c> over the
/// component's parameters; null: always.</param>
public sealed record ManifestTemplate(string File, int Line, JsonObject Tree, string? When);

/// <summary>How to see that a component is healthy: what it must do, not only that it runs.</summary>
public abstract record HealthGate;

/// <summary>The newest template of a workload is rolled out: Deployment, StatefulSet or DaemonSet.</summary>
public sealed record RolloutGate(string Kind, string Name, string Namespace) : HealthGate;

/// <summary>A Job has completed.</summary>
public sealed record JobGate(string Name, string Namespace) : HealthGate;

/// <summary>A Service has at least so many ready endpoints.</summary>
public sealed record EndpointsGate(string Service, string Namespace, int Minimum) : HealthGate;

/// <summary>The platform's own Temporal frontend answers, and every Temporal namespace of the plan is visible there.</summary>
public sealed record TemporalFrontendGate(string Service, string Namespace, int Port) : HealthGate;

/// <summary>Vault is initialized, unsealed and active; and where a policy is named, we can log in and read it.</summary>
public sealed record VaultGate(string Service, string Namespace, int Port, bool Tls, string? Policy) : HealthGate;

/// <summary>All components of the catalog by name.</summary>
public sealed record ComponentCatalog
{
    /// <summary>Sorted by name (ordinal).</summary>
    public required IReadOnlyList<ComponentDefinition> Components { get; init; }

    /// <summary>SHA-256 over the components' digests.</summary>
    public required string Digest { get; init; }

    /// <summary>The definition, or null when the catalog has none of that name.</summary>
    public ComponentDefinition? Find(string name) =>
        Components.FirstOrDefault(component => component.Name == name);
}
