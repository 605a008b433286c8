using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Schedules;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Specification;

/// <summary>What <c>platform.yaml</c> and <c>environments/*.yaml</c> may say. The parameters of components come from the catalog.</summary>
internal static class PlatformShape
{
    public const string ApiVersion = "platformops.io/v1";

    private static readonly TextShape Name = new(
        "A name.", Pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", PatternInWords: "a name of lower-case letters, digits and dashes, at most 63 characters");

    /// <summary>1 to 65535.</summary>
    private const string Port = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}";

    private static readonly MapShape Etcd = new("The etcd under the API server of its cluster, where workers reach it.",
    [
        new("endpoint", new TextShape(
            "Where its clients reach it.", Pattern: $@"^https://([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:]+\]):({Port})/?$", PatternInWords: "https://host:port without a path, with a port of 1 to 65535"), Required: true),
        new("secret", new TextShape("The Secret of that cluster with ca.crt, tls.crt and tls.key of a client.", Pattern: "^[a-z0-9-]+/[a-z0-9.-]+$", PatternInWords: "namespace/name"), Required: true),
    ]);

    private static readonly MapShape Region = new("A region: one Kubernetes cluster and what belongs to it.",
    [
        new("role", new TextShape("What the region is when nothing has failed over.", Words.All<RegionRole>()), Required: true),
        new("kubernetesContext", new TextShape("The kubeconfig context of its cluster. Default: the region's name.")),
        new("etcd", Etcd),
    ]);

    private static readonly MapShape NodeClass = new("A class of nodes.",
    [
        new("count", new IntegerShape("How many nodes a region has.", 0, 1000), Required: true),
        new("profile", new TextShape("What the machines are optimised for.", ["cpu-optimized", "memory-optimized", "storage-optimized", "balanced"]), Default: "balanced"),
        new("labels", new WordsShape("Labels that workloads select.", new TextShape("The label's value."))),
        new("tainted", new BooleanShape("Whether the class is tainted NoSchedule."), Default: false),
    ]);

    private static readonly MapShape Namespace = new("A Kubernetes namespace of the platform.",
    [
        new("purpose", new TextShape("One sentence."), Required: true),
        new("networkPolicy", new TextShape("Which allowances its default-deny policy gets.",
            ["restricted-ingress-egress", "restricted-egress-to-backend", "metrics-collection-only", "cluster-wide-access", "public-entry"]), Required: true),
        new("resourceClass", new TextShape("Which quota and limits it gets.", ["high-priority", "auto-scaling", "persistent-storage", "minimal", "node-agents"]), Required: true),
    ]);

    private static readonly MapShape GuardRails = new("What runbooks may do without asking.",
    [
        new("approvals", new IntegerShape("How many approvals a plan needs; 0 means none.", 0, 5), Required: true),
        new("maxParallel", new IntegerShape("How many components may be worked on at once.", 1, 32), Required: true),
        new("mayDestroy", new BooleanShape("Whether a plan may remove objects."), Required: true),
        new("approvalTimeout", new DurationShape("How long a plan waits for approval."), Default: "24h"),
    ]);

    private static readonly MapShape Performance = new("The throughput that a provisioned platform must reach.",
    [
        new("workflowStartsPerSecond", new IntegerShape("Workflow starts per second.", 1, 1_000_000), Required: true),
        new("activityExecutionsPerSecond", new IntegerShape("Activity executions per second.", 1, 10_000_000), Required: true),
        new("concurrentWorkflows", new IntegerShape("Open workflows.", 1, 100_000_000), Required: true),
    ]);

    private static readonly MapShape Backup = new("The objective of one store.",
    [
        new("frequency", new DurationShape("Time between backups, or continuous for a log that is streamed all the time.", Minimum: TimeSpan.FromMinutes(1), ZeroWord: "continuous"), Required: true),
        new("retention", new DurationShape("How long a backup is kept."), Required: true),
        new("rto", new DurationShape("Longest acceptable time to restore."), Required: true),
        new("rpo", new DurationShape("Longest acceptable loss, as time."), Required: true),
    ]);

    private static readonly MapShape Failover = new("Who may decide a failover, and its objectives.",
    [
        new("database", new TextShape("Failover of the database alone.", Words.All<FailoverMode>()), Required: true),
        new("fullStack", new TextShape("Failover of everything.", Words.All<FailoverMode>()), Required: true),
        new("rto", new DurationShape("Longest acceptable time until it serves again."), Required: true),
        new("rpo", new DurationShape("Longest acceptable loss, as time."), Required: true),
    ]);

