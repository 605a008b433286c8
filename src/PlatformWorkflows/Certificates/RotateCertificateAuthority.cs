using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>
/// Replaces the root of a certificate authority in one durable run: add trust, prove trust, issue, roll, prove serving, drop trust, prove dropped. Until trust is dropped everything can go back, and does so by itself
/// when a workload serves nothing any more with its new certificate. See <c>docs/runbooks/rotate-certificates.md</c>.
/// </summary>
[Workflow]
public sealed partial class RotateCertificateAuthority : LookingRunbook
{
    /// <summary>A kubelet brings a changed Secret into its pods within about two minutes.</summary>
    private static readonly TimeSpan LongestReload = TimeSpan.FromMinutes(5), ShortestReload = TimeSpan.FromSeconds(1);

    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly Input<RotateCertificateAuthorityInput>? input;
    private AuthorityRequest request;
    private AuthoritySight? sight;
    private AuthorityDecision? decision;
    private DateTimeOffset? provedSince;
    private IReadOnlyList<TrustingConsumer> proof = [];
    private string rotation = "";
    private bool looked, returning, validates;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public RotateCertificateAuthority(Input<RotateCertificateAuthorityInput>? input = null)
        : base(Looking, InOrder)
    {
        this.input = input;
        request = AuthorityRequest.Unchecked(input?.ValueOrNull);
    }

    private AuthorityProgress Progress => new(request.Authority, rotation, request.Settle ?? sight?.Settle ?? TimeSpan.Zero, provedSince, [.. Excused.Keys], returning, validates && Waited >= Reload, validates);

    /// <summary>How long consumers may take that take up changes by themselves: a tenth of what the proof may take, in these bounds.</summary>
    private TimeSpan Reload => request.ProveWithin / 10 is var tenth && tenth < ShortestReload ? ShortestReload : tenth > LongestReload ? LongestReload : tenth;

    /// <summary>Workflow id of the run for an authority: one at a time.</summary>
    public static string WorkflowId(string environment, string authority, string region) => $"certificates/{environment}/authority/{authority}@{region}";

