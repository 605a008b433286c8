using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>The story of every runbook that restores one store: plan, wait for people, look again whether it is still as it was approved, do exactly that, and say what became of it.</summary>
public abstract class StoreRestore<TPlan, TReport> : RestoreRunbook
    where TPlan : class, IRestorePlan
    where TReport : StoreRestoreReport<TPlan>
{
    /// <summary>Steps that most of them have.</summary>
    private protected const string Reserves = "reserve", BacksUp = "backUp", CleansUp = "cleanUp";

    private protected StoreRestore(string summary, params IEnumerable<(string Name, string Detail)> steps)
        : base(summary, steps)
    {
    }

    /// <summary>What people approve; null before there is one.</summary>
    private protected TPlan? Plan { get; private set; }

    /// <summary>What planning does, for people.</summary>
    private protected string WhatItWouldDo => $"What a restore of {Request.Store} would do";

    /// <summary>The id of a set of this very run: what another one has backed up was something else.</summary>
    private protected string BeforeThisRun => Before(Request.OperationId, Workflow.Info.RunId[..8]);

    /// <summary>What a run that was stopped leaves, as a sentence.</summary>
    private protected abstract string LeftByStop { get; }

    private protected override string? PlanHash => Plan?.Hash;

    /// <summary>The plan; null before there is one.</summary>
    [WorkflowQuery("restorePlan")]
    public TPlan? CurrentPlan() => Plan;

    /// <summary>Whether there is nothing to do.</summary>
    private protected virtual bool IsEmpty(TPlan made) => false;

    /// <summary>Does what was approved, one step after the other.</summary>
    private protected abstract Task CarryOutAsync(TPlan made);

    /// <summary>What became of it.</summary>
    private protected abstract (RestoreOutcome Outcome, string Summary) Judge(TPlan made);

    /// <summary>Takes back what was done when it is stopped before the point of no return.</summary>
    private protected abstract Task GoBackAsync(TPlan made);

    /// <summary>What its report has besides what all have.</summary>
    private protected abstract TReport Report(RestoreOutcome outcome);

    /// <param name="asking">From the input, checked, and the moment that is restored: how a plan is made, as often as it is asked for.</param>
    private protected Task<TReport> RestoreAsync<TInput>(Input<TInput>? input, Func<TInput, DateTimeOffset?, Func<Task<PlannedRestore<TPlan>>>> asking)
        where TInput : StoreRestoreInput => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("restore", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        Use(given.RequestedBy, given.ParkedAtMost, given.Approved);
        var ask = asking(given, RequestFields.Moment("to", given.To));
        Identify();
        try
        {
            Begin(Plans);
            var planned = await ask();
            if (planned.Plan is not { } made)
                return End(RestoreOutcome.Refused, planned.Refusal!);
            Plan = made;
            Publish(made.Hash);
            Finish(Plans, PlanInWords());
            if (given.Mode == RunbookMode.Plan)
                return End(RestoreOutcome.Planned, PlanInWords());
            if (IsEmpty(made))
                return End(RestoreOutcome.Unchanged, $"There is nothing to restore. {PlanInWords()}");
            if (!await IsApprovedAsync(planned.Approvals, planned.ApprovalTimeout))
                return End(RestoreOutcome.Rejected, Rejection ?? $"Nobody approved the plan within {InWords(planned.ApprovalTimeout)}.");
            // What was approved is what is done, or nothing.
            Begin(Plans);
            if (await ask() is var again && again.Plan?.Hash != made.Hash)
                return End(RestoreOutcome.Refused, $"It is not any more as it was when it was planned: {again.Refusal ?? $"the plan is {again.Plan!.Hash} now."} Nothing was changed. Start again.");
            await CarryOutAsync(made);
            var (outcome, summary) = Judge(made);
            return End(outcome, summary);
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure) && !PointOfNoReturnPassed)
        {
            if (Plan is { } made)
                await GoBackAsync(made);
            return End(RestoreOutcome.Aborted, $"{(AbortReason is null ? "Cancelled." : $"Aborted: {AbortReason}.")} {LeftByStop}");
        }
    });

    /// <summary>From here until the run ends no set of the store is made: it would be one of what is half restored. Whoever makes one now is waited for.</summary>
    /// <param name="step">The one that waits.</param>
    private protected async Task LockAsync(string step)
    {
        // Runs of before excluded nobody.
        if (!Workflow.Patched("no-backup-of-what-is-half-restored"))
            return;
        var id = BackUpStore.WorkflowId(Request.Store.Environment, Request.Store.Store, Request.Store.Region);
        while (true)
        {
            Acting.Token.ThrowIfCancellationRequested();
            try
            {
                await Workflow.StartChildWorkflowAsync(
                    (LockStore child) => child.RunAsync(Input<LockStoreInput>.Of(new()
                    {
                        Environment = Request.Store.Environment,
                        Store = Request.Store.Store,
                        Region = Request.Store.Region,
                        OperationId = Request.OperationId,
                        By = Workflow.Info.WorkflowId,
                    })),
                    // An abort has to bring the old state back under it too.
                    new() { Id = id, StaticSummary = $"No backup of {Request.Store} meanwhile", CancellationToken = CancellationToken.None });
                return;
            }
            catch (WorkflowAlreadyStartedException)
            {
                Begin(step, $"{id} works on the store; waiting for it.");
                await Workflow.DelayAsync(TurnPause, Acting.Token);
            }
        }
    }

    /// <summary>Retention leaves the set alone, or may have it again.</summary>
    private protected async Task<string> ClaimAsync(bool release)
    {
        await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.ClaimSetAsync(new(Request.Store, Request.OperationId, Plan!.Set, release)),
            Changing(release ? $"Let {Plan!.Set} go" : $"Claim {Plan!.Set}", takesLong: false, release ? CancellationToken.None : Acting.Token));
        return release ? $"{Plan.Set} is let go." : $"{Plan.Set} is claimed for {Request.OperationId}.";
    }

    private TReport End(RestoreOutcome outcome, string summary)
    {
        EnterPhase(PhaseOf(outcome), summary.Trim());
        Say(outcome);
        return Report(outcome) with
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = summary.Trim(),
            RestorePlan = Plan,
            PlanHash = Plan?.Hash,
            BackupBefore = BackupBefore,
            Skipped = Skipped,
            ApprovedBy = ApprovedBy,
            Steps = [.. Steps],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }
}
