using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>Replaces one leaf certificate of one region, and ends when every pod is proved to serve the new one and no older one is valid. See <c>docs/runbooks/rotate-certificates.md</c>.</summary>
/// <remarks>What is found decides what is done next, whoever caused it: a run that was terminated is continued by the next one from wherever it was.</remarks>
[Workflow]
public sealed partial class RotateCertificate : LookingRunbook
{
    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly Input<RotateCertificateInput>? input;
    private CertificateRequest request;
    private CertificateSight? sight;
    private CertificateDecision? decision;
    private DateTimeOffset? provedSince;
    private bool inTurn, myTurn, looked;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public RotateCertificate(Input<RotateCertificateInput>? input = null)
        : base(Looking, InOrder)
    {
        this.input = input;
        request = CertificateRequest.Unchecked(input?.ValueOrNull);
        inTurn = input?.ValueOrNull?.IssuedInTurn == true;
    }

    /// <summary>Workflow id of the run for a certificate: one at a time.</summary>
    public static string WorkflowId(string environment, string certificate, string region) => $"certificates/{environment}/{certificate}@{region}";

    /// <summary>The runbook: look, decide, do the one next step, look again.</summary>
    [WorkflowRun]
    public async Task<RotateCertificateReport> RunAsync(Input<RotateCertificateInput>? input = null)
    {
        try
        {
            request = CertificateRequest.Check(this.input);
            rotation = request.OperationId;
            Identify();
            while (await NextAsync() is { Step: not CertificateStep.Finish } next)
            {
                if (abortReason is not null)
                    return End(RunbookPhase.Aborted, CertificateOutcome.Aborted, $"Aborted: {abortReason}. {IfStoppedNow()}");
                if (next.Step is CertificateStep.Stop)
                    await ParkAsync(next.Why);
                else if (next.Step is CertificateStep.Wait or CertificateStep.Settle)
                    await WaitAsync(next);
                else
                    await ActAsync(next);
            }

            return End(RunbookPhase.Completed, sight!.Seen.Owner == CertificateOwner.CertManager ? CertificateOutcome.Proved : CertificateOutcome.Rotated, $"{request.Certificate}: {decision!.Why}");
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

    /// <summary>The authority may be asked, once.</summary>
    [WorkflowSignal("yourTurn")]
    public Task YourTurnAsync()
    {
        myTurn = true;
        return Task.CompletedTask;
    }

    /// <summary>Looks, and decides.</summary>
    private async Task<CertificateDecision> NextAsync()
    {
        sight = await LookAsync();
        // By the clock of the workflow, which has to agree with its timers.
        sight = sight with { Seen = sight.Seen with { SeenAt = Now } };
        if (!looked && CertificatePolicy.LeftBy(sight.Seen) is { } left)
            rotation = left;
        looked = true;
        decision = CertificatePolicy.Decide(sight.Seen, new(rotation, request.Settle ?? sight.Settle, provedSince, [.. Excused.Keys])
        {
            RestartsAfterOthers = sight.Seen.Owner != CertificateOwner.CertManager || Workflow.Patched("restart-after-cert-manager"),
            StopsForNobody = !CertificatePolicy.IsUnclaimed(sight.Seen) || Workflow.Patched("certificate-of-nobody"),
        });
        provedSince = decision.Step is CertificateStep.Settle or CertificateStep.Revoke ? provedSince ?? sight.Seen.SeenAt : null;
        return decision;
    }

    /// <summary>Looks until it is answered. What does not answer for long, or refuses, is somebody's business: the certificate stays as it is meanwhile.</summary>
    private async Task<CertificateSight> LookAsync()
    {
        while (true)
        {
            try
            {
                return await Workflow.ExecuteActivityAsync(
                    (ICertificateActivities activities) => activities.ObserveCertificateAsync(new(request.Reference)),
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

    /// <summary>Carries the step out, once: when its outcome is not known, the next look says what became of it.</summary>
    private async Task ActAsync(CertificateDecision next)
    {
        EnterPhase(RunbookPhase.Acting, next.Why);
        if (next.Step == CertificateStep.Issue && !await TurnAsync())
            return;
        Begin(InWords(next.Step));
        var step = new CertificateStepInput(request.Reference, next.Step, rotation, sight!.Seen.Current?.Fingerprint ?? "", next.Consumers);
        try
        {
            var done = await Workflow.ExecuteActivityAsync(
                (ICertificateActivities activities) => activities.CertificateStepAsync(step),
                new()
                {
                    Summary = $"{InWords(next.Step)}: {request.Reference}",
                    StartToCloseTimeout = TimeSpan.FromMinutes(2),
                    HeartbeatTimeout = TimeSpan.FromSeconds(30),
                    RetryPolicy = new() { MaximumAttempts = 1 },
                });
            Forget();
            Finish(InWords(next.Step), done.Detail);
            revoked |= next.Step == CertificateStep.Revoke;
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            if (failure.InnerException is ApplicationFailureException { NonRetryable: true })
                await ParkAsync($"{InWords(next.Step)} failed: {FailureReason.Of(failure)}");
            else
                await LaterAsync(InWords(next.Step), $"{InWords(next.Step)} may not have happened: {FailureReason.Of(failure)} It is looked at again.");
        }
    }

    /// <summary>Where a parent says when the authority may be asked, each request is asked for. A parent that does not answer is not waited for.</summary>
    /// <returns>False: somebody told it something meanwhile.</returns>
    private async Task<bool> TurnAsync()
    {
        if (!inTurn || Workflow.Info.Parent is not { } parent)
            return true;
        try
        {
            await Workflow.GetExternalWorkflowHandle(parent.WorkflowId).SignalAsync("readyToIssue", [new ReadyToIssue(request.Reference)]);
            inTurn = await Workflow.WaitConditionAsync(() => myTurn || News, request.ProveWithin);
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            // It has ended; this run goes on by itself.
            inTurn = false;
        }

        var told = News && !myTurn;
        myTurn = false;
        return !told;
    }

    /// <summary>Waits before the next look: longer and longer, and not for ever.</summary>
    private async Task WaitAsync(CertificateDecision next)
    {
        EnterPhase(RunbookPhase.Acting, next.Why);
        var settled = next.Step == CertificateStep.Settle;
        Begin(settled ? InWords(next.Step) : Prove, next.Why);
        await WaitAsync(next.Why, settled ? provedSince : null, request.Settle ?? sight!.Settle, request.ProveWithin);
    }
}