    private static readonly MapShape Scaling = new("The range in which a component may be scaled; inside the catalog's.",
    [
        new("minimum", new IntegerShape("Fewest replicas.", 0, 10_000)),
        new("maximum", new IntegerShape("Most replicas.", 1, 10_000)),
        new("classes", new ListShape("Instead, of a managed database: the classes that it may have, such as db.r6g.large.", new TextShape("A class of RDS.", Pattern: "^db(\\.[a-z0-9-]+){2}$", PatternInWords: "a class of RDS such as db.r6g.large"))),
        new("by", new TextShape("Who scales it: our own runbooks, or Kubernetes itself.", Words.All<ScaledBy>()), Default: Words.Of(ScaledBy.Autoscale)),
    ]);

    private static readonly MapShape Schedule = new("A runbook that is started again and again.",
    [
        new("runbook", new TextShape("Which runbook.", [.. ScheduledRunbook.All.Select(runbook => runbook.Name)]), Required: true),
        new("enabled", new BooleanShape("Whether the environment has it."), Default: true),
        new("every", new DurationShape("The time between two runs, counted from 1970 in UTC.", TimeSpan.FromMinutes(1), TimeSpan.FromDays(366))),
        new("cron", new CronShape("Instead: minute, hour, day of month, month, day of week.")),
        new("timeZone", new TextShape("The zone of cron. Default: UTC.", Pattern: "^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$", PatternInWords: "UTC or a zone's name such as Europe/Berlin")),
        new("jitter", new DurationShape("By how much a run may be late, differently each time. Default: the runbook's.", Maximum: TimeSpan.FromDays(1), ZeroWord: "none")),
        new("overlap", new TextShape("What happens when a run is due while the one before goes on.", Words.All<ScheduleOverlap>()), Default: Words.Of(ScheduleOverlap.Skip)),
        new("catchUpWindow", new DurationShape("How late a run that was missed is still started. Default: the runbook's.", TimeSpan.FromSeconds(10), TimeSpan.FromDays(7))),
        new("pauseOnFailure", new BooleanShape("Whether a run that fails pauses the schedule. Default: the runbook's.")),
        new("input", new AnyShape("What the runbook gets beside the environment.")),
    ]);

    /// <summary>An environment after its overlay: what the effective map must look like.</summary>
    public static MapShape Environment(ComponentCatalog catalog) => new("One environment, laid over the platform.", Keys(catalog, "Environment", effective: true));

    /// <summary>A file <c>environments/*.yaml</c> as it is written: every key but the first three may be left to the platform.</summary>
    public static MapShape Overlay(ComponentCatalog? catalog) => new("One environment, laid over the platform.", Keys(catalog, "Environment", effective: false));

    /// <summary>The file <c>platform.yaml</c>: every key but the first three may be left to the environments.</summary>
    public static MapShape Platform(ComponentCatalog? catalog) => new("A platform: what all its environments have in common.", Keys(catalog, "Platform", effective: false));

    private static IReadOnlyList<ShapeKey> Keys(ComponentCatalog? catalog, string kind, bool effective) =>
    [
        new("apiVersion", new TextShape("The version of this format.", [ApiVersion]), Required: true),
        new("kind", new TextShape("What the file is.", [kind]), Required: true),
        new("name", Name, Required: true),
        new("regions", new TableShape("The regions by name.", Region), Required: effective),
        new("nodes", new TableShape("The classes of nodes of each region.", NodeClass), Required: effective),
        new("clusterSize", new IntegerShape("How many nodes a region has in all; checked against the classes.", 1, 10_000), Required: effective),
        new("database", new TextShape("How PostgreSQL is laid out.", Words.All<DatabaseTopology>()), Required: effective),
        new("monitoring", new TextShape("How much monitoring there is.", Words.All<MonitoringLevel>()), Required: effective),
        new("security", new TextShape("How strict the network and certificates are.", Words.All<SecurityLevel>()), Required: effective),
        new("guardRails", GuardRails, Required: effective),
        new("namespaces", new TableShape("The Kubernetes namespaces.", Namespace), Required: effective),
        new("components", Components(catalog), Required: effective),
        new("scaling", new TableShape("Scaling ranges by component.", Scaling)),
        new("performance", Performance, Required: effective),
        new("backups", new TableShape("Backup objectives by store.", Backup)),
        new("failover", Failover, Required: effective),
        new("schedules", new TableShape("Runbooks that are started again and again, by name.", Schedule)),
    ];

    private static TableShape Components(ComponentCatalog? catalog) => new(
        "The components by their name in the catalog.",
        new AnyShape("What the environment wants of it: enabled, regions, and the parameters that its component.yaml declares."),
        catalog?.Components.ToDictionary(component => component.Name, Component));

    private static Shape Component(ComponentDefinition component) => new MapShape(component.Summary,
    [
        new("enabled", new BooleanShape("Whether the environment has it."), Default: true),
        new("regions", new ListShape("The regions that get it; empty means all.", Name)),
        .. component.Parameters.Select(parameter => new ShapeKey(
            parameter.Name, ParameterReader.ShapeOf(parameter), Required: parameter.Default is null, parameter.Default)),
    ]);
}
