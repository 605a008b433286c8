using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>What people may tell it. Every control is checked before it is taken: a refusal says what is possible.</summary>
public sealed partial class RegionFailover
{
    /// <summary>How old the word of an observer that all is well may be: it is repeated every 30 s.</summary>
    private static readonly TimeSpan WellFor = TimeSpan.FromSeconds(45);

    /// <summary>Changes the places: a switchover that loses nothing, or by force.</summary>
    [WorkflowUpdate("failOver")]
    public Task<ControlResult> FailOverAsync(Input<FailOverInput>? input = null)
    {
        var given = ControlFields.Given(input);
        return Task.FromResult(AskedFor(Asked(given.Forced ? FailoverKind.Failover : FailoverKind.Switchover, Standby!, given.WithStack), given.Reason!, given.RequestedBy, given.Forced));
    }

    [WorkflowUpdateValidator(nameof(FailOverAsync))]
    public void ValidateFailOver(Input<FailOverInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequireWatching("failOver");
        RequireIdle("failOver");
        RequireEpoch("failOver");
        ControlFields.Require("reason", given.Reason, "why, for the report");
        if (Needed(given.Forced) > 0)
            ControlFields.Require("requestedBy", given.RequestedBy, "who asks: somebody else has to approve");
        if (!given.Forced)
            RequireBothWell("failOver");
    }

    /// <summary>Leads the database back to where the specification wants it.</summary>
    [WorkflowUpdate("failBack")]
    public Task<ControlResult> FailBackAsync(Input<FailBackInput>? input = null)
    {
        var given = ControlFields.Given(input);
        return Task.FromResult(AskedFor(Asked(FailoverKind.Failback, settings!.Regions[0], given.WithStack), given.Reason!, given.RequestedBy, forced: false));
    }

    [WorkflowUpdateValidator(nameof(FailBackAsync))]
    public void ValidateFailBack(Input<FailBackInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequireWatching("failBack");
        RequireIdle("failBack");
        RequireEpoch("failBack");
        ControlFields.Require("reason", given.Reason, "why, for the report");
        if (Needed(forced: false) > 0)
            ControlFields.Require("requestedBy", given.RequestedBy, "who asks: somebody else has to approve");
        if (state.Primary == settings!.Regions[0])
            throw FailureTypes.Impossible($"failBack is not possible: {state.Primary} is primary, as the specification wants it.");
        if (Facts().Quorum.SaysDown)
            throw FailureTypes.Impossible($"failBack is not possible: {state.Primary}, which would hand everything over, is down.");
    }

    /// <summary>Stops a change of places before the point of no return; what was is restored.</summary>
    [WorkflowUpdate("abort")]
    public Task<ControlResult> AbortAsync(Input<AbortInput>? input = null)
    {
        abortReason = ControlFields.Given(input).Reason;
        Acting.Cancel();
        return Task.FromResult(new ControlResult($"Aborting; {proposal!.From} serves again when it has ended."));
    }

    [WorkflowUpdateValidator(nameof(AbortAsync))]
    public void ValidateAbort(Input<AbortInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (recovering is null || progress is null)
            throw FailureTypes.Impossible($"abort is not possible: nothing is being done. {(pending is null ? Summary : "Possible: approve, reject.")}");
        if (progress.PointOfNoReturnPassed)
            throw FailureTypes.Impossible($"abort is not possible: {proposal!.To} has begun to take over, and there is no way back but a failback after this has ended. Possible: retryStep, skipStep.");
        if (Acting.IsCancellationRequested)
            throw FailureTypes.Impossible("abort is not possible: it is being aborted already.");
        ControlFields.Require("reason", given.Reason, "why, for the report");
    }

    /// <summary>Tries a failed step again.</summary>
    [WorkflowUpdate("retryStep")]
    public Task<ControlResult> RetryStepAsync(Input<StepInput>? input = null)
    {
        var step = ControlFields.Given(input).Step!;
        if (parkedBack is { } back && InWords(back) == step)
            parkedBack = null;
        else
            parked.RemoveAll(failed => InWords(failed) == step);
        return Task.FromResult(new ControlResult($"{step} is tried again."));
    }

