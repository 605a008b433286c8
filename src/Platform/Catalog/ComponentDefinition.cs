using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;

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

    /// <summary>Components of the same region that must be healthy first; <c>one|other</c> are alternatives, of which those count that an environment has.</summary>
    public required IReadOnlyList<string> DependsOn { get; init; }

    /// <summary>Components that must be healthy in the primary region before this one is worked on in any other region. It may name itself.</summary>
    public IReadOnlyList<string> DependsOnPrimary { get; init; } = [];

    /// <summary>Components that take the place of this one: an environment has at most one of them.</summary>
    public IReadOnlyList<string> Excludes { get; init; } = [];

    /// <summary>Kinds that the cluster serves once this component is healthy, since it installs their definitions.</summary>
    public IReadOnlyList<ObjectKind> Provides { get; init; } = [];

    /// <summary>Components that must run the version that is specified for them, in the same region, before this one is upgraded.</summary>
    public IReadOnlyList<string> UpgradeAfter { get; init; } = [];

    /// <summary>Why no minor version of its images may be skipped, nor an older one follow a newer one; null: any version may follow any other.</summary>
    public string? OneMinorAtATime { get; init; }

    public required DeliveryKind Delivery { get; init; }

    /// <summary>What the manifests are repeated for; each item's fields become parameters of that repetition.</summary>
    public RepeatFor RepeatFor { get; init; }

    /// <summary>What the manifests may refer to as <c>${name}</c>.</summary>
    public required IReadOnlyList<ParameterDefinition> Parameters { get; init; }

    /// <summary>Parameters of other components that the manifests may refer to as well: the declaring component by the parameter's name, or alternatives
    /// as in <see cref="DependsOn"/>. So that one value has one place, even when several components must agree on it.</summary>
    public IReadOnlyDictionary<string, string> Imports { get; init; } = new Dictionary<string, string>();

    /// <summary>What the manifests may refer to and only the world knows.</summary>
    public IReadOnlyList<ObservedParameter> Observed { get; init; } = [];

    /// <summary>What Argo CD installs; null unless the delivery is <see cref="DeliveryKind.GitOps"/>.</summary>
    public ChartDefinition? Chart { get; init; }

    /// <summary>All must pass before the component counts as healthy.</summary>
    public required IReadOnlyList<HealthGate> Health { get; init; }

    /// <summary>Secrets that must exist before its objects are applied.</summary>
    public required IReadOnlyList<SecretDefinition> Secrets { get; init; }

    /// <summary>Secrets that are rotated.</summary>
    public IReadOnlyList<RotationDefinition> Rotations { get; init; } = [];

    /// <summary>Certificates that are rotated.</summary>
    public IReadOnlyList<CertificateDefinition> Certificates { get; init; } = [];

    /// <summary>Who signs certificates, in Vault.</summary>
    public IReadOnlyList<AuthorityDefinition> CertificateAuthorities { get; init; } = [];

    /// <summary>Stores of it that are backed up.</summary>
    public IReadOnlyList<BackupDefinition> Backups { get; init; } = [];

    /// <summary>How it is scaled; null: it is not.</summary>
    public ScalingDefinition? Scaling { get; init; }

    /// <summary>The manifests as parsed, with their <c>${parameters}</c> still in them, in file and document order.</summary>
    public required IReadOnlyList<ManifestTemplate> Manifests { get; init; }

    /// <summary>SHA-256 over the canonical form of all of the above.</summary>
    public required string Digest { get; init; }

    /// <summary>The kinds of all objects that it may declare.</summary>
    public IEnumerable<ObjectKind> Kinds =>
        Manifests.Select(manifest => new ObjectKind((string)manifest.Tree["apiVersion"]!, (string)manifest.Tree["kind"]!))
            .Concat(Secrets.Count > 0 ? [new ObjectKind("v1", "Secret")] : [])
            .Concat(Chart is null ? [] : [ArgoApplication.Kind])
            .Concat(DelegatedScaling.KindsOf(this))
            .Distinct();

    /// <summary>What must be healthy first in an environment. Of alternatives those that it has; the first of them when it has none, so that
    /// somebody is missed by name.</summary>
    public IReadOnlyList<string> Needs(EnvironmentSpecification environment)
    {
        var enabled = environment.Components.Where(component => component.Enabled).Select(component => component.Name).ToHashSet();
        var scaler = DelegatedScaling.NeededBy(environment, Name) is { } needed && !DependsOn.Contains(needed) ? [needed] : Array.Empty<string>();
        return [.. scaler, .. DependsOn.SelectMany(needed => Alternatives(needed) is var names && names.Where(enabled.Contains).ToList() is { Count: > 0 } there ? there : [names[0]])];
    }

    /// <summary>The component that an imported parameter is taken from in an environment: of alternatives one that is enabled, or else listed; null when none is.</summary>
    public string? OwnerOf(string import, EnvironmentSpecification environment)
    {
        var listed = environment.Components.Where(component => Alternatives(Imports[import]).Contains(component.Name)).ToList();
        return (listed.Find(component => component.Enabled) ?? listed.FirstOrDefault())?.Name;
    }

    /// <summary>The names in an item of <see cref="DependsOn"/>, or in a value of <see cref="Imports"/>.</summary>
    internal static string[] Alternatives(string needed) => needed.Split('|');
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

    /// <summary>Argo CD installs a chart; we declare the Application, and manifests beside it.</summary>
    GitOps,

    /// <summary>The manifests are held by a cloud's API.</summary>
    Cloud,

    /// <summary>A service with an API of its own: verified, never changed by us.</summary>
    External,
}

