using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Input of <c>UpgradeComponent</c> (workflow id <c>upgrade/{environment}/{component}</c>).</summary>
public sealed record UpgradeComponentInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The component's name in the catalog.</summary>
    public string? Component { get; init; }

    /// <summary>The version that specification and catalog have to say by now: the tag of one of its images, or of its chart. Default: whatever they say.</summary>
    public string? Version { get; init; }

    /// <summary>The values that the specification has to say of its parameters by now, as text. Default: whatever it says.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary><c>apply</c> (default) or <c>plan</c>.</summary>
    public RunbookMode Mode { get; init; } = RunbookMode.Apply;

    /// <summary>How long each region has to stay healthy before the next one is upgraded, with its unit. Default: only the health gates; 1s to 24h.</summary>
    public string? ObserveFor { get; init; }

    /// <summary>Stamped on everything that the run changes. Default: derived from the environment and run id.</summary>
    public string? OperationId { get; init; }

    /// <summary>Why, for the report.</summary>
    public string? Reason { get; init; }

    /// <summary>How long one region may take to become healthy, with its unit. Default <c>15m</c>; 1s to 24h.</summary>
    public string? HealthyWithin { get; init; }

    /// <summary>How long a run whose return failed waits for an operator, with its unit. Default <c>24h</c>; 1s to 30d.</summary>
    public string? ParkedAtMost { get; init; }
}

/// <summary>The result of <c>UpgradeComponent</c>.</summary>
public sealed record UpgradeReport
{
    public required string Environment { get; init; }

    public required string Component { get; init; }

    public required string OperationId { get; init; }

    public required UpgradeOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Summary { get; init; }

    public string? PlanHash { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required IReadOnlyList<ObjectOutcome> Objects { get; init; }

    /// <summary>Steps that could not be returned to what they were, each with the reason; empty when all is well.</summary>
    public required IReadOnlyList<string> LeftBehind { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum UpgradeOutcome
{
    /// <summary>Every region runs what is specified, and is healthy.</summary>
    Upgraded,

    /// <summary>Every region ran it already, and is healthy.</summary>
    UpToDate,

    /// <summary>Only a plan was asked for.</summary>
    Planned,
    Rejected,

    /// <summary>A region did not do well, or the run was aborted: every region is as it was, and healthy.</summary>
    Returned,

    /// <summary>Not everything could be returned to what it was; see <see cref="UpgradeReport.LeftBehind"/>.</summary>
    Failed,

    /// <summary>Every region that was begun has what was applied before, and is not healthy with it; the steps say why.</summary>
    Unhealthy,
}

/// <summary>An <see cref="UpgradeComponentInput"/> that has been checked, with its defaults filled in.</summary>
internal sealed record UpgradeRequest(
    string Environment, string OperationId, TimeSpan ParkedAtMost, string Component, ExpectedOfSpecification Expected, RunbookMode Mode, TimeSpan? ObserveFor, TimeSpan HealthyWithin)
    : RunbookRequest(Environment, OperationId, ParkedAtMost)
{
    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static UpgradeRequest From(Input<UpgradeComponentInput>? input, string firstRunId)
    {
        var fields = RequestFields.Given(input);
        var environment = RequestFields.Environment(fields.Environment);
        if (string.IsNullOrWhiteSpace(fields.Component))
            throw FailureTypes.Invalid("Field 'component' is missing. Give the component's name in the catalog.");
        return new(
            environment, RequestFields.OperationId(fields.OperationId, "upgrade", environment, firstRunId), RequestFields.ParkedAtMost(fields.ParkedAtMost),
            fields.Component, new(fields.Version, fields.Parameters), fields.Mode,
            RequestFields.Duration("observeFor", fields.ObserveFor, TimeSpan.FromHours(24)), RequestFields.HealthyWithin(fields.HealthyWithin));
    }
}
