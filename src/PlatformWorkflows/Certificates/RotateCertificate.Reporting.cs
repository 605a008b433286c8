using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>How it says where it stands.</summary>
public sealed partial class RotateCertificate
{
    private const string Looking = "Looking at the Secret, at Vault, and at what every pod serves.";

    /// <summary>The step in which every pod is asked what it serves.</summary>
    private const string Prove = "prove";

    private static IEnumerable<RunbookStep> InOrder =>
    [
        new(InWords(CertificateStep.Issue), StepState.Pending, "A new key and its certificate are in the Kubernetes Secret.", []),
        new(InWords(CertificateStep.Refresh), StepState.Pending, "Consumers are restarted, one at a time, unless they reload.", []),
        new(Prove, StepState.Pending, "Every pod serves the new certificate in a handshake.", []),
        new(InWords(CertificateStep.Settle), StepState.Pending, "That holds.", []),
        new(InWords(CertificateStep.Revoke), StepState.Pending, "The old certificate is revoked.", []),
    ];

    private string rotation = "";

    private protected override TimeSpan ParkedAtMost => request.ParkedAtMost;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RotateCertificate),
        Environment = request.Environment,
        OperationId = request.OperationId,
        Phase = Phase,
        Summary = Summary,
        Steps = [.. Steps, .. (sight?.Seen.Consumers ?? []).Select(Step)],
        WaitingFor = WaitingFor,
        Next = Ended ? null : decision?.Why ?? Looking,
        IfStoppedNow = IfStoppedNow(),
        Compensations = [],
        PointOfNoReturnPassed = PointOfNoReturnPassed,
        StartedAt = startedAt,
    };

    private protected override string IfStoppedNow() => sight?.Seen switch
    {
        null or { Owner: CertificateOwner.CertManager } => "Nothing has been changed.",
        _ when Phase == RunbookPhase.Completed => "Nothing is half-done.",
        { Replaced.Count: > 0 } => "Pods may serve the new certificate or the one of before: both are valid. Start the runbook again to go on.",
        _ => "The certificate in the Secret is valid, and no older one has to be revoked.",
    };

    private RunbookStep Step(CertificateConsumer consumer)
    {
        var unproved = consumer.Pods.Where(pod => pod.Fingerprint is null || pod.Fingerprint != sight?.Seen.Current?.Fingerprint).ToList();
        var state = (consumer.Standing, unproved.Count) switch
        {
            (RestartStanding.Failed, _) => StepState.Failed,
            (RestartStanding.Changing, _) => StepState.Running,
            (_, > 0) => StepState.Pending,
            _ when consumer.Pods.Count > 0 => StepState.Done,
            (RestartStanding.Restarted or RestartStanding.Reloads, _) => StepState.Done,
            _ => StepState.Pending,
        };
        return new(consumer.Name, state, unproved.Count > 0 ? string.Join("; ", unproved.Take(5).Select(pod => $"{pod.Name}: {pod.Detail}")) : consumer.Detail, []);
    }

    private RotateCertificateReport End(RunbookPhase phase, CertificateOutcome outcome, string summary)
    {
        EnterPhase(phase, summary);
        foreach (var step in outcome == CertificateOutcome.Rotated ? Steps.Where(step => step.State != StepState.Done).Select(step => step.Name).ToList() : [])
            Finish(step, null);
        return new()
        {
            Environment = request.Environment,
            Certificate = request.Certificate,
            Region = request.Region,
            OperationId = request.OperationId,
            Outcome = outcome,
            Summary = summary,
            Fingerprint = sight?.Seen.Current?.Fingerprint,
            NotAfter = sight?.Seen.Current?.NotAfter,
            Consumers = sight?.Seen.Consumers ?? [],
            Excused = Excused,
            StartedAt = startedAt,
            FinishedAt = Now,
        };
    }

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(RotateCertificate)),
        RunbookSearchAttributes.Environment.ValueSet(request.Environment),
        RunbookSearchAttributes.Region.ValueSet(request.Region),
        RunbookSearchAttributes.OperationId.ValueSet(request.OperationId),
        RunbookSearchAttributes.Phase.ValueSet(InWords(Phase)));

    private void Finish(string step, string? detail)
    {
        var at = Steps.FindIndex(known => known.Name == step);
        Steps[at] = Steps[at] with { State = StepState.Done, Detail = detail ?? Steps[at].Detail, FinishedAt = Now };
    }
}
