using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>How the places change: step by step, back before the point of no return, only forward after it.</summary>
public sealed partial class RegionFailover
{
    private readonly List<FailoverPhase> phases = [];
    private readonly Dictionary<FailoverStep, RunbookStep> steps = [];
    private FailoverProgress? progress;
    private FailoverProposal? proposal;
    private DivergenceSummary? divergence;
    private Task? recovering;
    private string operationId = "";
    private string why = "";
    private bool asked;
    private DateTimeOffset begunAt;
    private DateTimeOffset? lastServed;
    private double? writableAfter;
    private readonly List<FailoverStep> parked = [];
    private readonly HashSet<FailoverStep> skipping = [];
    private readonly Dictionary<FailoverStep, CancellationTokenSource> stepping = [];
    private FailoverCompensation? parkedBack;
    private string? leftOut;
    private bool interrupted;
    private string? abortReason;

    /// <summary>Between two looks at whether everything is there for the next failover.</summary>
    private static TimeSpan BetweenLooks { get; } = TimeSpan.FromSeconds(1);

    /// <summary>For how long a worker may be silent that has what somebody waits for.</summary>
    private static TimeSpan Silent { get; } = TimeSpan.FromSeconds(5);

    /// <summary>For how long a node that no lease closes is asked to close when people have asked by force; the promotion asks it once more.</summary>
    private static TimeSpan WithoutIt { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Cancelled by an abort.</summary>
    private CancellationTokenSource Acting { get; set; } = new();

    /// <param name="had">The steps that somebody has taken before whom nobody can ask any more.</param>
    private void Begin(FailoverProposal decided, string reason, bool asked, params IReadOnlyList<FailoverStep> had)
    {
        pending = null;
        Acting = new();
        (proposal, why, this.asked, abortReason, divergence, writableAfter, restartingSince, movedNamespaces) = (decided, reason, asked, null, null, null, null, []);
        state = state with { Operations = state.Operations + 1 };
        operationId = $"{InWords(decided.Kind)}-{Environment}-{state.Operations}-{Workflow.Info.FirstExecutionRunId[..8]}";
        state = state with { Recovery = new(operationId, Running: true, Now) };
        progress = new(decided.Kind, decided.Stack, had, had.Count);
        begunAt = Now;
        // One that hands over serves until it is fenced.
        lastServed = decided.Kind != FailoverKind.Failover ? null : asked && Facts().Quorum.Up > 0 ? Now : Facts().LastServed();
        phases.Clear();
        if (lastServed is { } served && decided.Kind == FailoverKind.Failover && !asked)
            phases.Add(new("detect", served, Math.Max(0, (Now - served).TotalSeconds)));
        ShowSteps();
        foreach (var step in had)
            Show(step, StepState.Done, "Taken before, by a run that is lost.");
        Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.OperationId.ValueSet(operationId));
        EnterPhase(RunbookPhase.Acting, why);
        recovering = RecoverAsync();
    }

    /// <summary>A run before this one claimed and ended in the middle, by being terminated: whoever was named is promoted.</summary>
    private void GoOnWithClaim()
    {
        if (settings!.Witness is not { Lease: null, Replaced: not null } claimed || state.Recovery is not null)
            return;
        var loss = new LossEstimate(Nothing: false, null, null, null);
        var unfinished = new FailoverProposal { Environment = Environment, Kind = FailoverKind.Failover, From = Standby!, To = claimed.Primary, Epoch = claimed.Epoch, Stack = StackMove.Stays, Loss = loss };
        Begin(unfinished, $"Epoch {claimed.Epoch} was claimed for {claimed.Primary} by {settings.WitnessOperation}, and nobody took it. Going on with it.", asked: false);
    }

    /// <summary>Whether the run may continue as new in the middle: a rebuild may take as long as its region is away. Not before the point of no return, which is seconds.</summary>
    private bool MayInterrupt => recovering is { IsCompleted: false } && progress is { PointOfNoReturnPassed: true } && state.Recovery is { Promoted: true };

