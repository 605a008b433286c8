using System.Globalization;
using System.Text.Json;
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

    /// <summary>Failures of unknown outcome of one step that are looked at again before somebody is asked.</summary>
    private const int FailuresInARow = 5;

    /// <summary>Between looks: a tenth of the time that it has taken so far, in these bounds, so that waiting for a day stays far below 10,000 events.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>So that a lost proof is noticed early in a short time, and a week of it stays below 10,000 events.</summary>
    private const int LooksWhileSettling = 20;

    private static readonly TimeSpan LongestPauseOfProof = TimeSpan.FromHours(1);

    private readonly List<RunbookStep> steps =
    [
        new(InWords(CertificateStep.Issue), StepState.Pending, "A new key and its certificate are in the Kubernetes Secret.", []),
        new(InWords(CertificateStep.Refresh), StepState.Pending, "Consumers are restarted, one at a time, unless they reload.", []),
        new(Prove, StepState.Pending, "Every pod serves the new certificate in a handshake.", []),
        new(InWords(CertificateStep.Settle), StepState.Pending, "That holds.", []),
        new(InWords(CertificateStep.Revoke), StepState.Pending, "The old certificate is revoked.", []),
    ];

    private string rotation = "";
    private CertificateStep? failedAt;
    private int failures;

    private RunbookPhase Phase { get; set; } = RunbookPhase.Observing;

    private string Summary { get; set; } = Looking;

    private RunbookWait? WaitingFor { get; set; }

    private bool Ended => Phase is RunbookPhase.Completed or RunbookPhase.Aborted or RunbookPhase.Failed;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RotateCertificate),
        Environment = request.Environment,
        OperationId = request.OperationId,
        Phase = Phase,
        Summary = Summary,
        Steps = [.. steps, .. (sight?.Seen.Consumers ?? []).Select(Step)],
        WaitingFor = WaitingFor,
        Next = Ended ? null : decision?.Why ?? Looking,
        IfStoppedNow = IfStoppedNow(),
        Compensations = [],
        PointOfNoReturnPassed = PointOfNoReturnPassed,
        StartedAt = startedAt,
    };

    private string IfStoppedNow() => sight?.Seen switch
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
        foreach (var step in outcome == CertificateOutcome.Rotated ? steps.Where(step => step.State != StepState.Done).Select(step => step.Name).ToList() : [])
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
            Excused = excused,
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
    private void Begin(string step, string? detail = null)
    {
        var at = steps.FindIndex(known => known.Name == step);
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

    private void Finish(string step, string? detail)
    {
        var at = steps.FindIndex(known => known.Name == step);
        steps[at] = steps[at] with { State = StepState.Done, Detail = detail ?? steps[at].Detail, FinishedAt = Now };
    }

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static string InWords(TimeSpan duration) => duration switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours:0.#}h"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMinutes:0.#}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#}s"),
    };
}
