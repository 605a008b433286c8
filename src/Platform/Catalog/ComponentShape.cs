using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>What a <c>component.yaml</c> may say.</summary>
internal static class ComponentShape
{
    private static readonly TextShape Name = new("A name.", Pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", PatternInWords: "a name of lower-case letters, digits and dashes");

    private static readonly TextShape Needed = new(
        "A name, or alternatives.", Pattern: @"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$", PatternInWords: "a name, or several with | between them");

    private static readonly TextShape ProvidedKind = new(
        "A kind with its API version.", Pattern: "^([a-z0-9.-]+/)?v[0-9]+((alpha|beta)[0-9]+)?/[A-Z][A-Za-z]+$", PatternInWords: "a kind with its API version such as cert-manager.io/v1/Certificate");

    /// <summary>The kinds of delivery by their words.</summary>
    public static IReadOnlyDictionary<string, DeliveryKind> DeliveryKinds { get; } = Enum.GetValues<DeliveryKind>().ToDictionary(kind => kind.ToString().ToLowerInvariant());

    private static readonly MapShape Rollout = new("A workload whose newest template must be rolled out.",
    [
        new("kind", new TextShape("The workload's kind.", ["Deployment", "StatefulSet", "DaemonSet"]), Required: true),
        new("name", Name, Required: true),
        new("namespace", Name),
    ]);

    private static readonly MapShape Endpoints = new("A Service that must have ready endpoints.",
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("minimum", new IntegerShape("How many endpoints must be ready.", 1, 1000), Default: 1L),
    ]);

    private static readonly MapShape Job = new("A Job that must have completed.",
        [new("name", Name, Required: true), new("namespace", Name)]);