    /// <summary>The runbook: look, decide, do the one next step, look again.</summary>
    [WorkflowRun]
    public async Task<RotateCertificateAuthorityReport> RunAsync(Input<RotateCertificateAuthorityInput>? input = null)
    {
        try
        {
            request = AuthorityRequest.Check(this.input);
            rotation = request.OperationId;
            validates = Workflow.Patched("certificates-of-both-roots-are-validated");
            Identify();
            while (await NextAsync() is { Step: not AuthorityStep.Finish } next)
            {
                if (next.Step is AuthorityStep.Stop)
                    await ParkAsync(next.Why);
                else if (next.Step is AuthorityStep.Wait or AuthorityStep.Settle)
                    await WaitAsync(next);
                else if (next.Step is AuthorityStep.Roll)
                    await RollAsync(next);
                else
                    await ActAsync(next);
            }

            return returning
                ? End(RunbookPhase.Aborted, AuthorityOutcome.Returned, $"Everything is as before: {because} {decision!.Why}")
                : End(RunbookPhase.Completed, AuthorityOutcome.Rotated, $"{request.Authority}: {decision!.Why}");
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

    /// <summary>Looks, and decides.</summary>
    private async Task<AuthorityDecision> NextAsync()
    {
        sight = await LookAsync();
        if (!looked && AuthorityPolicy.LeftBy(sight.Seen, request.Authority) is { } left && left != rotation)
        {
            // What an earlier run has begun is ended first; pods are asked about its root.
            rotation = left;
            sight = await LookAsync();
        }

        looked = true;
        // By the clock of the workflow, which has to agree with its timers.
        sight = sight with { Seen = sight.Seen with { SeenAt = Now } };
        if (returning && !AuthorityPolicy.MayReturn(sight.Seen, Progress))
            returning = false;
        decision = AuthorityPolicy.Decide(sight.Seen, Progress);
        // The last look does not ask pods any more: the old root is gone.
        if (decision.Step != AuthorityStep.Finish)
            proof = sight.Seen.Consumers;
        provedSince = decision.Step is AuthorityStep.Settle or AuthorityStep.DropTrust ? provedSince ?? sight.Seen.SeenAt : null;
        return decision;
    }

    /// <summary>Looks until it is answered. What does not answer for long, or refuses, is somebody's business: everything stays as it is meanwhile.</summary>
    private async Task<AuthoritySight> LookAsync()
    {
        while (true)
        {
            try
            {
                return await Workflow.ExecuteActivityAsync(
                    (ICertificateActivities activities) => activities.ObserveAuthorityAsync(new(request.Reference, rotation)),
                    new()
                    {
                        Summary = $"How {request.Reference} is",
                        StartToCloseTimeout = TimeSpan.FromMinutes(5),
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
    private async Task ActAsync(AuthorityDecision next)
    {
        EnterPhase(returning ? RunbookPhase.RollingBack : RunbookPhase.Acting, next.Why);
        BeginPart(PartOf(next.Step));
        var step = new AuthorityStepInput(request.Reference, next.Step, rotation, next.About);
        try
        {
            var done = await Workflow.ExecuteActivityAsync(
                (ICertificateActivities activities) => activities.AuthorityStepAsync(step),
                new() { Summary = $"{InWords(next.Step)}: {request.Reference}", StartToCloseTimeout = TimeSpan.FromMinutes(5), HeartbeatTimeout = TimeSpan.FromSeconds(30), RetryPolicy = new() { MaximumAttempts = 1 } });
            Forget();
            Detail(PartOf(next.Step), done.Detail);
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            if (failure.InnerException is ApplicationFailureException { NonRetryable: true })
                await ParkAsync($"{InWords(next.Step)} failed: {FailureReason.Of(failure)}");
            else
                await LaterAsync(InWords(next.Step), $"{InWords(next.Step)} may not have happened: {FailureReason.Of(failure)} It is looked at again.");
        }
    }

    /// <summary>A certificate has a run of its own. When its pods serve nothing with the new one, everything goes back; when they go on with the old one, somebody is asked.</summary>
    private async Task RollAsync(AuthorityDecision next)
    {
        EnterPhase(returning ? RunbookPhase.RollingBack : RunbookPhase.Acting, next.Why);
        BeginPart(PartOf(next.Step), next.Why);
        var (environment, certificate, region) = (request.Environment, next.About!, request.Region);
        var proveWithin = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{request.ProveWithin.TotalSeconds:0}s");
        try
        {
            var report = await Workflow.ExecuteChildWorkflowAsync(
                (RotateCertificate child) => child.RunAsync(Input<RotateCertificateInput>.Of(new()
                {
                    Environment = environment,
                    Certificate = certificate,
                    Region = region,
                    Settle = ShortestSettle,
                    ProveWithin = proveWithin,
                    ParkedAtMost = ShortestSettle,
                })),
                new() { Id = RotateCertificate.WorkflowId(environment, certificate, region), StaticSummary = $"Rotate {certificate}@{region} of {environment}", ParentClosePolicy = ParentClosePolicy.Abandon });
            Forget();
            Detail(PartOf(next.Step), report.Summary);
            // cert-manager owns it, or somebody has aborted it.
            if (report.Outcome != CertificateOutcome.Rotated)
                await ParkAsync($"{certificate} is not rotated: {report.Summary}");
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            var why = FailureReason.Of(failure);
            sight = await LookAsync();
            if (!returning && sight.Seen.Leaves.FirstOrDefault(leaf => leaf.Name == certificate) is { Broken: true } && AuthorityPolicy.MayReturn(sight.Seen, Progress))
                Return($"{certificate} broke with its new certificate: {why}");
            else
                await ParkAsync($"{certificate} is not rotated: {why}");
        }
    }

    private void Return(string why)
    {
        (returning, because) = (true, why);
        Forget();
        EnterPhase(RunbookPhase.RollingBack, why);
    }

    /// <summary>Waits before the next look: longer and longer, and not for ever.</summary>
    private async Task WaitAsync(AuthorityDecision next)
    {
        EnterPhase(returning ? RunbookPhase.RollingBack : RunbookPhase.Acting, next.Why);
        BeginPart(PartOf(next.Step), next.Why);
        await WaitAsync(next.Why, next.Step == AuthorityStep.Settle ? provedSince : null, Progress.Settle, request.ProveWithin);
    }
}
