using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Input of <c>ProvisionEnvironment</c> (workflow id <c>provision/{environment}</c>).</summary>
public sealed record ProvisionEnvironmentInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary><c>apply</c> (default) or <c>plan</c>: the same code with read-only activities.</summary>
    public RunbookMode Mode { get; init; } = RunbookMode.Apply;

    /// <summary>Stamped on everything that the run creates or changes. Default: derived from the workflow and run id.
    /// Lower-case letters, digits and dashes, at most 63 characters.</summary>
    public string? OperationId { get; init; }

    /// <summary>Only these components and what they depend on. Default: all.</summary>
    public IReadOnlyList<string>? Components { get; init; }

    /// <summary>Why, for the report.</summary>
    public string? Reason { get; init; }

    /// <summary>How long one component may take to become healthy, with its unit. Default <c>15m</c>; 1s to 24h.</summary>
    public string? HealthyWithin { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends, with its unit. Default <c>24h</c>; 1s to 30d.</summary>
    public string? ParkedAtMost { get; init; }
}

public enum RunbookMode
{
    Apply,
    Plan,
}

/// <summary>The result of <c>ProvisionEnvironment</c>.</summary>
public sealed record ProvisioningReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required ProvisioningOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Summary { get; init; }

    /// <summary>Set in <c>mode: plan</c>, and when there was something to approve; null when it is too large for a report: ask the query <c>plan</c>.</summary>
    public ProvisioningPlan? Plan { get; init; }

    /// <summary>Null when the run ended before it had planned.</summary>
    public string? PlanHash { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    /// <summary>Every object that the plan names; empty when they are too many for a report: then <see cref="Results"/> counts them, and the
    /// query <c>objects</c> lists them.</summary>
    public required IReadOnlyList<ObjectOutcome> Objects { get; init; }

    /// <summary>How many objects the plan names, by result.</summary>
    public IReadOnlyDictionary<ObjectResult, int> Results { get; init; } = new Dictionary<ObjectResult, int>();

    /// <summary>Objects that were left behind or could not be undone, each with the reason; empty when all is well.</summary>
    public required IReadOnlyList<string> LeftBehind { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum ProvisioningOutcome
{
    /// <summary>Every component is healthy.</summary>
    Healthy,

    /// <summary>Only a plan was asked for.</summary>
    Planned,

    /// <summary>Some steps were skipped by the operator.</summary>
    Incomplete,
    Rejected,

    /// <summary>Aborted, and what the run had created is gone.</summary>
    RolledBack,

    /// <summary>Ended without reaching its goal; see the summary.</summary>
    Failed,
}

/// <summary>What happened to one object.</summary>
/// <param name="Owner">The component and environment whose labels it carries, or who owns it instead.</param>
/// <param name="OperationId">The operation that last changed it; null when we never did.</param>
/// <param name="Cost">What it costs; null: nothing, or unknown.</param>
public sealed record ObjectOutcome(ResourceAddress Address, string Owner, string? OperationId, ObjectResult Result, CostClass? Cost = null);

public enum ObjectResult
{
    Created,
    Changed,
    Unchanged,
    Pruned,
    Conflict,

    /// <summary>The run ended before it.</summary>
    NotReached,

    /// <summary>Created by this run and removed by its rollback.</summary>
    RolledBack,
}