/// <summary>A Helm chart that Argo CD installs. Texts may hold <c>${parameter}</c>.</summary>
/// <param name="Repository">The URL of the Helm repository.</param>
/// <param name="Version">The pinned version.</param>
/// <param name="Namespace">Where its objects go.</param>
/// <param name="ApplicationNamespace">Where Argo CD looks for Applications: the namespace of the component that provides them.</param>
/// <param name="Values">Laid over one another in this order, where their conditions hold.</param>
public sealed record ChartDefinition(string Repository, string Name, string Version, string Namespace, string ApplicationNamespace, IReadOnlyList<ManifestTemplate> Values);

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
/// <param name="SameInAllRegions">Whether the other regions get a copy of the primary region's values instead of values of their own.</param>
public sealed record SecretDefinition(
    string Name, string Namespace, IReadOnlyDictionary<string, string> Literals, IReadOnlyDictionary<string, int> Generated, bool SameInAllRegions = false)
{
    /// <summary>Generated keys that no rotation replaces, and why.</summary>
    public IReadOnlyDictionary<string, string> NotRotated { get; init; } = new Dictionary<string, string>();
}

/// <summary>One manifest as a JSON tree whose scalars may hold <c>${parameter}</c>.</summary>
/// <param name="File">Relative to the component's folder.</param>
/// <param name="Line">Where the document starts, from 1.</param>
/// <param name="When">A condition for the object to exist: <c>flag</c>, <c>!flag</c>, <c>name == value</c> or <c>name != value</c> over the
/// component's parameters; null: always.</param>
public sealed record ManifestTemplate(string File, int Line, JsonObject Tree, string? When);

/// <summary>How to see that a component is healthy: what it must do, not only that it runs.</summary>
public abstract record HealthGate
{
    /// <summary>Whether it waits for this very object.</summary>
    public bool IsAbout(ResourceAddress address) => this switch
    {
        RolloutGate gate => (gate.Kind, gate.Name, gate.Namespace) == (address.Kind, address.Name, address.Namespace),
        JobGate gate => ("Job", gate.Name, gate.Namespace) == (address.Kind, address.Name, address.Namespace),
        EndpointsGate gate => ("Service", gate.Service, gate.Namespace) == (address.Kind, address.Name, address.Namespace),
        ApplicationGate gate => ("Application", gate.Name, gate.Namespace) == (address.Kind, address.Name, address.Namespace),
        ConditionGate gate => (gate.Kind.ApiVersion, gate.Kind.Kind, gate.Name, gate.Namespace) == (address.ApiVersion, address.Kind, address.Name, address.Namespace),
        _ => false,
    };
}

