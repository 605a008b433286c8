using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Secrets;

/// <summary>How it says where it stands.</summary>
public sealed partial class RotateSecret
{
    private const string Looking = "Looking at Vault, at the system that the secret is for, and at its consumers.";

    private static IEnumerable<RunbookStep> InOrder => [.. new[]
    {
        RotationStep.Create, RotationStep.Set, RotationStep.Promote, RotationStep.Publish, RotationStep.Refresh, RotationStep.Settle, RotationStep.Revoke,
    }.Select(step => new RunbookStep(InWords(step), StepState.Pending, InTheOrder(step), []))];

    private string rotation = "";
    private bool toldParent;

    private protected override TimeSpan ParkedAtMost => request.ParkedAtMost;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RotateSecret),
        Environment = request.Environment,
        OperationId = request.OperationId,
        Phase = Phase,
        Summary = Summary,
        Steps = [.. Steps, .. (sight?.Seen.Consumers ?? []).Select(Step)],
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

    private protected override string IfStoppedNow() => sight?.Seen switch
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
            Excused = Excused,
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

    private void Begin(RotationStep step, string? detail = null)
    {
        if (!returning)
            Begin(InWords(step), detail);
    }

    private void Finish(RotationStep step, string detail)
    {
        if (!returning)
            Finish(InWords(step), detail);
    }
}