    [WorkflowUpdateValidator(nameof(RetryStepAsync))]
    public void ValidateRetryStep(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (!Parked.Contains(given.Step))
            throw FailureTypes.Impossible($"retryStep is for the step that failed: {(Parked.Count == 0 ? "none" : string.Join(", ", Parked))}.");
    }

    /// <summary>Goes on without a step; later ones are done. What keeps it safe cannot be left out.</summary>
    [WorkflowUpdate("skipStep")]
    public Task<ControlResult> SkipStepAsync(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (parkedBack is not null)
        {
            (leftOut, parkedBack) = (given.Reason, null);
            return Task.FromResult(new ControlResult($"{given.Step} is skipped; the report will say so."));
        }

        var step = Enum.Parse<FailoverStep>(given.Step!, ignoreCase: true);
        Show(step, StepState.Skipped, $"Skipped: {given.Reason}");
        parked.Remove(step);
        if (stepping.TryGetValue(step, out var going))
        {
            skipping.Add(step);
            going.Cancel();
        }

        return Task.FromResult(new ControlResult($"{given.Step} is skipped; the report will say so."));
    }

    [WorkflowUpdateValidator(nameof(SkipStepAsync))]
    public void ValidateSkipStep(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (parkedBack is { } back)
        {
            if (back != FailoverCompensation.Unfence || InWords(back) != given.Step)
                throw FailureTypes.Impossible($"skipStep is not possible for {given.Step}: {InWords(back)} is parked. {ToDo(back)}");
            ControlFields.Require("reason", given.Reason, "why it may be left out");
            return;
        }

        var now = stepping.Keys.Concat(parked).Where(step => InWords(step) == given.Step).Cast<FailoverStep?>().FirstOrDefault();
        if (recovering is null || now is null)
            throw FailureTypes.Impossible($"skipStep is for the step that is being done: {(stepping.Count + parked.Count == 0 ? "none" : string.Join(", ", stepping.Keys.Concat(parked).Select(step => InWords(step))))}.");
        if (!FailoverProgress.MaySkip(now.Value))
            throw FailureTypes.Impossible($"skipStep is not possible for {given.Step}: without it the failover is not safe. Possible: retryStep{(progress!.PointOfNoReturnPassed ? "" : ", abort")}.");
        ControlFields.Require("reason", given.Reason, "why it may be left out");
    }

    /// <summary>Somebody understood the last recovery: the next one may happen by itself again.</summary>
    [WorkflowUpdate("acknowledge")]
    public Task<ControlResult> AcknowledgeAsync(Input<AcknowledgeInput>? input = null)
    {
        var given = ControlFields.Given(input);
        state = state with { Recovery = null };
        news = true;
        EnterPhase(RunbookPhase.Observing, $"{given.OperationId} was acknowledged by {given.AcknowledgedBy}.");
        return Task.FromResult(new ControlResult($"Acknowledged; {Environment} fails over by itself again, as its specification says."));
    }

    [WorkflowUpdateValidator(nameof(AcknowledgeAsync))]
    public void ValidateAcknowledge(Input<AcknowledgeInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequireWatching("acknowledge");
        if (state.Recovery is not { Running: false } open)
            throw FailureTypes.Impossible(state.Recovery is null ? "acknowledge is not possible: no recovery waits for it." : $"acknowledge is not possible: {state.Recovery.OperationId} has not ended.");
        ControlFields.Require("operationId", given.OperationId, $"the recovery that you looked into; it is {open.OperationId}");
        if (given.OperationId != open.OperationId)
            throw FailureTypes.Invalid($"Field 'operationId' is {given.OperationId}, but {open.OperationId} waits to be acknowledged.");
        ControlFields.Require("acknowledgedBy", given.AcknowledgedBy, "who looked into it");
    }

    /// <summary>Opens, prolongs or closes a time in which nothing fails over by itself.</summary>
    [WorkflowUpdate("maintenance")]
    public Task<ControlResult> MaintenanceAsync(Input<MaintenanceInput>? input = null)
    {
        var given = ControlFields.Given(input);
        var length = RequestFields.Duration("for", given.For, TimeSpan.FromDays(30));
        state = state with { Maintenance = length is { } time ? new(given.Reason!, given.By, Now, Now + time) : null };
        news = true;
        return Task.FromResult(new ControlResult(state.Maintenance is { } open ? $"Nothing fails over by itself until {open.Until:u}." : "The maintenance is closed."));
    }

