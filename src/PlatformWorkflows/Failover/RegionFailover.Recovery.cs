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
    private FailoverStep? parkedAt;
    private FailoverStep? skipping;
    private string? abortReason;

    /// <summary>Cancelled by an abort.</summary>
    private CancellationTokenSource Acting { get; set; } = new();

    /// <summary>Cancelled when the step of now is aborted or left out.</summary>
    private CancellationTokenSource? Stepping { get; set; }

    private void Begin(FailoverProposal decided, string reason, bool asked)
    {
        pending = null;
        Acting = new();
        (proposal, why, this.asked, abortReason, divergence, writableAfter, restartingSince) = (decided, reason, asked, null, null, null, null);
        state = state with { Operations = state.Operations + 1 };
        operationId = $"{InWords(decided.Kind)}-{Environment}-{state.Operations}-{Workflow.Info.FirstExecutionRunId[..8]}";
        state = state with { Recovery = new(operationId, Running: true, Now) };
        progress = FailoverProgress.Start(decided.Kind, decided.Stack);
        begunAt = Now;
        lastServed = Facts().LastOfPrimary().At;
        phases.Clear();
        if (lastServed is { } served && decided.Kind == FailoverKind.Failover && !asked)
            phases.Add(new("detect", served, Math.Max(0, (Now - served).TotalSeconds)));
        ShowSteps();
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

    private async Task RecoverAsync()
    {
        try
        {
            while (progress!.Next is { } step)
            {
                if (step == FailoverStep.Namespaces && proposal!.Stack == StackMove.AfterApproval && !await StackIsApprovedAsync())
                {
                    foreach (var left in new[] { FailoverStep.Namespaces, FailoverStep.Scale, FailoverStep.Canary })
                        Leave(left, "Nobody approved that the rest of the platform moves.");
                    continue;
                }

                progress = progress.Begin();
                await CarryOutAsync(step);
                progress = progress.End();
            }

            var skipped = steps.Values.Where(step => step.State == StepState.Skipped).Select(step => step.Name).ToList();
            Close(skipped.Count == 0 ? FailoverOutcome.Completed : FailoverOutcome.Incomplete, skipped.Count == 0
                ? $"{proposal!.To} is primary in epoch {state.Epoch}, and {proposal.From} follows it."
                : $"{proposal!.To} is primary in epoch {state.Epoch}. Skipped: {string.Join(", ", skipped)}.");
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

    /// <summary>One step, again and again until it has ended, somebody leaves it out, or the run is aborted.</summary>
    private async Task CarryOutAsync(FailoverStep step)
    {
        while (true)
        {
            Show(step, StepState.Running, $"{Doing(step)}.");
            var begun = Now;
            Stepping = CancellationTokenSource.CreateLinkedTokenSource(Acting.Token);
            try
            {
                var detail = await StepAsync(step, Stepping.Token);
                phases.Add(new(InWords(step), begun, (Now - begun).TotalSeconds));
                Show(step, StepState.Done, detail);
                return;
            }
            catch (Exception stopped) when (skipping == step && TemporalException.IsCanceledException(stopped) && !Acting.IsCancellationRequested)
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
                skipping = null;
                Stepping = null;
            }
        }
    }

    private async Task<string> StepAsync(FailoverStep step, CancellationToken ct)
    {
        var order = new FailoverOrder(Environment, operationId, state.Epoch, proposal!.From, proposal.To, proposal.Kind, Drill);
        Task<T> Run<T>(System.Linq.Expressions.Expression<Func<IFailoverActivities, Task<T>>> call, TimeSpan within, int attempts = 0) =>
            Workflow.ExecuteActivityAsync(call, Options(Doing(step), within, attempts, ct));
        var soon = TimeSpan.FromSeconds(5);
        var patient = TimeSpan.FromMinutes(2);
        switch (step)
        {
            case FailoverStep.Claim:
                return await ClaimAsync(ct);
            case FailoverStep.Fence:
                return await FenceAsync(order, ct);
            case FailoverStep.Promote:
                var promoted = await Run(activities => activities.PromoteAsync(order), TimeSpan.FromSeconds(30));
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
                return (await Run(activities => activities.MoveNamespacesAsync(order), patient, attempts: 5)).Detail;
            case FailoverStep.Scale:
                return (await Run(activities => activities.ScaleRegionAsync(order), patient, attempts: 5)).Detail;
            case FailoverStep.Canary:
                return (await Run(activities => activities.RunCanaryAsync(order), patient, attempts: 3)).Detail;
            case FailoverStep.Rebuild:
                // For as long as it takes: the other region may be away for days. It can be skipped at any time.
                var rebuilt = await Run(activities => activities.RebuildAsync(order), TimeSpan.FromHours(6));
                divergence = rebuilt.Divergence;
                return rebuilt.Detail;
            case FailoverStep.Readiness:
                var readiness = await Run(activities => activities.CheckReadinessAsync(new(Environment, Drill)), patient, attempts: 5);
                return readiness.Ready ? "Everything is there for the next failover." : throw new ApplicationFailureException(
                    string.Join(" ", readiness.Items.Where(item => item.Ok == false).Select(item => $"{item.Name}: {item.Detail}")), FailureTypes.Unhealthy, nonRetryable: true);
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
        var drain = proposal.Kind == FailoverKind.Failover ? TimeSpan.Zero : TimeSpan.FromSeconds(30);
        var fence = new FenceOrder(order.Environment, order.OperationId, order.Epoch, order.From, order.To, order.Kind, drain, Drill);
        var options = proposal.Kind == FailoverKind.Failover
            // One that is gone is not waited for: its lease ends by itself, and that is waited for in any case.
            ? Options($"Fence {proposal.From}", TimeSpan.FromSeconds(1), attempts: 1, ct)
            : Options($"Fence {proposal.From}, everything handed over", drain + TimeSpan.FromSeconds(10), attempts: 3, ct);
        try
        {
            return (await Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.FenceAsync(fence), options)).Detail;
        }
        catch (ActivityFailureException failure) when (proposal.Kind == FailoverKind.Failover && !TemporalException.IsCanceledException(failure))
        {
            return $"{proposal.From} did not answer; its lease is waited out. {FailureReason.Of(failure)}";
        }
    }

    /// <summary>Waits until somebody says what becomes of a failed step. False: it is left out.</summary>
    private async Task<bool> ParkAsync(FailoverStep step, string reason)
    {
        parkedAt = step;
        EnterPhase(RunbookPhase.Parked, reason);
        await Workflow.WaitConditionAsync(() => parkedAt is null, Acting.Token);
        EnterPhase(RunbookPhase.Acting, "Going on after the operator's decision.");
        return steps[step].State != StepState.Skipped;
    }

    /// <summary>Restores what was, in the order in which it has to be. What does not succeed is tried again until it does, or people look after it.</summary>
    private async Task TakeBackAsync(string reason)
    {
        EnterPhase(RunbookPhase.RollingBack, reason);
        var compensations = progress!.Compensations;
        foreach (var compensation in compensations)
        {
            var order = new FailoverOrder(Environment, operationId, state.Epoch, proposal!.From, proposal.To, proposal.Kind, Drill);
            if (compensation == FailoverCompensation.ClaimBack)
            {
                var back = await Workflow.ExecuteActivityAsync(
                    (IFailoverActivities activities) => activities.ClaimBackAsync(order), Options($"Claim an epoch for {proposal.From} again", TimeSpan.FromSeconds(5), attempts: 0, CancellationToken.None));
                state = state with { Epoch = back.Epoch, Primary = proposal.From };
                ShowEpoch();
            }
            else
            {
                await Workflow.ExecuteActivityAsync(
                    (IFailoverActivities activities) => activities.UnfenceAsync(order), Options($"Let {proposal.From} serve again", TimeSpan.FromSeconds(30), attempts: 0, CancellationToken.None));
            }
        }

        foreach (var step in steps.Values.Where(step => step.State is StepState.Done or StepState.Running or StepState.Failed).ToList())
            Show(Enum.Parse<FailoverStep>(step.Name, ignoreCase: true), StepState.RolledBack, "Taken back.");
        Close(compensations.Count == 0 ? FailoverOutcome.NothingDone : FailoverOutcome.TakenBack, compensations.Count == 0 ? $"{reason} Nothing was changed." : $"{reason} {proposal!.From} serves again, in epoch {state.Epoch}.");
    }

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
            Steps = [.. steps.Values],
            StartedAt = begunAt,
            FinishedAt = Now,
        };
        // What people asked for they know of; what happened by itself has to be understood before it may happen again.
        var open = outcome is FailoverOutcome.Completed or FailoverOutcome.Incomplete && !asked;
        state = state with { Last = report, Recovery = open ? state.Recovery! with { Running = false } : null };
        (progress, parkedAt) = (null, null);
        EnterPhase(RunbookPhase.Observing, open ? $"{summary} It waits to be acknowledged." : summary);
    }

    private void Leave(FailoverStep step, string reason)
    {
        progress = progress!.Begin().End();
        Show(step, StepState.Skipped, reason);
    }

    private static ActivityOptions Options(string summary, TimeSpan within, int attempts, CancellationToken ct) => new()
    {
        Summary = summary,
        StartToCloseTimeout = within,
        HeartbeatTimeout = within > TimeSpan.FromMinutes(30) ? TimeSpan.FromSeconds(30) : null,
        RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(50), BackoffCoefficient = 1.5f, MaximumInterval = within > TimeSpan.FromMinutes(1) ? TimeSpan.FromSeconds(10) : TimeSpan.FromSeconds(1), MaximumAttempts = attempts },
        CancellationToken = ct,
    };

    /// <summary>The facts had changed by the time of the claim.</summary>
    private sealed class VoidClaimException(string reason) : FailureException(reason);
}
