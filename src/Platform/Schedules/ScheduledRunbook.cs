using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Schedules;

/// <summary>A runbook that can be started again and again, and what holds where a schedule says nothing else. This is the table of them: another one is a line here.</summary>
/// <param name="Name">As specifications write it.</param>
/// <param name="WorkflowType">What is started.</param>
/// <param name="RunId">The id of its runs by environment and input, as when an operator starts it. Temporal adds the time to it when a schedule starts one.</param>
/// <param name="Does">What a run does in an environment, for people: <c>looks for drift</c>.</param>
/// <param name="Workers">Who carries it out.</param>
/// <param name="Jitter">By how much a run may be late when nothing else is said: so that not everything starts at the full hour. Never more than a tenth of the interval.</param>
/// <param name="CatchUpWindow">How late a run that was missed is still worth starting when nothing else is said. Never longer than the interval.</param>
/// <param name="PauseOnFailure">Whether a run that fails pauses the schedule when nothing else is said: where somebody has to look before the next one.</param>
/// <param name="Fixed">Input that every run gets.</param>
public sealed record ScheduledRunbook(
    string Name, string WorkflowType, Func<string, JsonObject, string> RunId, string Does, WorkerGroup Workers, TimeSpan Jitter, TimeSpan CatchUpWindow, bool PauseOnFailure, JsonObject Fixed)
{
    private static readonly ListShape Names = new("Only these. Default: all that are due.", new TextShape("A name."));
    private static readonly DurationShape Settle = new("How long all consumers have to be proved before the old one is revoked.");
    private static readonly DurationShape ProveWithin = new("How long that proof may take before the run parks.", Maximum: TimeSpan.FromHours(24));

    private static readonly ShapeKey Store = new("store", new TextShape("The store's name in the catalog."), Required: true);
    private static readonly ShapeKey Region = new("region", new TextShape("The region whose store is meant, where each region has its own."));
    private static readonly ShapeKey Within = new("within", new DurationShape("How long a run may take before it counts as failed.", TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)));

    /// <summary>Every runbook that can be scheduled.</summary>
    public static IReadOnlyList<ScheduledRunbook> All { get; } =
    [
        new("DetectDrift", "DetectDrift", (environment, _) => $"drift/{environment}", "looks for drift",
            WorkerGroup.Default, Jitter: TimeSpan.FromMinutes(1), CatchUpWindow: TimeSpan.FromMinutes(30), PauseOnFailure: false, Fixed: [])
        {
            Input = new("What DetectDrift is to do.",
            [
                new("components", new ListShape("Only these components. Default: all.", new TextShape("A component."))),
                new("mode", new TextShape("What is done about drift.", ["report", "revert"])),
                new("decideWithin", new DurationShape("How long a run that found drift waits for somebody to decide.", TimeSpan.FromSeconds(1), TimeSpan.FromDays(30))),
            ]),
        },
        new("RotateSecrets", "RotateSecrets", (environment, _) => $"secrets/{environment}", "rotates the secrets that are due",
            WorkerGroup.Default, Jitter: TimeSpan.FromMinutes(5), CatchUpWindow: TimeSpan.FromHours(6), PauseOnFailure: false, Fixed: [])
        {
            Input = new("What RotateSecrets is to do.", [new("secrets", Names), new("settle", Settle), new("proveWithin", ProveWithin)]),
        },
        new("RotateCertificates", "RotateCertificates", (environment, _) => $"certificates/{environment}", "rotates the certificates that are due",
            WorkerGroup.Default, Jitter: TimeSpan.FromMinutes(1), CatchUpWindow: TimeSpan.FromHours(1), PauseOnFailure: false, Fixed: [])
        {
            Input = new("What RotateCertificates is to do.", [new("certificates", Names), new("settle", Settle), new("proveWithin", ProveWithin)]),
        },
        new("FailoverReadiness", "FailoverReadiness", (environment, _) => $"failover-readiness/{environment}", "looks whether a failover would succeed",
            WorkerGroup.Failover, Jitter: TimeSpan.Zero, CatchUpWindow: TimeSpan.FromMinutes(1), PauseOnFailure: false, Fixed: [])
        {
            NeedsFailover = true,
        },
        new("WarmStandby", "WarmStandby", (environment, _) => $"warm-standby/{environment}", "looks whether the standby's region has room for what the other one runs",
            WorkerGroup.Default, Jitter: TimeSpan.FromSeconds(30), CatchUpWindow: TimeSpan.FromMinutes(10), PauseOnFailure: false, Fixed: [])
        {
            NeedsFailover = true,
            Input = new("What WarmStandby looks at.", [new("region", new TextShape("The region that would have to carry the other one. Default: the second one."))]),
        },
        // A drill that failed may have left its copy: somebody looks before the next one makes another.
        new("FailoverDrill", "RegionFailover", (environment, _) => $"failover-drill/{environment}", "practises a failover on an isolated copy",
            WorkerGroup.Drill, Jitter: TimeSpan.Zero, CatchUpWindow: TimeSpan.FromHours(1), PauseOnFailure: true, Fixed: new() { ["mode"] = "drill" })
        {
            NeedsFailover = true,
            Input = new("What the drill practises.", [new("scenario", new TextShape("What happens to the copy.", ["nodeLost", "switchover"]))]),
        },
        BackUp("BackUpDatabase", StoreKind.Postgresql),
        BackUp("BackUpSearch", StoreKind.Elasticsearch),
        BackUp("BackUpClusterState", StoreKind.KubernetesState),
        BackUp("BackUpVault", StoreKind.Vault),
        OfStore("VerifyBackup", "verify-backup", "proves a backup by restoring it where nobody reaches it", TimeSpan.FromMinutes(5), TimeSpan.FromHours(6), Within),
        OfStore("ApplyRetention", "retention", "lets go of backups that are not needed any more", TimeSpan.FromMinutes(5), TimeSpan.FromHours(6)),
    ];

    /// <summary>What a schedule may say in <c>input</c>.</summary>
    internal MapShape Input { get; init; } = new("Nothing can be said.", []);

    /// <summary>Whether the environment has to have a failover.</summary>
    public bool NeedsFailover { get; init; }

    /// <summary>Whether its input has to name a store.</summary>
    public bool NeedsStore { get; init; }

    /// <summary>The kind of stores that it backs up; null: it makes no backups.</summary>
    public StoreKind? BacksUp { get; init; }

    /// <summary>Null: none of that name can be scheduled.</summary>
    public static ScheduledRunbook? Find(string name) => All.FirstOrDefault(runbook => runbook.Name == name);

    /// <summary>What was missed for less than an hour is made up for: an older backup is worth nothing beside the next one.</summary>
    private static ScheduledRunbook BackUp(string workflow, StoreKind kind) =>
        OfStore(workflow, "backup", "makes a backup", TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), new ShapeKey("method", new TextShape("What is made. Default: what is due.", ["full", "differential", "incremental"])), Within) with { BacksUp = kind };

    private static ScheduledRunbook OfStore(string workflow, string prefix, string does, TimeSpan jitter, TimeSpan catchUpWindow, params IReadOnlyList<ShapeKey> fields) => new(
        workflow, workflow, (environment, input) => $"{prefix}/{environment}/{input["store"]}{(input["region"] is { } region ? $"@{region}" : "")}", does, WorkerGroup.Default, jitter, catchUpWindow, PauseOnFailure: false, Fixed: [])
    {
        NeedsStore = true,
        Input = new($"What {workflow} is to do.", [Store, Region, .. fields]),
    };
}

/// <summary>Workers that poll one task queue.</summary>
public enum WorkerGroup
{
    /// <summary>Those of everything that can wait.</summary>
    Default,

    /// <summary>Those of failovers.</summary>
    Failover,

    /// <summary>Those that make copies for drills.</summary>
    Drill,
}
