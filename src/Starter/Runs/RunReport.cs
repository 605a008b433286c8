using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Runs;

/// <summary>What the reports of all runbooks have in common; what one has besides is in <see cref="Json"/>.</summary>
internal sealed record RunReport
{
    /// <summary>The ends of all runbooks that count as reaching the goal.</summary>
    private static readonly HashSet<string> Goals = ["healthy", "planned", "asDeclared", "drifted", "reverted", "adopted", "removed", "upgraded", "upToDate", "ready", "completed", "rotated", "nothingDue", "scaled", "rolledOut", "asWanted", "ended", "complete", "proved", "applied", "read", "restored", "held", "released", "enough"];

    public string Outcome { get; init; } = "";

    public string Summary { get; init; } = "";

    public string OperationId { get; init; } = "";

    public string? PlanHash { get; init; }

    public ProvisioningPlan? Plan { get; init; }

    public IReadOnlyList<RunbookStep> Steps { get; init; } = [];

    public IReadOnlyDictionary<ObjectResult, int> Results { get; init; } = new Dictionary<ObjectResult, int>();

    public IReadOnlyList<string> LeftBehind { get; init; } = [];

    public IReadOnlyList<string> Lost { get; init; } = [];

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset FinishedAt { get; init; }

    /// <summary>As the runbook wrote it.</summary>
    [JsonIgnore]
    public JsonElement Json { get; init; }

    public bool ReachedItsGoal => Goals.Contains(Outcome);

    public static RunReport Read(JsonElement json) => json.Deserialize<RunReport>(PlatformOpsDataConverter.Json)! with { Json = json };

    /// <summary>The report as the record that the runbook wrote.</summary>
    public T As<T>() => Json.Deserialize<T>(PlatformOpsDataConverter.Json)!;
}
