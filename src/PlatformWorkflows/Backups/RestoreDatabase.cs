using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Replaces the data of a running database by a set, at a moment that is asked for: planned and approved first, restored and proved beside the data while that serves, exchanged while nobody gets through, and opened
/// in an epoch of its own. Until it is opened, abort brings the old state back. See <c>docs/runbooks/restore.md</c>.</summary>
[Workflow]
public sealed partial class RestoreDatabase : RestoreRunbook
{
    private RestoreProgress progress;
    private RestorePlan? plan;
    private long epoch;
    private bool isBackedUp;
    private TimeSpan? took;
    private DateTimeOffset? fencedAt, servesAt;

    /// <summary>Nothing is done yet.</summary>
    public RestoreDatabase()
        : base("Looking at sets, log and nodes.", [(Plans, "Which set, which moment, and what would be overwritten."), .. RestoreProgress.Steps.Select(step => (InWords(step), InTheOrder(step)))])
    {
    }

    /// <summary>Workflow id of the run of a store: one at a time.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => IdOf(environment, store, region);

    /// <summary>The runbook: plan, wait for people, then one step after the other.</summary>
    [WorkflowRun]
    public Task<RestoreReport> RunAsync(Input<RestoreDatabaseInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("restore", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        Use(given.RequestedBy, given.ParkedAtMost, given.Approved);
        var asked = new PlanRestoreInput(Request.Store, Request.OperationId, given.Set, RequestFields.Moment("to", given.To), Before(Request.OperationId));
        Identify();
        try
        {
            var planned = await PlanAsync(asked);
            if (planned.Plan is not { } made)
                return End(RestoreOutcome.Refused, planned.Refusal!);
            (plan, epoch, isBackedUp) = (made, made.Epoch, planned.IsBackedUp);
            Publish(made.Hash);
            Finish(Plans, PlanInWords());
            if (given.Mode == RunbookMode.Plan)
                return End(RestoreOutcome.Planned, PlanInWords());
            if (!await IsApprovedAsync(planned.Approvals, planned.ApprovalTimeout))
                return End(RestoreOutcome.Rejected, Rejection ?? $"Nobody approved the plan within {InWords(planned.ApprovalTimeout)}.");
            // What was approved is what is done, or nothing.
            if ((await PlanAsync(asked)) is var again && again.Plan?.Hash != made.Hash)
                return End(RestoreOutcome.Refused, $"It is not any more as it was when it was planned: {again.Refusal ?? $"the plan is {again.Plan!.Hash} now."} Nothing was changed. Start again.");
            foreach (var step in RestoreProgress.Steps)
                await DoAsync(step);
            return End(RestoreOutcome.Restored, Restored());
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure) && !progress.PointOfNoReturnPassed)
        {
            await GoBackAsync();
            var why = AbortReason is null ? "Cancelled." : $"Aborted: {AbortReason}.";
            return End(RestoreOutcome.Aborted, $"{why} {(progress.Begun == 0 ? "Nothing was changed." : $"{plan!.Node} serves the data that it had.")}");
        }
    });

    private async Task<PlannedRestore> PlanAsync(PlanRestoreInput asked)
    {
        Begin(Plans);
        return await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanRestoreAsync(asked), Looking($"What a restore of {Request.Store} would do"));
    }

    private async Task DoAsync(RestoreStep step)
    {
        if (step == RestoreStep.BackUp && !plan!.Overwrites)
        {
            Finish(InWords(step), "There is nothing that would be overwritten.", StepState.Skipped);
            return;
        }

        if (step == RestoreStep.Rebuild && plan!.Standby is null)
        {
            Finish(InWords(step), "There is no other node.", StepState.Skipped);
            return;
        }

        // From the opening on there is only forward, whoever cancels.
        var abortable = step < RestoreStep.Open;
        await StepAsync(InWords(step), InTheOrder(step), async () =>
        {
            progress = progress.Begin(step);
            fencedAt = step == RestoreStep.Fence ? fencedAt ?? Now : fencedAt;
            var detail = step == RestoreStep.BackUp ? await BackUpAsync() : await CarryOutAsync(step, abortable ? Acting.Token : CancellationToken.None);
            servesAt = step == RestoreStep.Verify ? Now : servesAt;
            return detail;
        }, abortable);
    }

    /// <summary>A run of this operation that was terminated has made the set, and may have fenced the database: then no other can be made. With the log it holds everything up to the fence.</summary>
    private Task<string> BackUpAsync()
    {
        var set = Before(Request.OperationId);
        if (!isBackedUp)
            return BackUpFirstAsync(StoreKind.Postgresql, InWords(RestoreStep.BackUp), set);
        BackupBefore = set;
        return Task.FromResult($"{set} holds what is overwritten: this operation made it before, and the log goes on from there.");
    }

    private async Task<string> CarryOutAsync(RestoreStep step, CancellationToken ct)
    {
        var takesLong = step is RestoreStep.Restore or RestoreStep.Prove or RestoreStep.Rebuild or RestoreStep.CleanUp or RestoreStep.Discard;
        var done = await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.RestoreStepAsync(new(Request.Store, Request.OperationId, plan!, step, epoch, Skipped.ContainsKey(InWords(RestoreStep.BackUp)))), Changing(InTheOrder(step), takesLong, ct));
        (epoch, took) = (done.Epoch, done.Took ?? took);
        return done.Detail;
    }

    /// <summary>Brings the old state back, one step after the other. What fails parks: it is never left half-done unsaid.</summary>
    private async Task GoBackAsync()
    {
        foreach (var step in progress.Compensations)
        {
            if (!Steps.Exists(known => known.Name == InWords(step)))
                Steps.Add(new(InWords(step), StepState.Pending, InTheOrder(step), []));
            do
            {
                EnterPhase(RunbookPhase.RollingBack, InTheOrder(step));
                Finish(InWords(step), InTheOrder(step), StepState.Running);
                try
                {
                    Finish(InWords(step), await CarryOutAsync(step, CancellationToken.None));
                    break;
                }
                catch (FailureException failure)
                {
                    if (!await GoesOnAsync(InWords(step), FailureReason.Of(failure), abortable: false))
                        break;
                }
            }
            while (true);
        }
    }
}
