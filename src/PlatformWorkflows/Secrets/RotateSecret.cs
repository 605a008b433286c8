using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Secrets;

/// <summary>Replaces one secret of one region, and ends when every consumer is proved to use the new value and no older one is valid. See <c>docs/runbooks/rotate-secrets.md</c>.</summary>
/// <remarks>What is found decides what is done next, whoever caused it: a run that was terminated is continued by the next one from wherever it was.</remarks>
[Workflow]
public sealed partial class RotateSecret : LookingRunbook
{
    /// <summary>Before this, a parent was asked to restart whoever was waited for.</summary>
    private const string WaitsForOthers = "waits-for-whom-nobody-restarts";

    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly Input<RotateSecretInput>? input;
    private SecretRequest request;
    private SecretSight? sight;
    private RotationDecision? decision;
    private DateTimeOffset? provedSince;
    private bool held, looked;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public RotateSecret(Input<RotateSecretInput>? input = null)
        : base(Looking, InOrder)
    {
        this.input = input;
        request = SecretRequest.Unchecked(input?.ValueOrNull);
        held = input?.ValueOrNull?.RefreshedByParent == true;
    }

    /// <summary>Workflow id of the run for a secret: one at a time.</summary>
    public static string WorkflowId(string environment, string secret, string region) => $"secrets/{environment}/{secret}@{region}";

    /// <summary>The runbook: look, decide, do the one next step, look again.</summary>
    [WorkflowRun]
    public async Task<RotateSecretReport> RunAsync(Input<RotateSecretInput>? input = null)
    {
        try
        {
            request = SecretRequest.Check(this.input);
            rotation = request.OperationId;
            Identify();
            while (await NextAsync() is var next && (next.Step is not RotationStep.Finish || GoesFurther))
            {
                if (next.Step is RotationStep.Finish)
                    GoFurther();
                else if (next.Step is RotationStep.Stop)
                    await StopAsync(next);
                else if (next.Step is RotationStep.Wait or RotationStep.Settle)
                    await WaitAsync(next);
                else
                    await ActAsync(next);
                if (withdrawn)
                    return End(RunbookPhase.Aborted, RotationOutcome.Withdrawn, $"Aborted: {abortReason}. Nothing was handed out; the value of before is in use.");
            }

            return abortReason is null
                ? End(RunbookPhase.Completed, RotationOutcome.Rotated, $"{request.Secret} is rotated: {Users} version {sight!.Seen.Current!.Version}, and no older one is valid.")
                : End(RunbookPhase.Aborted, RotationOutcome.Returned, $"Aborted: {abortReason}. Consumers use the value of before again, as version {sight!.Seen.Current!.Version}; the new one is revoked.");
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure))
        {
            EnterPhase(RunbookPhase.Aborted, $"Cancelled. {IfStoppedNow()}");
            throw;
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>The consumers were restarted by whoever restarts them for several secrets.</summary>
    [WorkflowSignal("refreshed")]
    public Task RefreshedAsync()
    {
        held = false;
        News = true;
        return Task.CompletedTask;
    }

    private string Users => sight!.Seen switch
    {
        var seen when RotationPolicy.IsUnused(seen) && (Excused.GetValueOrDefault(ConsumerName.Nobody) ?? seen.NoConsumers) is { } why => $"nobody was found who uses it ({why.TrimEnd('.')}); it is at",
        var seen => $"{seen.Consumers.Count(consumer => !consumer.Server)} consumers use",
    };

    /// <summary>What is in use everywhere is only half of it.</summary>
    private bool GoesFurther => sight?.Seen.Further is not null && abortReason is null;

    /// <summary>Begins the second half as a rotation of its own: until it hands something out, what was reached stays.</summary>
    private void GoFurther()
    {
        rotation = RotationPolicy.FurtherOf(rotation);
        (revoked, provedSince) = (false, null);
        Steps.Clear();
        Steps.AddRange(InOrder);
        Forget();
        EnterPhase(RunbookPhase.Acting, sight!.Seen.Further!);
    }

    /// <summary>Looks, and decides.</summary>
    private async Task<RotationDecision> NextAsync()
    {
        sight = await LookAsync();
        // By the clock of the workflow, which has to agree with its timers.
        sight = sight with { Seen = sight.Seen with { SeenAt = Now } };
        if (!looked && RotationPolicy.LeftBy(sight.Seen) is { } left)
            rotation = left;
        looked = true;
        if (abortReason is not null && sight.Seen.Current?.Rotation == RotationPolicy.ReturnOf(rotation))
            (returning, rotation) = (true, RotationPolicy.ReturnOf(rotation));
        if (request.NoConsumers is { } why && RotationPolicy.IsUnclaimed(sight.Seen))
            Excused[ConsumerName.Nobody] = why;
        var progress = new RotationProgress(rotation, request.Settle ?? sight.Settle, provedSince, [.. Excused.Keys], held);
        if (abortReason is not null && !returning)
        {
            if (RotationPolicy.Abort(sight.Seen, progress) is { } back)
                return decision = back;
            // What was to be handed out again is gone: there is only forward.
            abortReason = null;
        }

        decision = RotationPolicy.Decide(sight.Seen, progress);
        provedSince = decision.Step is RotationStep.Settle or RotationStep.Revoke ? provedSince ?? sight.Seen.SeenAt : null;
        return decision;
    }

    /// <summary>Looks until it is answered. What does not answer for long, or refuses, is somebody's business: the secret stays as it is meanwhile.</summary>
    private async Task<SecretSight> LookAsync()
    {
        while (true)
        {
            try
            {
                return await Workflow.ExecuteActivityAsync(
                    (ISecretActivities activities) => activities.ObserveSecretAsync(new(request.Reference)),
                    new()
                    {
                        Summary = $"How {request.Reference} is",
                        StartToCloseTimeout = TimeSpan.FromMinutes(2),
                        HeartbeatTimeout = TimeSpan.FromSeconds(30),
                        ScheduleToCloseTimeout = request.ProveWithin,
                        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromMinutes(1) },
                    });
            }
            catch (ActivityFailureException failure) when (looked && !TemporalException.IsCanceledException(failure))
            {
                await ParkAsync($"It cannot be looked at: {FailureReason.Of(failure)}");
            }
        }
    }