/// <summary>The newest template of a workload is rolled out: Deployment, StatefulSet or DaemonSet.</summary>
public sealed record RolloutGate(string Kind, string Name, string Namespace) : HealthGate;

/// <summary>A Job has completed.</summary>
public sealed record JobGate(string Name, string Namespace) : HealthGate;

/// <summary>A Service has at least so many ready endpoints.</summary>
public sealed record EndpointsGate(string Service, string Namespace, int Minimum) : HealthGate;

/// <summary>The platform's own Temporal frontend answers, and every Temporal namespace of the plan is visible there.</summary>
public sealed record TemporalFrontendGate(string Service, string Namespace, int Port) : HealthGate;

/// <summary>A workflow that is started in a namespace of the platform's own Temporal completes.</summary>
/// <param name="TemporalNamespace">Where it runs; it is deleted afterwards.</param>
public sealed record CanaryGate(string Service, string Namespace, int Port, string TemporalNamespace) : HealthGate;

/// <summary>Vault is initialized, unsealed and active; and where a policy is named, we can log in and read it.</summary>
public sealed record VaultGate(string Service, string Namespace, int Port, bool Tls, string? Policy) : HealthGate;

/// <summary>PostgreSQL accepts a write, and commits it with whatever copies a commit waits for.</summary>
public sealed record PostgresqlGate(string Service, string Namespace, int Port, bool Tls, string? Secret) : HealthGate;

/// <summary>The Elasticsearch cluster is at least yellow.</summary>
public sealed record ElasticsearchGate(string Service, string Namespace, int Port, bool Tls, string? Secret) : HealthGate;

/// <summary>Prometheus is ready, and at least so many of its targets are up.</summary>
public sealed record PrometheusGate(string Service, string Namespace, int Port, bool Tls, int Minimum) : HealthGate;

/// <summary>Argo CD's Application is synced to the revision that is declared, and healthy. Every component with a chart has this gate.</summary>
public sealed record ApplicationGate(string Name, string Namespace) : HealthGate;

/// <summary>A custom resource says itself that it is as it has to be; what that means, its kind decides.</summary>
/// <param name="Namespace">Null for cluster-scoped objects.</param>
public sealed record ConditionGate(ObjectKind Kind, string Name, string? Namespace) : HealthGate;

/// <summary>Every declared object of an external service is reachable, our credential is valid, and every declared field is as declared.</summary>
public sealed record ExternalGate : HealthGate;

/// <summary>Every <c>DatabaseInstance</c> that the component declares is available, and every replica among them replicates.</summary>
public sealed record DatabaseGate : HealthGate;

/// <summary>Every <c>Bucket</c> that the component declares exists and is as declared.</summary>
public sealed record BucketGate : HealthGate;

/// <summary>All components of the catalog by name.</summary>
public sealed record ComponentCatalog
{
    /// <summary>Sorted by name (ordinal).</summary>
    public required IReadOnlyList<ComponentDefinition> Components { get; init; }

    /// <summary>SHA-256 over the components' digests.</summary>
    public required string Digest { get; init; }

    /// <summary>What each component may have to wait for in its region, alternatives included.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Dependencies =>
        Components.ToDictionary(component => component.Name, component => (IReadOnlyList<string>)[.. component.DependsOn.SelectMany(ComponentDefinition.Alternatives)]);

    /// <summary>The definition, or null when the catalog has none of that name.</summary>
    public ComponentDefinition? Find(string name) =>
        Components.FirstOrDefault(component => component.Name == name);
}