    private static readonly MapShape TemporalFrontend = new("The platform's own Temporal frontend: it must answer, with every namespace visible.",
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("port", new IntegerShape("The port of its gRPC API.", 1, 65535), Default: 7233L),
    ]);

    private static readonly MapShape Canary = new("A workflow that must complete on the platform's own Temporal.",
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("port", new IntegerShape("The port of the frontend's gRPC API.", 1, 65535), Default: 7233L),
        new("temporalNamespace", new TextShape("The Temporal namespace that it runs in."), Required: true),
    ]);

    private static readonly MapShape Vault = new("Vault: it must be initialized, unsealed and active.",
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("port", new IntegerShape("The port of its API.", 1, 65535), Default: 8200L),
        new("tls", new BooleanShape("Whether its API speaks TLS."), Default: true),
        new("policy", new TextShape("A policy that we must be able to log in for and read.")),
    ]);

    private static readonly ShapeKey Login = new("secret", new TextShape("The Secret with the username and password to ask with, when the connections file states none."));

    private static ShapeKey[] Server(string port, long usual, bool tls) =>
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("port", new IntegerShape(port, 1, 65535), Default: usual),
        new("tls", new BooleanShape("Whether it speaks TLS."), Default: tls),
    ];

    private static readonly MapShape Postgresql = new("PostgreSQL: it must accept a write.", [.. Server("The port of its protocol.", 5432, tls: true), Login]);

    private static readonly MapShape Elasticsearch = new("Elasticsearch: its cluster must be at least yellow.", [.. Server("The port of its API.", 9200, tls: true), Login]);

    private static readonly MapShape Prometheus = new("Prometheus: it must be ready and see its targets.",
    [
        .. Server("The port of its API.", 9090, tls: false),
        new("minimum", new IntegerShape("How many targets must be up.", 0, 100_000), Default: 1L),
    ]);

    private static readonly MapShape Condition = new("A custom resource that must say itself that it is as it has to be.",
    [
        new("apiVersion", new TextShape("Its API group and version."), Required: true),
        new("kind", new TextShape("Its kind."), Required: true),
        new("name", new TextShape("Its name.", Pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", PatternInWords: "a name of lower-case letters, digits, dots and dashes"), Required: true),
        new("namespace", Name),
    ]);

    private static readonly MapShape External = new("Every declared object of the external service must be as declared.", []);

    public static MapShape Gate { get; } = new("One health gate; exactly one key.",
    [
        new("rollout", Rollout), new("endpoints", Endpoints), new("job", Job), new("temporalFrontend", TemporalFrontend), new("canary", Canary),
        new("vault", Vault), new("condition", Condition), new("external", External),
        new("postgresql", Postgresql), new("elasticsearch", Elasticsearch), new("prometheus", Prometheus),
        new("database", new MapShape("The managed databases that it declares: each must be available, and replicate where it is a replica.", [])),
        new("bucket", new MapShape("The buckets that it declares: each must exist and be as declared.", [])),
    ]);

    private static readonly MapShape Chart = new("The Helm chart that Argo CD installs.",
    [
        new("repository", new TextShape("The URL of the Helm repository."), Required: true),
        new("name", new TextShape("The chart's name there."), Required: true),
        new("version", new TextShape("The pinned version.", Pattern: @"^v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$", PatternInWords: "one version such as 1.2.3: a range or a branch would change by itself"), Required: true),
        new("namespace", Name),
    ]);

    private static readonly MapShape Parameter = new("What the manifests may refer to.",
    [
        new("type", new TextShape("The type of its value.", ["string", "integer", "boolean", "quantity", "duration"]), Required: true),
        new("default", new AnyShape("The value when the specification is silent; without it the parameter is required.")),
        new("minimum", new IntegerShape("The smallest integer.", long.MinValue, long.MaxValue)),
        new("maximum", new IntegerShape("The largest integer.", long.MinValue, long.MaxValue)),
        new("allowed", new ListShape("The possible strings.", new TextShape("A possible value."))),
        new("immutable", new TextShape("Why it can be set once and never be changed.")),
        new("summary", new TextShape("One sentence."), Required: true),
    ]);

    private static readonly MapShape Secret = new("A secret whose values are generated when it is created, and never read back.",
    [
        new("name", Name, Required: true),
        new("namespace", Name),
        new("literals", new WordsShape("Keys whose values are not secret.", new TextShape("The value."))),
        new("generated", new WordsShape("Keys whose values are generated.", new IntegerShape("How many characters.", 16, 128))),
        new("sameInAllRegions", new BooleanShape("Whether the other regions get a copy of the primary region's values."), Default: false),
        new("notRotated", new WordsShape("Generated keys that no rotation replaces.", new TextShape("Why."))),
    ]);

    private static readonly TextShape Workload = new("A workload.", Pattern: "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/)?(Deployment|StatefulSet|DaemonSet)/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", PatternInWords: "Kind/name such as Deployment/api, with the namespace before it where it is in another one");

    private static readonly TextShape Path = new("A path below the service's address.");

    private static readonly TextShape Pointer = new("Where it stands in the answer, with dots between names.", Pattern: @"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$", PatternInWords: "names with dots between them such as data.id");

    private static readonly MapShape Call = new("A call of the service's API; exactly one of get, post, put, patch, delete.",
    [
        new("get", Path), new("post", Path), new("put", Path), new("patch", Path), new("delete", Path),
        new("body", new AnyShape("What is sent, as JSON.")),
        new("id", Pointer), new("value", Pointer), new("items", Pointer), new("rotation", Pointer),
    ]);

    private static readonly MapShape Api = new("How a service makes, shows and ends a credential.",
    [
        new("service", new TextShape("Its name in the connections file, under external.", [.. RotationReader.Services]), Required: true),
        new("address", new TextShape("Where it answers when the connections file is silent.", Pattern: "^https?://[^/]+(/.*)?$", PatternInWords: "an address such as http://grafana.monitoring:80")),
        new("create", Call), new("view", Call), new("list", Call), new("set", Call), new("test", Call, Required: true), new("revoke", Call),
    ]);

    private static readonly MapShape Rotation = new("A secret that is rotated.",
    [
        new("name", Name, Required: true),
        new("kind", new TextShape("What it is a credential for.", [.. RotationReader.Kinds.Keys]), Required: true),
        new("path", new TextShape("Where Vault keeps it, in its key/value engine.", Pattern: "^[a-z0-9][a-z0-9_.-]*(/[a-z0-9][a-z0-9_.-]*)*$", PatternInWords: "a path such as platform/postgresql"), Required: true),
        new("secret", Name, Required: true),
        new("namespace", Name),
        new("usernameKey", new TextShape("The key of the user name in the Secret.")),
        new("passwordKey", new TextShape("The key of the value in the Secret."), Default: "password"),
        new("length", new IntegerShape("How many characters a new value has.", 16, 128), Default: 32L),
        new("every", new DurationShape("How old a value becomes before it is due.", Minimum: TimeSpan.FromHours(1)), Default: "30d"),
        new("settle", new DurationShape("How long every consumer must be proved to use the new value before the old one is revoked."), Default: "10m"),
        new("redis", new MapShape("Which Redis a user is of.", [.. Server("The port of its protocol.", 6379, tls: false)])),
        new("iamUser", new TextShape("Whose access keys they are.", Pattern: @"^([A-Za-z0-9+=,.@_-]|\$\{[A-Za-z][A-Za-z0-9]*\}){1,64}$", PatternInWords: "the name of a user of IAM; may hold ${parameter}")),
        new("appRole", new MapShape("Whose secret id it is.", [new("role", new TextShape("The role."), Required: true), new("mount", new TextShape("Where the login method is mounted."), Default: "approle")])),
        new("token", new MapShape("What a new token of Vault is like.",
        [
            new("role", new TextShape("The token role by which it is made.")),
            new("period", new DurationShape("How long it lives without being renewed.", Minimum: TimeSpan.FromHours(1)), Default: "32d"),
        ])),
        new("when", new TextShape("A condition over the parameters for it to be there, as for manifests.")),
        new("reads", new ListShape("Paths in Vault that a credential of Vault lets read, each with everything below; none: everything.", new TextShape("A path."))),
        new("api", Api),
        new("reloads", new ListShape("Consumers that take up a changed Secret by themselves; all others are restarted.", Workload)),
        new("readBy", new ListShape("Consumers that read the Secret through the API, those of them that there are; they are restarted like others.", Workload)),
        new("servers", new ListShape("The servers that it is a credential for, where they have their first one from the Secret: each of their pods has to let the new one in.", Workload)),
        new("provedBy", new TextShape("What has to work while the old value is inactive, before it is deleted.", [RotationReader.SnapshotRepositories])),
        new("noConsumers", new TextShape("Why nobody in the cluster uses it. Without it a rotation that finds nobody stops; may hold ${parameter}, and empty is as without it.")),
    ]);

    private static readonly MapShape Keystores = new("Keystores beside the PEM, for consumers on a Java virtual machine.",
    [
        new("formats", new ListShape("Which are written.", new TextShape("A format.", [.. CertificateReader.KeystoreFormats.Keys])), Required: true),
        new("passwordSecretRef", new MapShape("Where their password is.",
        [
            new("name", Name, Required: true),
            new("key", new TextShape("Its key in the Secret.", Pattern: "^[A-Za-z0-9._-]+$", PatternInWords: "a key of a Secret"), Default: "password"),
        ]), Required: true),
    ]);

    private static readonly MapShape Certificate = new("A certificate that is rotated.",
    [
        new("name", Name, Required: true),
        new("authority", Name, Required: true),
        new("role", Name, Required: true),
        new("secret", Name, Required: true),
        new("namespace", Name),
        new("dnsNames", new ListShape("What it is valid for; the first is asked for in handshakes.", new TextShape(
            "A DNS name; may hold ${parameter}.", Pattern: @"^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?|\$\{[A-Za-z][A-Za-z0-9]*\})(\.([a-z0-9]([a-z0-9-]*[a-z0-9])?|\$\{[A-Za-z][A-Za-z0-9]*\}))*$", PatternInWords: "a DNS name such as api.shop.svc")), Required: true),
        new("lifetime", new DurationShape("How long a new one is valid.", Minimum: TimeSpan.FromHours(1)), Default: "30d"),
        new("renewAt", new IntegerShape("Percent of its lifetime after which it is due.", 10, 90), Default: 66L),
        new("port", new IntegerShape("Where every pod speaks TLS with it.", 1, 65535)),
        new("mutual", new BooleanShape("Whether the pods want to see a certificate of who asks."), Default: false),
        new("settle", new DurationShape("How long every pod must be seen to serve the new one before the old one is revoked."), Default: "10m"),
        new("reloads", new ListShape("Consumers that take up a changed Secret by themselves; all others are restarted.", Workload)),
        new("clients", new ListShape("Consumers that serve nothing with it.", Workload)),
        new("readBy", new ListShape("Consumers that read the Secret through the API, such as ingress controllers; those of them that there are.", Workload)),
        new("keystores", Keystores),
    ]);

    private static readonly MapShape Authority = new("A certificate authority in Vault.",
    [
        new("name", Name, Required: true),
        new("mount", new TextShape("Where its engine is mounted in Vault.", Pattern: "^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*$", PatternInWords: "a path such as pki"), Default: "pki"),
        new("perMinute", new IntegerShape("How many certificates it may be asked for in any minute.", 1, 100_000), Default: 60L),
        new("commonName", new TextShape("Of a new root; its rotation is added.", Pattern: "^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,38}[A-Za-z0-9])?$", PatternInWords: "at most 40 letters, digits, spaces, dots and dashes")),
        new("lifetime", new DurationShape("How long a new root is valid.", Minimum: TimeSpan.FromDays(1)), Default: "365d"),
        new("settle", new DurationShape("How long every pod must be seen to serve certificates of a new root before the old one is dropped."), Default: "1h"),
        new("secret", Name),
        new("namespace", Name),
        new("reloads", new ListShape("Consumers of that Secret that take up a changed one by themselves.", Workload)),
        new("keystores", Keystores),
        new("webhooks", new ListShape("Webhook configurations that are to trust it.", new TextShape(
            "A webhook configuration.", Pattern: "^(Validating|Mutating)WebhookConfiguration/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", PatternInWords: "Kind/name such as ValidatingWebhookConfiguration/policies"))),
    ]);

    private static readonly MapShape Backup = new("A store that is backed up.",
    [
        new("name", Name, Required: true),
        new("store", new TextShape("What kind of store it is.", [.. BackupReader.Stores.Keys]), Required: true),
        new("schedules", new ListShape("When which kind of set is made.", new MapShape("When one kind of set is made.",
        [
            new("method", new TextShape("What is copied.", [.. BackupReader.Methods.Keys]), Default: "full"),
            new("every", new DurationShape("How often.", Minimum: TimeSpan.FromMinutes(1)), Required: true),
            new("at", new DurationShape("How long after the beginning of each interval, counted from 1970-01-01 UTC.", ZeroWord: "0"), Default: "0s"),
        ])), Required: true),
        new("continuous", new BooleanShape("Whether every change is kept as it is made, besides the sets."), Default: false),
        new("retention", new DurationShape("How far back the store can be restored.", Minimum: TimeSpan.FromHours(1)), Required: true),
        new("minimumSets", new IntegerShape("How many good sets are kept, however old they are.", 1, 1000), Default: 2L),
        new("rpo", new DurationShape("How much a restore may lose."), Required: true),
        new("rto", new DurationShape("How long a restore may take."), Required: true),
        new("verifyEvery", new DurationShape("How old the proof of a set may become.", Minimum: TimeSpan.FromMinutes(1)), Default: "7d"),
        new("grace", new DurationShape("How long a set that is to go is only marked.", Minimum: TimeSpan.FromMinutes(1)), Default: "24h"),
        new("rowTolerance", new IntegerShape("By how many percent the rows of a restored table may be off; 100: they are not compared.", 0, 100), Default: (long)RowTolerance.DefaultPercent),
        new("rowTolerances", new WordsShape("The same for tables by database.schema.table, where * stands for anything; the first that fits decides.", new IntegerShape("In percent.", 0, 100))),
    ]);

    private static readonly TextShape ParameterName = new("The name of a parameter, of its own or imported.", Pattern: "^[A-Za-z][A-Za-z0-9]*$", PatternInWords: "the name of a parameter such as replicas");

    private static readonly MapShape Signal = new("A number that says how busy the component is.",
    [
        new("name", Name, Required: true),
        new("kind", new TextShape("What it asks for.", [.. ScalingReader.SignalKinds.Keys]), Required: true),
        new("query", new TextShape("In PromQL; gives one number. May hold ${parameter}."), Required: true),
        new("target", new IntegerShape("Where the number should be.", 0, 1_000_000_000), Required: true),
        new("unit", new TextShape("What stands behind the number in sentences."), Default: ""),
        new("scaler", new TextShape("What asks for the same number when the specification leaves the component to Kubernetes.", Words.All<SignalScaler>()), Default: Words.Of(SignalScaler.Prometheus)),
    ]);

    private static readonly MapShape Scaling = new("How the number of replicas is changed. Its range is that of the parameter.",
    [
        new("parameter", ParameterName, Default: "replicas"),
        new("workload", new TextShape("Whose replicas it is.", Pattern: "^(Deployment|StatefulSet)/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", PatternInWords: "Kind/name such as Deployment/api")),
        new("connections", ParameterName),
        new("connectionLimit", ParameterName),
        new("tasks", new MapShape("The task queue that the replicas poll: they are asked before one goes.",
        [
            new("namespace", new TextShape("The Temporal namespace; may hold ${parameter}."), Required: true),
            new("queue", new TextShape("The task queue; may hold ${parameter}."), Required: true),
            new("longest", new DurationShape("How long an activity of theirs may take: a worker whose pod has that time to stop may go in the middle of one, and ends it.")),
        ])),
        new("shards", new BooleanShape("Whether the replicas are nodes of an Elasticsearch: shards leave a node before it goes."), Default: false),
        new("stabilize", new DurationShape("How long fewer replicas must have been enough before one goes.", Minimum: TimeSpan.FromMinutes(1), Maximum: TimeSpan.FromHours(24)), Default: "10m"),
        new("cooldown", new DurationShape("How long after a change nothing is taken away.", Minimum: TimeSpan.FromSeconds(10), Maximum: TimeSpan.FromHours(24)), Default: "2m"),
        new("stepOut", new IntegerShape("Percent of the replicas that may be added at once; at least one is.", 1, 1000), Default: 100L),
        new("stepIn", new IntegerShape("Percent of the replicas that may go at once; at least one may.", 1, 100), Default: 10L),
        new("signals", new ListShape("What is asked before the number is changed by itself.", Signal)),
    ]);

    private static readonly MapShape Observed = new("A value that an object tells once it is there.",
    [
        new("apiVersion", new TextShape("The object's API group and version."), Required: true),
        new("kind", new TextShape("Its kind."), Required: true),
        new("name", new TextShape("Its name; may hold ${parameter}."), Required: true),
        new("namespace", Name),
        new("field", new TextShape("Where it tells the value.", Pattern: @"^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*$", PatternInWords: "names with dots between them such as status.address"), Required: true),
    ]);

    public static MapShape Component { get; } = new("One system of the catalog.",
    [
        new("name", Name, Required: true),
        new("summary", new TextShape("One sentence."), Required: true),
        new("plane", Name, Required: true),
        new("namespace", Name, Required: true),
        new("dependsOn", new ListShape("Components that must be healthy first; one|other are alternatives.", Needed)),
        new("dependsOnPrimary", new ListShape("Components that must be healthy in the primary region before any other region begins with this one.", Name)),
        new("excludes", new ListShape("Components that take the place of this one: only one of them can be enabled.", Name)),
        new("provides", new ListShape("Kinds whose definitions it installs.", ProvidedKind)),
        new("upgradeAfter", new ListShape("Components that must run the version that is specified for them before this one is upgraded.", Name)),
        new("oneMinorAtATime", new TextShape("Why no minor version of its images may be skipped, nor an older one follow a newer one.")),
        new("delivery", new TextShape("How it gets into the world.", [.. DeliveryKinds.Keys]), Default: "manifests"),
        new("chart", Chart),
        new("values", new ListShape("Files with the chart's values, laid over one another.", new AnyShape("A file, or {file, when}."))),
        new("repeatFor", new TextShape("What its manifests are repeated for.", ["namespaces"])),
        new("parameters", new WordsShape("What the manifests may refer to as ${name}.", Parameter)),
        new("imports", new WordsShape("Parameters of other components that the manifests may refer to as well: each with the component that declares it, or alternatives.", Needed)),
        new("observed", new WordsShape("What the manifests may refer to as ${name} and only the world knows.", Observed)),
        new("secrets", new ListShape("Secrets that must exist first.", Secret)),
        new("rotations", new ListShape("Secrets that are rotated.", Rotation)),
        new("certificates", new ListShape("Certificates that are rotated.", Certificate)),
        new("certificateAuthorities", new ListShape("Who signs certificates, in Vault.", Authority)),
        new("backups", new ListShape("Stores that are backed up.", Backup)),
        new("scaling", Scaling),
        new("health", new ListShape("What it must do to count as healthy.", Gate), Required: true),
        new("manifests", new ListShape("The manifests in the order in which they are applied.", new AnyShape("A file, or {file, when}."))),
    ]);
}