    /// <summary>Waits for somebody to say that it may go on.</summary>
    private async Task StopAsync(RotationDecision next)
    {
        await ParkAsync(next.Why);
        if (next.OnRetry is { } step && abortReason is null && !next.Consumers.All(Excused.ContainsKey))
            await ActAsync(next with { Step = step });
    }

    /// <summary>Carries the step out, once: when its outcome is not known, the next look says what became of it.</summary>
    private async Task ActAsync(RotationDecision next)
    {
        EnterPhase(returning ? RunbookPhase.RollingBack : RunbookPhase.Acting, next.Why);
        Begin(next.Step);
        var step = new SecretStepInput(request.Reference, next.Step, rotation, sight!.Seen.Current?.Version ?? 0, next.Consumers);
        try
        {
            var done = await Workflow.ExecuteActivityAsync(
                (ISecretActivities activities) => activities.RotateStepAsync(step),
                new()
                {
                    Summary = $"{InWords(next.Step)}: {request.Reference}",
                    StartToCloseTimeout = TimeSpan.FromMinutes(2),
                    HeartbeatTimeout = TimeSpan.FromSeconds(30),
                    RetryPolicy = new() { MaximumAttempts = 1 },
                });
            Forget();
            Finish(next.Step, done.Detail);
            if (next.Step == RotationStep.Revoke)
                revoked = true;
            else if (next.Step == RotationStep.Withdraw)
                withdrawn = true;
            else if (next.Step == RotationStep.Return)
                (returning, rotation, revoked) = (true, RotationPolicy.ReturnOf(rotation), false);
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            if (failure.InnerException is ApplicationFailureException { NonRetryable: true })
                await ParkAsync($"{InWords(next.Step)} failed: {FailureReason.Of(failure)}");
            else
                await LaterAsync(InWords(next.Step), $"{InWords(next.Step)} may not have happened: {FailureReason.Of(failure)} It is looked at again.");
        }
    }

    /// <summary>Waits before the next look: longer and longer, and not for ever.</summary>
    private async Task WaitAsync(RotationDecision next)
    {
        Waits();
        // Whom nobody restarts is waited for here: servers that are behind, pods that run to their end.
        if (held && next.Consumers.Count > 0 && abortReason is null && (next.Held || !Workflow.Patched(WaitsForOthers)))
        {
            await TellParentAsync(next.Consumers);
            return;
        }

        EnterPhase(returning ? RunbookPhase.RollingBack : RunbookPhase.Acting, next.Why);
        Begin(next.Step, next.Why);
        await WaitAsync(next.Why, next.Step == RotationStep.Settle ? provedSince : null, request.Settle ?? sight!.Settle, request.ProveWithin);
    }

    private async Task TellParentAsync(IReadOnlyList<string> consumers)
    {
        EnterPhase(RunbookPhase.Acting, "Handed out; consumers are restarted together with those of other secrets.");
        if (!toldParent && Workflow.Info.Parent is { } parent)
        {
            toldParent = true;
            await Workflow.GetExternalWorkflowHandle(parent.WorkflowId).SignalAsync(
                "readyToRefresh", [new ReadyToRefresh(request.Reference, sight!.Namespace, sight.KubernetesSecret, sight.Seen.Current!.Version, consumers)]);
        }

        // A parent that does not come is not waited for: then every secret has its own restarts.
        if (!await NewsAsync(request.ProveWithin))
            held = false;
    }
}
