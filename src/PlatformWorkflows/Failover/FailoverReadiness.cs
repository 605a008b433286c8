using System.Text.Json;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>Input of <c>FailoverReadiness</c> (workflow id <c>failover-readiness/{environment}</c>).</summary>
public sealed record FailoverReadinessRequest
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }
}

/// <summary>The result of <c>FailoverReadiness</c>.</summary>
public sealed record FailoverReadinessReport
{
    public required string Environment { get; init; }

    public required ReadinessOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator; when something is missing, what and what to do.</summary>
    public required string Summary { get; init; }

    /// <summary>All that was looked at.</summary>
    public required IReadOnlyList<ReadinessItem> Items { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum ReadinessOutcome
{
    /// <summary>Nothing stands in the way of the next failover; what could not be found out is in the items.</summary>
    Ready,

    /// <summary>The next failover would fail, lose rows, or take longer than wanted.</summary>
    NotReady,
}

/// <summary>Says whether the next failover of an environment would succeed, and what is missing. Changes nothing. See <c>docs/runbooks/failover.md</c>.</summary>
[Workflow]
public sealed class FailoverReadiness
{
    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private RunbookPhase phase = RunbookPhase.Observing;
    private string environment = "";
    private string summary = "Looking at everything that a failover would need.";

    /// <summary>Workflow id of the run of an environment, and id of the schedule that starts it.</summary>
    public static string WorkflowId(string environment) => $"failover-readiness/{environment}";

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(FailoverReadiness),
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
    public async Task<FailoverReadinessReport> RunAsync(Input<FailoverReadinessRequest>? input = null)
    {
        environment = RequestFields.Environment(RequestFields.Given(input).Environment);
        Workflow.UpsertTypedSearchAttributes(
            RunbookSearchAttributes.Runbook.ValueSet(nameof(FailoverReadiness)), RunbookSearchAttributes.Environment.ValueSet(environment), RunbookSearchAttributes.Phase.ValueSet(InWords(phase)));
        try
        {
            var found = await Workflow.ExecuteActivityAsync(
                (IFailoverActivities activities) => activities.CheckReadinessAsync(new(environment, false, true)),
                new()
                {
                    Summary = $"Whether {environment} could fail over",
                    StartToCloseTimeout = TimeSpan.FromMinutes(1),
                    // The next look is minutes away: one that gets no answer is not tried for ever.
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 3 },
                });
            var outcome = found.Ready ? ReadinessOutcome.Ready : ReadinessOutcome.NotReady;
            Enter(RunbookPhase.Completed, InWords(found), outcome);
            return new()
            {
                Environment = environment,
                Outcome = outcome,
                Summary = summary,
                Items = found.Items,
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

    private static string InWords(ReadinessReport found)
    {
        var unknown = found.Items.Count(item => item.Ok is null);
        return found.Ready
            ? $"Ready: everything is there for the next failover.{(unknown == 0 ? "" : $" {unknown} of {found.Items.Count} could not be found out.")}"
            : $"Not ready. {string.Join(" ", found.Items.Where(item => item.Ok == false).Select(item => $"{item.Name}: {item.Detail}"))}";
    }

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private void Enter(RunbookPhase next, string because, ReadinessOutcome? outcome = null)
    {
        PhaseMetrics.Follow(phase, next);
        (phase, summary) = (next, because);
        Workflow.UpsertTypedSearchAttributes(
            [RunbookSearchAttributes.Phase.ValueSet(InWords(next)), .. outcome is { } known ? [RunbookSearchAttributes.Outcome.ValueSet(InWords(known))] : Array.Empty<SearchAttributeUpdate>()]);
        Workflow.CurrentDetails = $"**{InWords(next)}**: {because}";
    }
}
