using System.Text.Json;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>Where it stands, and how it says so.</summary>
public sealed partial class RegionFailover
{
    private RunbookPhase phase = RunbookPhase.Observing;

    private string Summary { get; set; } = "Starting.";

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RegionFailover),
        Environment = Environment,
        OperationId = operationId,
        Phase = phase,
        Summary = Summary,
        Steps = [.. steps.Values],
        WaitingFor = pending is { } open ? new($"{open.Needed - approvals.Count} approvals of planHash {open.Hash}", "approver", open.Until)
            : parkedBack is { } back ? new($"retryStep of {InWords(back)}{(back == FailoverCompensation.Unfence ? ", or skipStep" : "")}", "operator", DateTimeOffset.MaxValue)
            : parked is [var failed, ..] ? new($"retryStep of {InWords(failed)}{(FailoverProgress.MaySkip(failed) ? ", or skipStep" : "")}{(progress?.PointOfNoReturnPassed == false ? ", or abort" : "")}", "operator", DateTimeOffset.MaxValue)
            : state.Recovery is { Running: false } ended ? new($"acknowledge of {ended.OperationId}", "operator", DateTimeOffset.MaxValue) : null,
        Next = recovering is null ? pending is null ? "It watches." : "With the approvals it begins." : progress?.Next is { } next ? $"{Doing(next)}." : null,
        IfStoppedNow = IfStoppedNow(),
        Compensations = [.. (progress?.Compensations ?? []).Select(compensation => compensation == FailoverCompensation.ClaimBack ? $"Claim an epoch for {proposal!.From} again" : $"Let {proposal!.From} serve again")],
        PointOfNoReturnPassed = progress?.PointOfNoReturnPassed ?? false,
        PlanHash = pending?.Hash,
        StartedAt = startedAt,
        Epoch = state.Epoch,
        Phases = [.. phases],
    };

    /// <summary>What is known and decided.</summary>
    [WorkflowQuery("failover")]
    public FailoverView View() => new()
    {
        Environment = Environment,
        Primary = state.Primary,
        Standby = Standby,
        Epoch = state.Epoch,
        Decision = decision?.Reason ?? "Nothing has been decided yet.",
        Code = decision?.Code,
        Votes = settings is null || state.Primary is null ? [] : Facts().Quorum.Votes,
        Proposal = pending?.Proposal ?? (recovering is null ? null : proposal),
        Maintenance = state.Maintenance,
        Recovery = state.Recovery,
        Alerts = [.. alerts.Values.Select(alert => alert.Name ?? alert.Key!).Distinct()],
        Last = state.Last,
    };

    /// <summary>Looks once, says what would be done about it, and ends.</summary>
    private async Task<FailoverReport?> SayWhatWouldBeDoneAsync()
    {
        Observe();
        await Workflow.WaitConditionAsync(() => reports.Count == settings!.Regions.Count, TimeSpan.FromSeconds(15), CancellationToken.None);
        Watching.Cancel();
        decision = FailoverRules.Decide(Facts());
        proposal = Asked(decision is FailoverDecision.Wait { Code: FailoverReason.Healthy } ? FailoverKind.Switchover : FailoverKind.Failover, Standby!, withStack: false);
        progress = FailoverProgress.Start(proposal.Kind, proposal.Stack);
        begunAt = startedAt;
        ShowSteps();
        (why, operationId) = (decision.Reason, "plan");
        Close(FailoverOutcome.NothingDone, $"Decided now: {decision.Reason} A {InWords(proposal.Kind)} to {proposal.To} would take these steps. {proposal.Loss.InWords}");
        EnterPhase(RunbookPhase.Completed, state.Last!.Summary);
        return state.Last;
    }

    private string IfStoppedNow() => progress switch
    {
        null => state.Primary is null ? "Nothing has been changed." : $"{state.Primary} is primary in epoch {state.Epoch}. Nobody would fail it over.",
        { PointOfNoReturnPassed: true } => $"{proposal!.To} is, or becomes, the only writable primary; what is left of the steps is not done.",
        { Compensations.Count: 0 } => $"Nothing has been changed; {proposal!.From} is as it was.",
        _ when progress.Begun.Contains(FailoverStep.Claim) => $"Nobody is writable: epoch {state.Epoch} is {proposal!.To}'s, and it has not been promoted. The next run goes on with it.",
        _ => $"Nobody is writable: {proposal!.From} is fenced. Unfence it, or start this again.",
    };

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(RegionFailover)),
        RunbookSearchAttributes.Environment.ValueSet(Environment),
        RunbookSearchAttributes.Phase.ValueSet(InWords(phase)));

    private void ShowEpoch() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Epoch.ValueSet(state.Epoch.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        RunbookSearchAttributes.Region.ValueSet(state.Primary ?? ""));

    private void EnterPhase(RunbookPhase next, string because)
    {
        Summary = because;
        if (next != phase)
        {
            PhaseMetrics.Follow(phase, next);
            phase = next;
            Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Phase.ValueSet(InWords(next)));
        }

        ShowDetails();
    }

    private void ShowDetails() => Workflow.CurrentDetails =
        $"**{InWords(phase)}**: {Summary}\n\nprimary {state.Primary}, epoch {state.Epoch}{string.Concat(steps.Values.Select(step => $"\n- {step.Name}: {InWords(step.State)}. {step.Detail}"))}";

    private void ShowSteps()
    {
        steps.Clear();
        foreach (var step in progress!.Steps)
            steps[step] = new(InWords(step), StepState.Pending, "Waiting for its turn.", []);
    }

    private void Show(FailoverStep step, StepState to, string detail)
    {
        steps[step] = steps[step] with
        {
            State = to,
            Detail = detail,
            StartedAt = steps[step].StartedAt ?? Now,
            FinishedAt = to is StepState.Running ? null : Now,
        };
        ShowDetails();
    }

    private string Doing(FailoverStep step) => step switch
    {
        FailoverStep.Prepare => $"See that {proposal!.To} follows and has everything",
        FailoverStep.Claim => $"Claim the next epoch for {proposal!.To}",
        FailoverStep.Fence => $"Fence {proposal!.From}",
        FailoverStep.Promote => $"Promote {proposal!.To}",
        FailoverStep.Verify => $"Write through the clients' path to {proposal!.To}",
        FailoverStep.Repoint => $"Lead Service, Secret reference and DNS to {proposal!.To}",
        FailoverStep.Namespaces => $"Make the Temporal namespaces active in {proposal!.To}",
        FailoverStep.Scale => $"Scale {proposal!.To} up",
        FailoverStep.Canary => $"Run a canary workflow in {proposal!.To}",
        FailoverStep.Rebuild => $"Make {proposal!.From} follow {proposal.To}",
        FailoverStep.Readiness => "See that everything is there for the next failover",
        _ => throw new InvalidOperationException($"No step {step}."),
    };

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
