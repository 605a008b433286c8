using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Input of <c>DecommissionEnvironment</c> (workflow id <c>decommission/{environment}</c>).</summary>
public sealed record DecommissionEnvironmentInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary><c>apply</c> (default) or <c>plan</c>: says what would be removed and changes nothing.</summary>
    public RunbookMode Mode { get; init; } = RunbookMode.Apply;

    /// <summary>Whether data goes too: stores, volumes, buckets, secrets, namespaces. Default false. It does only where the guard rails allow it.</summary>
    public bool IncludeDataStores { get; init; }

    /// <summary>Default: derived from the environment and run id.</summary>
    public string? OperationId { get; init; }

    /// <summary>Why, for the report.</summary>
    public string? Reason { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends, with its unit. Default <c>24h</c>; 1s to 30d.</summary>
    public string? ParkedAtMost { get; init; }
}

/// <summary>The result of <c>DecommissionEnvironment</c>.</summary>
public sealed record DecommissionReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required DecommissionOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Summary { get; init; }

    public string? PlanHash { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    /// <summary>How many objects the plan names, by result.</summary>
    public required IReadOnlyDictionary<ObjectResult, int> Results { get; init; }

    /// <summary>What was kept as planned, each with the reason.</summary>
    public required IReadOnlyList<string> Kept { get; init; }

    /// <summary>What a listing by our labels still finds besides, each with the reason; empty when all is well.</summary>
    public required IReadOnlyList<string> LeftBehind { get; init; }

    /// <summary>What was to be kept and that listing does not find: it went with something else. Empty when all is well.</summary>
    public IReadOnlyList<string> Lost { get; init; } = [];

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum DecommissionOutcome
{
    /// <summary>Nothing of ours is left but what was kept as planned, and that is there.</summary>
    Removed,

    /// <summary>Only a plan was asked for.</summary>
    Planned,

    /// <summary>Everything that exists has to be kept: nothing was done.</summary>
    Refused,
    Rejected,

    /// <summary>Some steps were skipped by the operator, or something is left.</summary>
    Incomplete,

    /// <summary>Aborted, or nobody continued a parked run; see the summary.</summary>
    Failed,
}

/// <summary>A <see cref="DecommissionEnvironmentInput"/> that has been checked, with its defaults filled in.</summary>
internal sealed record DecommissionRequest(string Environment, string OperationId, TimeSpan ParkedAtMost, RunbookMode Mode, bool IncludeDataStores)
    : RunbookRequest(Environment, OperationId, ParkedAtMost)
{
    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static DecommissionRequest From(Input<DecommissionEnvironmentInput>? input, string firstRunId)
    {
        var fields = RequestFields.Given(input);
        var environment = RequestFields.Environment(fields.Environment);
        return new(
            environment, RequestFields.OperationId(fields.OperationId, "decommission", environment, firstRunId), RequestFields.ParkedAtMost(fields.ParkedAtMost),
            fields.Mode, fields.IncludeDataStores);
    }
}
