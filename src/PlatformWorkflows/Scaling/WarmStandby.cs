using System.Text.Json;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Scaling;

/// <summary>Input of <c>WarmStandby</c> (workflow id <c>warm-standby/{environment}</c>).</summary>
public sealed record WarmStandbyRequest
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>The region that would have to carry the other one. Default: the second one of the environment.</summary>
    public string? Region { get; init; }
}

/// <summary>The result of <c>WarmStandby</c>.</summary>
public sealed record WarmStandbyReport
{
    public required string Environment { get; init; }

    /// <summary>The region that would have to carry.</summary>
    public required string Region { get; init; }

    /// <summary>The region that carries.</summary>
    public required string Serving { get; init; }

    public required WarmStandbyOutcome Outcome { get; init; }

    /// <summary>What was found; when something is missing, what and what to do.</summary>
    public required string Summary { get; init; }

    /// <summary>What does not find room.</summary>
    public required IReadOnlyList<string> Shortfalls { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum WarmStandbyOutcome
{
    /// <summary>Everything finds room.</summary>
    Enough,

    /// <summary>Something does not.</summary>
    Short,

    /// <summary>It could not be found out.</summary>
    Unknown,
}

/// <summary>Says whether the standby's region has room for what the serving region runs. Changes nothing. See <c>docs/runbooks/warm-standby.md</c>.</summary>
[Workflow]
public sealed class WarmStandby
{
    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private RunbookPhase phase = RunbookPhase.Observing;
    private string environment = "";
    private string summary = "Looking at both regions.";

    /// <summary>Workflow id of the run of an environment, and id of the schedule that starts it.</summary>
    public static string WorkflowId(string environment) => $"warm-standby/{environment}";

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(WarmStandby),
        Environment = environment,
        OperationId = "",
        Phase = phase,
        Summary = summary,
        Steps = [],
        IfStoppedNow = "Nothing has been changed.",
        Compensations = [],
        StartedAt = startedAt,
    };

    /// <summary>The runbook: look, report. That something is missing is a result, not a failure.</summary>
    [WorkflowRun]
    public async Task<WarmStandbyReport> RunAsync(Input<WarmStandbyRequest>? input = null)
    {
        var given = RequestFields.Given(input);
        environment = RequestFields.Environment(given.Environment);
        Workflow.UpsertTypedSearchAttributes(
            RunbookSearchAttributes.Runbook.ValueSet(nameof(WarmStandby)), RunbookSearchAttributes.Environment.ValueSet(environment), RunbookSearchAttributes.Phase.ValueSet(InWords(phase)));
        try
        {
            var found = await Workflow.ExecuteActivityAsync(
                (IScalingActivities activities) => activities.ObserveStandbyAsync(new(environment, given.Region)),
                new()
                {
                    Summary = $"Whether {given.Region ?? "the standby's region"} could carry {environment}",
                    StartToCloseTimeout = TimeSpan.FromMinutes(2),
                    // The next look comes by schedule: one that gets no answer is not tried for ever.
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 3 },
                });
            var outcome = found.Verdict.Enough switch
            {
                true => WarmStandbyOutcome.Enough,
                false => WarmStandbyOutcome.Short,
                null => WarmStandbyOutcome.Unknown,
            };
            Enter(RunbookPhase.Completed, found.Verdict.Summary, outcome);
            return new()
            {
                Environment = environment,
                Region = found.Region,
                Serving = found.Serving,
                Outcome = outcome,
                Summary = summary,
                Shortfalls = found.Verdict.Shortfalls,
                StartedAt = startedAt,
                FinishedAt = new(Workflow.UtcNow),
            };
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            Enter(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private void Enter(RunbookPhase next, string because, WarmStandbyOutcome? outcome = null)
    {
        PhaseMetrics.Follow(phase, next);
        (phase, summary) = (next, because);
        Workflow.UpsertTypedSearchAttributes(
            [RunbookSearchAttributes.Phase.ValueSet(InWords(next)), .. outcome is { } known ? [RunbookSearchAttributes.Outcome.ValueSet(InWords(known))] : Array.Empty<SearchAttributeUpdate>()]);
        Workflow.CurrentDetails = $"**{InWords(next)}**: {because}";
    }
}
