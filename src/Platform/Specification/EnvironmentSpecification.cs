using System.Text.Json.Nodes;
using PlatformOps.Platform.Schedules;

namespace PlatformOps.Platform.Specification;

/// <summary>One environment of a platform after its overlay has been laid over the common component list: everything that
/// planning needs to know, validated. Two equal environments have the same <see cref="Digest"/>.</summary>
public sealed record EnvironmentSpecification
{
    /// <summary>The platform's name, for example <c>reference</c>.</summary>
    public required string Platform { get; init; }

    /// <summary>The environment's name, for example <c>production</c>. It is the lock: one runbook of a kind per environment.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 over the canonical JSON form, 64 lower-case hexadecimal digits. Runbooks carry this, never the text.</summary>
    public required string Digest { get; init; }

    /// <summary>The regions that the environment spans, primary first.</summary>
    public required IReadOnlyList<RegionSpecification> Regions { get; init; }

    /// <summary>The name of the region that is primary when nothing has failed over.</summary>
    public string PrimaryRegion => Regions[0].Name;

    /// <summary>Classes of cluster nodes; their counts sum up to the cluster size.</summary>
    public required IReadOnlyList<NodeClassSpecification> NodeClasses { get; init; }

    public required DatabaseTopology Database { get; init; }

    public required MonitoringLevel Monitoring { get; init; }

    public required SecurityLevel Security { get; init; }

    /// <summary>What runbooks may do here without asking. Code asks these, never the environment's name.</summary>
    public required GuardRails GuardRails { get; init; }

    public required IReadOnlyList<NamespaceSpecification> Namespaces { get; init; }

    /// <summary>Every component of the platform in the order in which the specification lists them, disabled ones included.</summary>
    public required IReadOnlyList<ComponentSpecification> Components { get; init; }

    /// <summary>The ranges in which components may be scaled; inside the catalog's.</summary>
    public IReadOnlyList<ScalingRange> Scaling { get; init; } = [];

    /// <summary>The classes that scaling may give managed databases.</summary>
    public IReadOnlyList<ScalingClasses> Classes { get; init; } = [];

    public required PerformanceTargets Performance { get; init; }

    public required IReadOnlyList<BackupObjective> Backups { get; init; }

    public required FailoverPolicy Failover { get; init; }

    /// <summary>The runbooks that are started again and again. Not part of the <see cref="Digest"/>: they change nothing of what a plan was approved for.</summary>
    public IReadOnlyList<ScheduleSpecification> Schedules { get; init; } = [];
}

/// <summary>A region of an environment.</summary>
/// <param name="Name">The cloud's name of it, for example <c>us-east-1</c>.</param>
/// <param name="Role">What it is when nothing has failed over.</param>
/// <param name="KubernetesContext">The kubeconfig context of its cluster. Default: the region's name.</param>
public sealed record RegionSpecification(string Name, RegionRole Role, string KubernetesContext)
{
    /// <summary>The etcd under its API server, for snapshots; null: workers do not reach it, and there are none.</summary>
    public EtcdSpecification? Etcd { get; init; }
}

/// <summary>How an etcd is reached.</summary>
/// <param name="Endpoint">Where its clients reach it.</param>
/// <param name="Secret">The Secret of its cluster with ca.crt, tls.crt and tls.key of a client: <c>namespace/name</c>.</param>
public sealed record EtcdSpecification(Uri Endpoint, string Secret);

public enum RegionRole
{
    Primary,
    Secondary,
}

/// <summary>A class of nodes.</summary>
/// <param name="Count">How many nodes of it a region has.</param>
/// <param name="Labels">Labels that the nodes carry and that workloads select.</param>
/// <param name="Profile">What the machines are optimised for: <c>cpu-optimized</c>, <c>memory-optimized</c>, <c>storage-optimized</c>, <c>balanced</c>.</param>
/// <param name="Tainted">Whether the class is tainted NoSchedule (the control plane is).</param>
public sealed record NodeClassSpecification(string Name, int Count, IReadOnlyDictionary<string, string> Labels, string Profile, bool Tainted);