    [WorkflowUpdateValidator(nameof(MaintenanceAsync))]
    public void ValidateMaintenance(Input<MaintenanceInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequireWatching("maintenance");
        if (RequestFields.Duration("for", given.For, TimeSpan.FromDays(30)) is not null)
            ControlFields.Require("reason", given.Reason, "why, for whoever meets it");
    }

    /// <summary>What waits for somebody to decide.</summary>
    private IReadOnlyList<string> Parked => [.. parkedBack is { } back ? [InWords(back)] : Array.Empty<string>(), .. parked.Select(step => InWords(step))];

    private FailoverProposal Asked(FailoverKind kind, string to, bool withStack)
    {
        var facts = Facts();
        var (last, at) = facts.LastOfPrimary();
        return new()
        {
            Environment = Environment,
            Kind = kind,
            From = state.Primary!,
            To = to,
            Epoch = state.Epoch,
            Stack = withStack ? StackMove.Moves : StackMove.Stays,
            Fenced = kind == FailoverKind.Failover && facts.Quorum.Fenced,
            Loss = kind != FailoverKind.Failover ? settings!.PlannedMayLose ? new(false, null, null, null) : new(true, 0, TimeSpan.Zero, null)
                : facts.StandbyNow() is { } standby ? LossEstimate.Of(last, at, standby) : new(false, null, null, null),
        };
    }

    private ControlResult AskedFor(FailoverProposal proposed, string reason, string? requestedBy, bool forced)
    {
        if (Needed(forced) is > 0 and var needed)
        {
            Ask(proposed, $"{requestedBy} asks for a {InWords(proposed.Kind)} to {proposed.To}: {reason}. {proposed.Loss.InWords}", needed, requestedBy);
            news = true;
            return new($"It waits for {needed} approvals of {pending!.Hash}.");
        }

        Begin(proposed, reason, asked: true);
        return new($"{proposed.To} becomes primary.", operationId);
    }

    /// <summary>By force needs two wherever one is needed at all; on a copy nobody is asked.</summary>
    private int Needed(bool forced) => Drill || settings!.Approvals == 0 ? 0 : forced ? Math.Max(2, settings.Approvals) : settings.Approvals;

    private void RequireIdle(string control)
    {
        if (settings is null || state.Primary is null)
            throw FailureTypes.Impossible($"{control} is not possible yet: the specification and the witness have not been read.");
        if (recovering is not null)
            throw FailureTypes.Impossible($"{control} is not possible: {operationId} is running. {(progress?.PointOfNoReturnPassed == false ? "Possible: abort." : "Wait for its end.")}");
        if (pending is { ByPolicy: false })
            throw FailureTypes.Impossible($"{control} is not possible: something else waits for approval. Possible: approve, reject.");
        if (Standby is null)
            throw FailureTypes.Impossible($"{control} is not possible: {Environment} has one region.");
    }

    private void RequireEpoch(string control)
    {
        // The claim would be refused for as long as anybody tried: it has to name the epoch that it ends.
        if (state.Epoch == 0)
            throw FailureTypes.Impossible($"{control} is not possible yet: no node of {Environment} has been seen in an epoch, without which nothing can be claimed. Wait until the observers have seen the primary; when it stays so, start the guards, and look whether workers reach the witness.");
    }

    private void RequireBothWell(string control)
    {
        // Observers repeat what is well now and then only, and every step looks again before it acts.
        var facts = Facts() with { Timing = settings!.Timing with { FreshFor = WellFor > settings.Timing.FreshFor ? WellFor : settings.Timing.FreshFor } };
        if (facts.Quorum is { Up: < Quorum.Needed } quorum)
            throw FailureTypes.Impossible($"{control} is not possible: a switchover needs a primary that can hand everything over, and of {state.Primary} is known: {quorum.InWords}. Possible: the same with forced, which may lose something.");
        if (reports.Values.Select(report => report.Of(Standby!)?.Node).FirstOrDefault(node => node is not null) is not { Role: NodeRole.Standby })
            throw FailureTypes.Impossible($"{control} is not possible: {Standby} is no standby that follows. Rebuild it first.");
    }
}
