using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>How it says where it stands.</summary>
public sealed partial class RotateCertificateAuthority
{
    private const string Looking = "Looking at the roots, at everything that says whom to trust, and at every pod.";

    /// <summary>The parts of the run, in order.</summary>
    private const string Add = "addTrust", Prove = "proveTrust", Issue = "issue", Roll = "roll", Drop = "dropTrust", ProveDropped = "proveDropped";

    /// <summary>Certificates settle for the authority, not each by itself; and a run of one that parks ends, since this one decides.</summary>
    private const string ShortestSettle = "1s";

    private static IEnumerable<RunbookStep> InOrder =>
    [
        new(Add, StepState.Pending, "The new root is made, and named beside the old one everywhere.", []),
        new(Prove, StepState.Pending, "Every pod trusts both.", []),
        new(Issue, StepState.Pending, "The new root signs.", []),
        new(Roll, StepState.Pending, "Every pod serves a certificate of the new root.", []),
        new(Drop, StepState.Pending, "That has held; only the new root is named.", []),
        new(ProveDropped, StepState.Pending, "Every pod refuses certificates of the old root, which is revoked.", []),
    ];


    private protected override TimeSpan ParkedAtMost => request.ParkedAtMost;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RotateCertificateAuthority),
        Environment = request.Environment,
        OperationId = request.OperationId,
        Phase = Phase,
        Summary = Summary,
        Steps = Steps,
        WaitingFor = WaitingFor,
        Next = Ended ? null : decision?.Why ?? Looking,
        IfStoppedNow = IfStoppedNow(),
        Compensations = Ended || returning || PointOfNoReturnPassed ? [] : ["Have the old root sign again, roll every certificate back to it, and forget the new one."],
        PointOfNoReturnPassed = PointOfNoReturnPassed,
        StartedAt = startedAt,
    };

    /// <summary>To which part of the run a step belongs; waiting belongs to what comes next.</summary>
    private string PartOf(AuthorityStep step) => step switch
    {
        AuthorityStep.Prepare or AuthorityStep.AddTrust => Add,
        AuthorityStep.Activate or AuthorityStep.Deactivate => Issue,
        AuthorityStep.Roll => Roll,
        AuthorityStep.Settle or AuthorityStep.DropTrust or AuthorityStep.RestoreTrust => Drop,
        AuthorityStep.Revoke or AuthorityStep.Discard => ProveDropped,
        // Trust is proved before anything is issued, or after everything is dropped.
        _ => Steps.Exists(part => part.Name == Drop && part.State != StepState.Pending) ? ProveDropped : Steps.Exists(part => part.Name == Issue && part.State != StepState.Pending) ? Roll : Prove,
    };

    private protected override string IfStoppedNow() => (Phase, sight) switch
    {
        (_, null) => "Nothing has been changed.",
        (RunbookPhase.Completed, _) => "Nothing is half-done.",
        _ when AuthorityPolicy.Next(sight.Seen, Progress) is null => "The old root signs, as before.",
        _ when AuthorityPolicy.MayReturn(sight.Seen, Progress) => "Certificates of the old root are believed everywhere, and so are those of the new one where it is named. Start the runbook again to go on.",
        _ => "Every pod serves certificates of the new root; the old one is not dropped everywhere yet. Start the runbook again to go on.",
    };

    private RotateCertificateAuthorityReport End(RunbookPhase phase, AuthorityOutcome outcome, string summary)
    {
        EnterPhase(phase, summary);
        for (var at = 0; at < Steps.Count && outcome == AuthorityOutcome.Rotated; at++)
            Steps[at] = Steps[at] with { State = StepState.Done, FinishedAt = Steps[at].FinishedAt ?? Now };
        var seen = sight!.Seen;
        var next = AuthorityPolicy.Next(seen, Progress);
        return new()
        {
            Environment = request.Environment,
            Authority = request.Authority,
            Region = request.Region,
            OperationId = request.OperationId,
            Outcome = outcome,
            Summary = summary,
            Roots = [.. seen.Issuers.Select(issuer => new AuthorityStanding(issuer.Name, issuer.Fingerprint, AuthorityPolicy.StateOf(issuer, next, seen), issuer.NotAfter))],
            Consumers = proof,
            Excused = Excused,
            StartedAt = startedAt,
            FinishedAt = Now,
        };
    }

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(RotateCertificateAuthority)),
        RunbookSearchAttributes.Environment.ValueSet(request.Environment),
        RunbookSearchAttributes.Region.ValueSet(request.Region),
        RunbookSearchAttributes.OperationId.ValueSet(request.OperationId),
        RunbookSearchAttributes.Phase.ValueSet(InWords(Phase)));

    /// <summary>On the way back the parts stay as they were.</summary>
    private void BeginPart(string part, string? detail = null)
    {
        if (!returning)
            Begin(part, detail);
    }

    private void Detail(string part, string detail)
    {
        if (!returning && Steps.FindIndex(known => known.Name == part) is var at)
            Steps[at] = Steps[at] with { Detail = detail };
    }
}