/// <summary>How PostgreSQL is laid out: one instance, one replica, or a highly available cluster.</summary>
public enum DatabaseTopology
{
    Single,
    Replica,
    HighlyAvailable,
}

public enum MonitoringLevel
{
    Basic,
    Full,
    Enterprise,
}

public enum SecurityLevel
{
    DevelopmentTls,
    ProductionLike,
    ZeroTrust,
}

/// <summary>What runbooks may do in an environment without asking.</summary>
/// <param name="Approvals">How many approvals a plan needs before it is carried out; 0 means none.</param>
/// <param name="MaxParallel">How many components may be worked on at once, 1..32.</param>
/// <param name="MayDestroy">Whether a plan may remove objects (prune, rollback of created objects is always allowed).</param>
/// <param name="ApprovalTimeout">How long a plan waits for approval before the run ends without having changed anything.</param>
public sealed record GuardRails(int Approvals, int MaxParallel, bool MayDestroy, TimeSpan ApprovalTimeout);

/// <summary>A Kubernetes namespace of the platform.</summary>
/// <param name="NetworkPolicy">Which allowances its default-deny policy gets, for example <c>restricted-ingress-egress</c>.</param>
/// <param name="ResourceClass">Which quota and priority it gets, for example <c>high-priority</c>.</param>
public sealed record NamespaceSpecification(string Name, string Purpose, string NetworkPolicy, string ResourceClass);

/// <summary>What the specification says of one component in one environment.</summary>
public sealed record ComponentSpecification
{
    /// <summary>The component's name in the catalog, for example <c>temporal-history</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Whether this environment has it. Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The regions that get it. Empty means all regions of the environment.</summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>Values for the catalog's parameters of this component (<c>replicas</c> among them), typed and checked against the
    /// catalog's declarations. Parameters that are not given take the catalog's default.</summary>
    public required JsonObject Parameters { get; init; }
}

/// <summary>The range in which a component may be scaled.</summary>
/// <param name="By">Who scales it.</param>
public sealed record ScalingRange(string Component, int Minimum, int Maximum, ScaledBy By = ScaledBy.Autoscale);

/// <summary>The classes that scaling may give a managed database; the declared one is among them.</summary>
/// <param name="Names">For example <c>db.r6g.large</c>.</param>
public sealed record ScalingClasses(string Component, IReadOnlyList<string> Names);

/// <summary>Who scales a component inside of its range.</summary>
public enum ScaledBy
{
    /// <summary>PlatformOps: <c>Autoscale</c>, and people with <c>ScaleComponent</c>.</summary>
    Autoscale,

    /// <summary>KEDA, with a <c>ScaledObject</c> that has the signals of the catalog.</summary>
    Keda,

    /// <summary>Kubernetes, with a <c>HorizontalPodAutoscaler</c> by CPU.</summary>
    Hpa,
}

/// <summary>The throughput that a provisioned platform must reach; see the reference architecture's performance targets.</summary>
public sealed record PerformanceTargets(int WorkflowStartsPerSecond, int ActivityExecutionsPerSecond, int ConcurrentWorkflows);

/// <summary>The objective declared for one store; always compared with what was measured.</summary>
/// <param name="Store">For example <c>postgresql</c>.</param>
/// <param name="Frequency">Time between backups; zero means continuous.</param>
/// <param name="Rto">Longest acceptable time to restore.</param>
/// <param name="Rpo">Longest acceptable loss, as time.</param>
public sealed record BackupObjective(string Store, TimeSpan Frequency, TimeSpan Retention, TimeSpan Rto, TimeSpan Rpo);

/// <summary>Who may decide a failover, and its objectives.</summary>
public sealed record FailoverPolicy(FailoverMode Database, FailoverMode FullStack, TimeSpan Rto, TimeSpan Rpo);

public enum FailoverMode
{
    Off,
    Approval,
    Automatic,
}
