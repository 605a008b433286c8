using System.Globalization;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Scaling;

/// <summary>Input of <c>RolloutWorkers</c> (workflow id <c>rollout/{environment}/{component}@{region}</c>).</summary>
public sealed record RolloutWorkersInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The component's name in the catalog; it has <c>scaling.tasks</c>.</summary>
    public string? Component { get; init; }

    /// <summary>Required. The region whose Temporal is meant.</summary>
    public string? Region { get; init; }

    /// <summary>Required. The build id with which the new workers poll.</summary>
    public string? BuildId { get; init; }

    /// <summary>The deployment name with which the component's workers poll. Default: the component's name.</summary>
    public string? Deployment { get; init; }

    /// <summary>The percentages of the new runs that the version gets one after the other, at most ten, rising, each above 0 and below 100; then it gets all. Default 10, 25, 50.</summary>
    public IReadOnlyList<double>? Percentages { get; init; }

    /// <summary>How long each part is watched at least, and the whole at the end. Default 10m; 1s to 7d.</summary>
    public string? StepFor { get; init; }

    /// <summary>How many runs on the version have to end before the next part. Default 20; 0 to 1,000,000.</summary>
    public int? AtLeast { get; init; }

    /// <summary>By how many percentage points more of its runs may fail than of the old version's. Default 5; 0 to 100.</summary>
    public double? WorseBy { get; init; }

    /// <summary>How long a part may take to be judged, and workers may take to come, before people are asked. Default 24h; 1s to 30d.</summary>
    public string? JudgedWithin { get; init; }

    /// <summary>How many drained versions stay afterwards, the newest first. Default 5; 0 to 90.</summary>
    public int? Keep { get; init; }

    /// <summary><c>apply</c> (default) or <c>plan</c>.</summary>
    public RunbookMode Mode { get; init; } = RunbookMode.Apply;

    /// <summary>Why, for the report.</summary>
    public string? Reason { get; init; }

    /// <summary>Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends. Default 24h; 1s to 30d.</summary>
    public string? ParkedAtMost { get; init; }
}

/// <summary>Result of <c>RolloutWorkers</c>.</summary>
public sealed record RolloutReport
{
    public required string Environment { get; init; }

    public required string Component { get; init; }

    public required string Region { get; init; }

    public required string OperationId { get; init; }

    public required string Deployment { get; init; }

    public required string BuildId { get; init; }

    /// <summary>The version that was current; null: workers without a version.</summary>
    public string? From { get; init; }

    public required RolloutOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Summary { get; init; }

    /// <summary>Which part it had how long, and what became of its runs since the beginning.</summary>
    public required IReadOnlyList<RolloutPart> Parts { get; init; }

    /// <summary>Versions that Temporal was told to forget.</summary>
    public required IReadOnlyList<string> Forgotten { get; init; }

    /// <summary>Drained versions that it would not forget, each with the reason.</summary>
    public required IReadOnlyList<string> NotForgotten { get; init; }

    public string? PlanHash { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <param name="Percentage">100: all.</param>
/// <param name="New">What became of runs on the new version, from the rollout's beginning to the end of this part.</param>
/// <param name="Old">The same of the version before.</param>
public sealed record RolloutPart(double Percentage, DateTimeOffset Since, RunCounts New, RunCounts Old);

public enum RolloutOutcome
{
    /// <summary>It has all new runs, and did well.</summary>
    RolledOut,

    /// <summary>It had all new runs already.</summary>
    AsWanted,

    /// <summary>Only a plan was asked for.</summary>
    Planned,

    /// <summary>It must not be; nothing was changed.</summary>
    Refused,

    /// <summary>Not approved; nothing was changed.</summary>
    Rejected,

    /// <summary>It did not do well, or was aborted: the version before has all new runs.</summary>
    Returned,

    /// <summary>Somebody else has changed where new runs go, which was left.</summary>
    Superseded,

    /// <summary>New runs could not be led back.</summary>
    Failed,
}

/// <summary>A <see cref="RolloutWorkersInput"/> that has been checked, with its defaults filled in.</summary>
internal sealed record RolloutRequest(
    string Environment, string OperationId, TimeSpan ParkedAtMost, ScalingReference Subject, string Deployment, RolloutPolicy Policy, TimeSpan JudgedWithin, int Keep, RunbookMode Mode)
    : RunbookRequest(Environment, OperationId, ParkedAtMost)
{
    private static readonly double[] UsualPercentages = [10, 25, 50];

    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static RolloutRequest From(Input<RolloutWorkersInput>? input, string firstRunId)
    {
        var fields = RequestFields.Given(input);
        var environment = RequestFields.Environment(fields.Environment);
        ControlFields.Require("component", fields.Component, "the component's name in the catalog");
        ControlFields.Require("region", fields.Region, "the region whose Temporal is meant");
        ControlFields.Require("buildId", fields.BuildId, "the build id with which the new workers poll");
        var percentages = fields.Percentages ?? UsualPercentages;
        if (percentages.Count > 10 || percentages.Any(part => part is not (> 0 and < 100)) || percentages.Zip(percentages.Skip(1)).Any(pair => pair.First >= pair.Second))
            throw FailureTypes.Invalid($"Field 'percentages' is {string.Join(", ", percentages.Select(part => part.ToString(CultureInfo.InvariantCulture)))}: at most ten rising numbers above 0 and below 100 are expected, for example 10, 25, 50.");
        return new(
            environment, RequestFields.OperationId(fields.OperationId, "rollout", $"{fields.Component}-{fields.Region}", firstRunId), RequestFields.ParkedAtMost(fields.ParkedAtMost),
            new(environment, fields.Component!, fields.Region!), string.IsNullOrWhiteSpace(fields.Deployment) ? fields.Component! : fields.Deployment,
            new(
                fields.BuildId!, percentages, RequestFields.Duration("stepFor", fields.StepFor, TimeSpan.FromDays(7)) ?? TimeSpan.FromMinutes(10),
                Number("atLeast", fields.AtLeast, 20, 1_000_000), Share("worseBy", fields.WorseBy, 5)),
            RequestFields.Duration("judgedWithin", fields.JudgedWithin, TimeSpan.FromDays(30)) ?? TimeSpan.FromHours(24), Number("keep", fields.Keep, 5, 90), fields.Mode);
    }

    private static int Number(string field, int? given, int usual, int maximum) => given is null or >= 0 && !(given > maximum)
        ? given ?? usual
        : throw FailureTypes.Invalid($"Field '{field}' is {given.Value.ToString(CultureInfo.InvariantCulture)}: 0..{maximum.ToString(CultureInfo.InvariantCulture)} is expected.");

    private static double Share(string field, double? given, double usual) => given is null or (>= 0 and <= 100)
        ? given ?? usual
        : throw FailureTypes.Invalid($"Field '{field}' is {given.Value.ToString(CultureInfo.InvariantCulture)}: percentage points from 0 to 100 are expected.");
}