    /// <summary>The run before this one continued as new in the middle.</summary>
    private void GoOn()
    {
        if (state.Open is not { } open)
            return;
        state = state with { Open = null };
        (operationId, proposal, why, asked) = (open.OperationId, open.Proposal, open.Why, open.Asked);
        (divergence, begunAt, lastServed, writableAfter, movedNamespaces) = (open.Divergence, open.BegunAt, open.LastServed, open.WritableAfterSeconds, open.Namespaces ?? []);
        progress = new(proposal.Kind, proposal.Stack, open.Begun, open.Done);
        phases.AddRange(open.Phases);
        foreach (var step in open.Steps)
            steps[Enum.Parse<FailoverStep>(step.Name, ignoreCase: true)] = step;
        Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.OperationId.ValueSet(operationId));
        EnterPhase(RunbookPhase.Acting, why);
        recovering = RecoverAsync();
    }

    /// <summary>Stops in the middle, so that the next run begins the step of now again.</summary>
    private async Task InterruptAsync()
    {
        if (recovering is not { } open)
            return;
        interrupted = true;
        Acting.Cancel();
        await open;
        // It may have ended in this very moment.
        if (progress is { } far)
        {
            state = state with
            {
                Open = new()
                {
                    OperationId = operationId,
                    Proposal = proposal!,
                    Why = why,
                    Asked = asked,
                    Begun = far.Begun,
                    Done = far.Done,
                    Steps = [.. steps.Values],
                    Phases = [.. phases],
                    Divergence = divergence,
                    BegunAt = begunAt,
                    LastServed = lastServed,
                    WritableAfterSeconds = writableAfter,
                    Namespaces = movedNamespaces,
                },
            };
        }
    }

    private async Task RecoverAsync()
    {
        // It went on beside the others when the run before this one continued as new.
        Task? rebuilding = progress!.Next is FailoverStep.Namespaces or FailoverStep.Scale or FailoverStep.Canary && Beside(FailoverStep.Rebuild) ? CarryOutAsync(FailoverStep.Rebuild) : null;
        try
        {
            while (progress!.Next is { } step)
            {
                if (step == FailoverStep.Namespaces && proposal!.Stack == StackMove.AfterApproval)
                {
                    // The database has no standby until then, whatever people think about and for how long.
                    if (Workflow.Patched("rebuild-beside-approval"))
                        rebuilding ??= CarryOutAsync(FailoverStep.Rebuild);
                    if (!await StackIsApprovedAsync())
                    {
                        foreach (var left in new[] { FailoverStep.Namespaces, FailoverStep.Scale, FailoverStep.Canary })
                            Leave(left, "Nobody approved that the rest of the platform moves.");
                        continue;
                    }
                }

                progress = progress.Begin();
                await (step == FailoverStep.Rebuild && rebuilding is not null ? rebuilding : CarryOutAsync(step));
                progress = progress.End();
            }

            var skipped = steps.Values.Where(step => step.State == StepState.Skipped).Select(step => step.Name).ToList();
            Close(skipped.Count == 0 ? FailoverOutcome.Completed : FailoverOutcome.Incomplete, skipped.Count == 0
                ? $"{proposal!.To} is primary in epoch {state.Epoch}, and {proposal.From} follows it."
                : $"{proposal!.To} is primary in epoch {state.Epoch}. Skipped: {string.Join(", ", skipped)}.");
        }
        catch (Exception stopped) when (interrupted && TemporalException.IsCanceledException(stopped))
        {
            // It goes on in the next run.
            if (rebuilding is not null)
                await EndedAsync(rebuilding);
        }
        catch (VoidClaimException nothing)
        {
            progress = progress!.WithoutEffect();
            await TakeBackAsync(nothing.Message);
        }
        catch (Exception stopped) when (Acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
        {
            await TakeBackAsync(abortReason is null ? "Aborted: the workflow was cancelled." : $"Aborted: {abortReason}.");
        }
    }

    /// <summary>Whether a step was begun out of its turn.</summary>
    private bool Beside(FailoverStep step) => proposal!.Stack == StackMove.AfterApproval && steps[step].State is not StepState.Pending;

    private static async Task EndedAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception stopped) when (TemporalException.IsCanceledException(stopped))
        {
            // That is what was wanted.
        }
    }

    /// <summary>One step, again and again until it has ended, somebody leaves it out, or the run is aborted.</summary>
    private async Task CarryOutAsync(FailoverStep step)
    {
        // It was begun out of its turn, in a run before this one, and has ended.
        if (steps[step].State is StepState.Done or StepState.Skipped)
            return;
        while (true)
        {
            Show(step, StepState.Running, $"{Doing(step)}.");
            var begun = Now;
            using var mine = stepping[step] = CancellationTokenSource.CreateLinkedTokenSource(Acting.Token);
            try
            {
                var detail = await StepAsync(step, mine.Token);
                phases.Add(new(InWords(step), begun, (Now - begun).TotalSeconds));
                Show(step, StepState.Done, detail);
                return;
            }
            catch (Exception stopped) when (skipping.Contains(step) && TemporalException.IsCanceledException(stopped) && !Acting.IsCancellationRequested)
            {
                return;
            }
            catch (FailureException failure) when (!TemporalException.IsCanceledException(failure) && failure is not VoidClaimException)
            {
                Show(step, StepState.Failed, FailureReason.Of(failure));
                if (!await ParkAsync(step, $"Parked: {InWords(step)}: {FailureReason.Of(failure)}"))
                    return;
            }
            finally
            {
                skipping.Remove(step);
                stepping.Remove(step);
            }
        }
    }

    private async Task<string> StepAsync(FailoverStep step, CancellationToken ct)
    {
        var order = new FailoverOrder(Environment, operationId, state.Epoch, proposal!.From, proposal.To, proposal.Kind, Drill) { Forced = asked && proposal.Kind == FailoverKind.Failover };
        Task<T> Run<T>(System.Linq.Expressions.Expression<Func<IFailoverActivities, Task<T>>> call, TimeSpan within, int attempts = 0, TimeSpan? silent = null) =>
            Workflow.ExecuteActivityAsync(call, Options(Doing(step), within, attempts, ct, silent));
        var soon = TimeSpan.FromSeconds(5);
        var patient = TimeSpan.FromMinutes(2);
        switch (step)
        {
            case FailoverStep.Claim:
                return await ClaimAsync(ct);
            case FailoverStep.Fence:
                return await FenceAsync(order, ct);
            case FailoverStep.Promote:
                var promoted = await Run(activities => activities.PromoteAsync(order), settings!.ClosesWithin * 2 ?? TimeSpan.FromSeconds(30), silent: TimeSpan.FromSeconds(3));
                state = state with { Primary = proposal.To, Recovery = state.Recovery! with { Promoted = true } };
                return promoted.Detail;
            case FailoverStep.Verify:
                var verified = await Run(activities => activities.VerifyAsync(order), soon, attempts: 20);
                writableAfter = lastServed is { } served ? (Now - served).TotalSeconds : (Now - begunAt).TotalSeconds;
                return verified.Detail;
            case FailoverStep.Prepare:
                return (await Run(activities => activities.PrepareAsync(order), TimeSpan.FromHours(6), attempts: 3)).Detail;
            case FailoverStep.Repoint:
                return (await Run(activities => activities.RepointAsync(order), TimeSpan.FromSeconds(30), attempts: 10)).Detail;
            case FailoverStep.Namespaces:
                return await MoveNamespacesAsync(order, ct);
            case FailoverStep.Scale:
                return (await Run(activities => activities.ScaleRegionAsync(order), patient, attempts: 5, Silent)).Detail;
            case FailoverStep.Canary:
                return (await Run(activities => activities.RunCanaryAsync(order), patient, attempts: 3, Silent)).Detail;
            case FailoverStep.Rebuild:
                // For as long as it takes: the other region may be away for days. It can be skipped at any time.
                var rebuilt = await Run(activities => activities.RebuildAsync(order), TimeSpan.FromHours(6));
                divergence = rebuilt.Divergence;
                return rebuilt.Detail;
            case FailoverStep.Readiness:
                var until = Now + settings!.Timing.ReadyWithin;
                while (true)
                {
                    var readiness = await Run(activities => activities.CheckReadinessAsync(new(Environment, Drill)), patient, attempts: 5);
                    if (readiness.Ready)
                        return "Everything is there for the next failover.";
                    var missing = string.Join(" ", readiness.Items.Where(item => item.Ok == false).Select(item => $"{item.Name}: {item.Detail}"));
                    if (Now >= until || !Workflow.Patched("readiness-again"))
                        throw new ApplicationFailureException(missing, FailureTypes.Unhealthy, nonRetryable: true);
                    Show(step, StepState.Running, $"Not yet: {missing}");
                    await Workflow.DelayAsync(BetweenLooks, ct);
                }

            default:
                throw new InvalidOperationException($"No step {step}.");
        }
    }

    private async Task<string> ClaimAsync(CancellationToken ct)
    {
        if (settings!.Witness is { Lease: null, Replaced: not null } open && open.Epoch == proposal!.Epoch && open.Primary == proposal.To)
            return $"Epoch {open.Epoch} is {open.Primary}'s already.";
        var claim = new ClaimOrder(Environment, operationId, proposal!.Epoch, proposal.From, proposal.To, proposal.Kind, proposal.StalledSequence, Drill);
        var claimed = await Workflow.ExecuteActivityAsync(
            (IFailoverActivities activities) => activities.ClaimEpochAsync(claim), Options($"Claim the epoch after {proposal.Epoch} for {proposal.To}", TimeSpan.FromSeconds(5), attempts: 0, ct));
        if (claimed.Void is { } reason)
            throw new VoidClaimException(reason);
        state = state with { Epoch = claimed.Epoch };
        ShowEpoch();
        return $"Epoch {claimed.Epoch} is {proposal.To}'s.";
    }

    private async Task<string> FenceAsync(FailoverOrder order, CancellationToken ct)
    {
        if (proposal!.Kind == FailoverKind.Failover && proposal.Fenced)
            return $"{proposal.From} had stopped and fenced itself.";
        if (proposal.Kind != FailoverKind.Failover)
            lastServed ??= Now;
        var drain = proposal.Kind == FailoverKind.Failover ? TimeSpan.Zero : settings!.ClosesWithin ?? TimeSpan.FromSeconds(30);
        var fence = new FenceOrder(order.Environment, order.OperationId, order.Epoch, order.From, order.To, order.Kind, drain, Drill);
        var options = proposal.Kind == FailoverKind.Failover
            // One that is gone is not waited for: its lease ends by itself, and that is waited for in any case. Where no lease does, the promotion waits until it is closed.
            ? settings!.ClosesWithin is { } slow ? Options($"Fence {proposal.From}", order.Forced ? WithoutIt : slow, attempts: 1, ct, Silent) : Options($"Fence {proposal.From}", TimeSpan.FromSeconds(1), attempts: 1, ct)
            // Nobody is writable meanwhile: a worker that has died is not waited for.
            : Options($"Fence {proposal.From}, everything handed over", drain + TimeSpan.FromSeconds(10), attempts: 3, ct, Silent);
        try
        {
            return (await Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.FenceAsync(fence), options)).Detail;
        }
        catch (ActivityFailureException failure) when (proposal.Kind == FailoverKind.Failover && !TemporalException.IsCanceledException(failure))
        {
            return settings!.ClosesWithin is null ? $"{proposal.From} did not answer; its lease is waited out. {FailureReason.Of(failure)}"
                : $"{proposal.From} is not closed yet, and {proposal.To} is promoted when it is{(order.Forced ? ", or without that, as it was asked for by force" : "")}. {FailureReason.Of(failure)}";
        }
    }

    /// <summary>Waits until somebody says what becomes of a failed step. False: it is left out.</summary>
    private async Task<bool> ParkAsync(FailoverStep step, string reason)
    {
        parked.Add(step);
        EnterPhase(RunbookPhase.Parked, reason);
        await Workflow.WaitConditionAsync(() => !parked.Contains(step), Acting.Token);
        EnterPhase(pending is null ? RunbookPhase.Acting : RunbookPhase.AwaitingApproval, "Going on after the operator's decision.");
        return steps[step].State != StepState.Skipped;
    }

    /// <summary>Restores what was, in the order in which it has to be. What does not succeed within a while is for people to decide.</summary>
    private async Task TakeBackAsync(string reason)
    {
        EnterPhase(RunbookPhase.RollingBack, reason);
        (parkedBack, leftOut) = (null, null);
        var compensations = progress!.Compensations;
        string? moved = null;
        foreach (var compensation in compensations)
        {
            moved = await CompensateAsync(compensation, reason);
            if (moved is not null || leftOut is not null)
                break;
        }

        foreach (var step in steps.Values.Where(step => step.State is StepState.Done or StepState.Running or StepState.Failed).ToList())
            Show(Enum.Parse<FailoverStep>(step.Name, ignoreCase: true), StepState.RolledBack, "Taken back.");
        var outcome = compensations.Count == 0 ? FailoverOutcome.NothingDone : FailoverOutcome.TakenBack;
        Close(outcome, (compensations.Count, moved, leftOut) switch
        {
            (0, _, _) => $"{reason} Nothing was changed.",
            (_, { } why, _) => $"{reason} Nothing more was restored: {why}",
            (_, _, { } why) => $"{reason} {proposal!.From} is named in epoch {state.Epoch} again and was left fenced: {why}",
            _ => $"{reason} {proposal!.From} serves again, in epoch {state.Epoch}.",
        });
        if (moved is not null)
            await TryAsync(ReadSettingsAsync);
    }

    /// <summary>One step back, until it has succeeded, or people leave it out.</summary>
    /// <returns>Why there is nothing to go back to; null: there is.</returns>
    private async Task<string?> CompensateAsync(FailoverCompensation compensation, string reason)
    {
        while (true)
        {
            var order = new FailoverOrder(Environment, operationId, state.Epoch, proposal!.From, proposal.To, proposal.Kind, Drill);
            try
            {
                if (compensation == FailoverCompensation.ClaimBack)
                {
                    var back = await Workflow.ExecuteActivityAsync(
                        (IFailoverActivities activities) => activities.ClaimBackAsync(order), Options($"Claim an epoch for {proposal.From} again", TimeSpan.FromSeconds(5), attempts: 30, CancellationToken.None));
                    if (back.Void is { } moved)
                        return moved;
                    state = state with { Epoch = back.Epoch, Primary = proposal.From };
                    ShowEpoch();
                }
                else
                {
                    await Workflow.ExecuteActivityAsync(
                        (IFailoverActivities activities) => activities.UnfenceAsync(order), Options($"Let {proposal.From} serve again", settings!.ClosesWithin ?? TimeSpan.FromSeconds(30), attempts: 30, CancellationToken.None, settings!.ClosesWithin is null ? null : Silent));
                }

                return null;
            }
            catch (ActivityFailureException failure)
            {
                parkedBack = compensation;
                EnterPhase(RunbookPhase.Parked, $"Parked: {InWords(compensation)}: {FailureReason.Of(failure)} Nobody is writable until it is decided. {ToDo(compensation)}");
                await Workflow.WaitConditionAsync(() => parkedBack is null, CancellationToken.None);
                EnterPhase(RunbookPhase.RollingBack, reason);
                if (leftOut is not null)
                    return null;
            }
        }
    }

    private string ToDo(FailoverCompensation compensation) => compensation == FailoverCompensation.ClaimBack
        ? "Bring the witness back, or the workers' way to it; then retryStep claimBack."
        : $"Start the guard of {proposal!.From} and see that workers reach it; then retryStep unfence. Or skipStep unfence: what the observers find then decides, and {proposal.To} may be promoted.";

    private void Close(FailoverOutcome outcome, string summary)
    {
        var report = new FailoverReport
        {
            Environment = Environment,
            OperationId = operationId,
            Kind = proposal!.Kind,
            Outcome = outcome,
            Summary = summary,
            From = proposal.From,
            To = proposal.To,
            Epoch = state.Epoch,
            Reason = why,
            Estimated = proposal.Loss,
            Divergence = divergence,
            Phases = [.. phases],
            WritableAfterSeconds = writableAfter,
            Namespaces = movedNamespaces,
            Steps = [.. steps.Values],
            StartedAt = begunAt,
            FinishedAt = Now,
        };
        // What people asked for they know of; what happened by itself has to be understood before it may happen again.
        var open = outcome is FailoverOutcome.Completed or FailoverOutcome.Incomplete && !asked;
        state = state with { Last = report, Recovery = open ? state.Recovery! with { Running = false } : null };
        progress = null;
        parked.Clear();
        EnterPhase(RunbookPhase.Observing, open ? $"{summary} It waits to be acknowledged." : summary);
    }

    private void Leave(FailoverStep step, string reason)
    {
        progress = progress!.Begin().End();
        Show(step, StepState.Skipped, reason);
    }

    /// <param name="silent">For how long its worker may be silent before another one takes it over. Default: 30 s where it may take more than half an hour, else for ever.</param>
    private static ActivityOptions Options(string summary, TimeSpan within, int attempts, CancellationToken ct, TimeSpan? silent = null) => new()
    {
        Summary = summary,
        StartToCloseTimeout = within,
        HeartbeatTimeout = silent ?? (within > TimeSpan.FromMinutes(30) ? TimeSpan.FromSeconds(30) : null),
        RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(50), BackoffCoefficient = 1.5f, MaximumInterval = within > TimeSpan.FromMinutes(1) ? TimeSpan.FromSeconds(10) : TimeSpan.FromSeconds(1), MaximumAttempts = attempts },
        CancellationToken = ct,
    };

    /// <summary>The facts had changed by the time of the claim.</summary>
    private sealed class VoidClaimException(string reason) : FailureException(reason);
}
