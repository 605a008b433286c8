using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Input of <c>DetectDrift</c> (workflow id <c>drift/{environment}</c>).</summary>
public sealed record DetectDriftInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Only these components, without what they depend on. Default: all.</summary>
    public IReadOnlyList<string>? Components { get; init; }

    /// <summary>What is done about drift: <c>report</c> (default), <c>adopt</c> or <c>revert</c>.</summary>
    public DriftMode Mode { get; init; } = DriftMode.Report;

    /// <summary>How long a run that found drift waits for somebody to decide, with its unit. Without it a <c>report</c> ends at once, and a <c>revert</c>
    /// that needs approval waits as long as the guard rails say; 1s to 30d.</summary>
    public string? DecideWithin { get; init; }

    /// <summary>Stamped on everything that the run changes. Default: derived from the environment and run id.</summary>
    public string? OperationId { get; init; }

    /// <summary>Why, for the report.</summary>
    public string? Reason { get; init; }

    /// <summary>How long one component may take to become healthy after it was reverted, with its unit. Default <c>15m</c>; 1s to 24h.</summary>
    public string? HealthyWithin { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends, with its unit. Default <c>24h</c>; 1s to 30d.</summary>
    public string? ParkedAtMost { get; init; }
}

public enum DriftMode
{
    /// <summary>Say what differs; change nothing.</summary>
    Report,

    /// <summary>Say what to write into the specification so that it says what was found.</summary>
    Adopt,

    /// <summary>Bring what differs back to what is specified.</summary>
    Revert,
}

/// <summary>The result of <c>DetectDrift</c>.</summary>
public sealed record DriftReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required DriftOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Summary { get; init; }

    /// <summary>Of the plan that would revert what differs; null when nothing does.</summary>
    public string? PlanHash { get; init; }

    /// <summary>How many findings there are.</summary>
    public required int Found { get; init; }

    /// <summary>In plan order; the first ones only when all would be too many for a report: then the query <c>findings</c> has them all.</summary>
    public required IReadOnlyList<DriftFinding> Findings { get; init; }

    /// <summary>What to write into the specification; only when the findings were adopted.</summary>
    public SpecificationChange? Adoption { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    /// <summary>What became of the objects that were to be reverted; empty when none were.</summary>
    public required IReadOnlyList<ObjectOutcome> Objects { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum DriftOutcome
{
    /// <summary>Nothing differs.</summary>
    AsDeclared,

    /// <summary>Something differs, and was left as it is.</summary>
    Drifted,

    /// <summary>What differed is as declared again.</summary>
    Reverted,

    /// <summary>The report says what to write into the specification.</summary>
    Adopted,

    /// <summary>Some steps of the revert were skipped by the operator.</summary>
    Incomplete,

    /// <summary>Ended without reaching its goal; see the summary.</summary>
    Failed,
}

/// <summary>A <see cref="DetectDriftInput"/> that has been checked, with its defaults filled in.</summary>
internal sealed record DriftRequest(
    string Environment, string OperationId, TimeSpan ParkedAtMost, DriftMode Mode, IReadOnlyList<string>? Components, TimeSpan? DecideWithin, TimeSpan HealthyWithin)
    : RunbookRequest(Environment, OperationId, ParkedAtMost)
{
    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static DriftRequest From(Input<DetectDriftInput>? input, string firstRunId)
    {
        var fields = RequestFields.Given(input);
        var environment = RequestFields.Environment(fields.Environment);
        return new(
            environment,
            RequestFields.OperationId(fields.OperationId, "drift", environment, firstRunId),
            RequestFields.ParkedAtMost(fields.ParkedAtMost),
            fields.Mode,
            RequestFields.Components(fields.Components),
            RequestFields.Duration("decideWithin", fields.DecideWithin, TimeSpan.FromDays(30)),
            RequestFields.HealthyWithin(fields.HealthyWithin));
    }
}
