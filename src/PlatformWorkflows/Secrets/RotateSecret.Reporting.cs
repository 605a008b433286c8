using System.Globalization;
using System.Text.Json;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Secrets;

/// <summary>How it says where it stands.</summary>
public sealed partial class RotateSecret
{
    private const string Looking = "Looking at Vault, at the system that the secret is for, and at its consumers.";

    /// <summary>Failures of unknown outcome of one step that are looked at again before somebody is asked.</summary>
    private const int FailuresInARow = 5;

    /// <summary>Between looks: a tenth of the time that it has taken so far, in these bounds, so that waiting for a day stays far below 10,000 events.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>So that a lost proof is noticed early in a short time, and a week of it stays below 10,000 events.</summary>
    private const int LooksWhileSettling = 20;

    private static readonly TimeSpan LongestPauseOfProof = TimeSpan.FromHours(1);

    private readonly List<RunbookStep> steps = [.. new[]
    {
        RotationStep.Create, RotationStep.Set, RotationStep.Promote, RotationStep.Publish, RotationStep.Refresh, RotationStep.Settle, RotationStep.Revoke,
    }.Select(step => new RunbookStep(InWords(step), StepState.Pending, InTheOrder(step), []))];

    private string rotation = "";
    private RotationStep? failedAt;
    private int failures;
    private bool toldParent;

    private RunbookPhase Phase { get; set; } = RunbookPhase.Observing;

    private string Summary { get; set; } = Looking;

    private RunbookWait? WaitingFor { get; set; }

    private bool Ended => Phase is RunbookPhase.Completed or RunbookPhase.Aborted or RunbookPhase.Failed;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RotateSecret),
        Environment = request.Environment,
        OperationId = request.OperationId,
        Phase = Phase,
        Summary = Summary,
        Steps = [.. steps, .. (sight?.Seen.Consumers ?? []).Select(Step)],
        WaitingFor = WaitingFor,
        Next = Ended ? null : decision?.Why ?? Looking,
        IfStoppedNow = IfStoppedNow(),
        Compensations = Ended || PointOfNoReturnPassed ? [] : ["Hand out the value of before again, and revoke the new one."],
        PointOfNoReturnPassed = PointOfNoReturnPassed,
        StartedAt = startedAt,
    };

    private static string InTheOrder(RotationStep step) => step switch
    {
        RotationStep.Create => "A new value is made and kept in Vault as pending.",
        RotationStep.Set => "The system accepts it, beside the current one.",
        RotationStep.Promote => "It was tried; it is the current version in Vault.",
        RotationStep.Publish => "The Kubernetes Secret holds it.",
        RotationStep.Refresh => "Consumers are restarted, one at a time.",
        RotationStep.Settle => "The proof that all of them use it holds.",
        _ => "The previous value is refused and destroyed.",
    };

    private string IfStoppedNow() => sight?.Seen switch
    {
        null => "Nothing has been changed.",
        _ when Phase == RunbookPhase.Completed => "Nothing is half-done.",
        { Previous: not null, Current: { } current } => $"Consumers may use version {current.Version} or the one before: both are valid. Start the runbook again to go on.",
        { Pending: not null } => "A new value is kept in Vault and not handed out; the current one is in use and valid. Start the runbook again to go on.",
        _ => "The current value is in use and valid.",
    };

    private static RunbookStep Step(SecretConsumer consumer) => new(
        consumer.Name,
        consumer.Standing switch
        {
            ConsumerStanding.Current => StepState.Done,
            ConsumerStanding.Changing => StepState.Running,
            ConsumerStanding.Failed => StepState.Failed,
            _ => StepState.Pending,
        },
        consumer.Detail, []);

    private RotateSecretReport End(RunbookPhase phase, RotationOutcome outcome, string summary)
    {
        EnterPhase(phase, summary);
        return new()
        {
            Environment = request.Environment,
            Secret = request.Secret,
            Region = request.Region,
            OperationId = request.OperationId,
            Outcome = outcome,
            Summary = summary,
            Version = sight?.Seen.Current?.Version,
            Consumers = sight?.Seen.Consumers ?? [],
            Excused = excused,
            StartedAt = startedAt,
            FinishedAt = Now,
        };
    }

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(RotateSecret)),
        RunbookSearchAttributes.Environment.ValueSet(request.Environment),
        RunbookSearchAttributes.Region.ValueSet(request.Region),
        RunbookSearchAttributes.OperationId.ValueSet(request.OperationId),
        RunbookSearchAttributes.Phase.ValueSet(InWords(Phase)));

    private void EnterPhase(RunbookPhase next, string why)
    {
        Summary = why;
        if (next != Phase)
        {
            Phase = next;
            Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Phase.ValueSet(InWords(next)));
        }

        Workflow.CurrentDetails = $"**{InWords(Phase)}**: {why}";
    }

    /// <summary>Everything before a step was done, or was found done.</summary>
    private void Begin(RotationStep step, string? detail = null)
    {
        var at = steps.FindIndex(known => known.Name == InWords(step));
        if (at < 0 || returning)
            return;
        for (var before = 0; before < at; before++)
        {
            if (steps[before].State != StepState.Done)
                steps[before] = steps[before] with { State = StepState.Done, FinishedAt = Now };
        }

        if (steps[at].State != StepState.Running)
            steps[at] = steps[at] with { State = StepState.Running, StartedAt = Now };
        if (detail is not null)
            steps[at] = steps[at] with { Detail = detail };
    }

    private void Finish(RotationStep step, string detail)
    {
        if (steps.FindIndex(known => known.Name == InWords(step)) is >= 0 and var at && !returning)
            steps[at] = steps[at] with { State = StepState.Done, Detail = detail, FinishedAt = Now };
    }

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static string InWords(TimeSpan duration) => duration switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours:0.#}h"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMinutes:0.#}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#}s"),
    };
}
