using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Replaces the data of a running database by a set, at a moment that is asked for: planned and approved first, restored and proved beside the data while that serves, exchanged while nobody gets through, and opened
/// in an epoch of its own. Until it is opened, abort brings the old state back. See <c>docs/runbooks/restore.md</c>.</summary>
[Workflow]
public sealed partial class RestoreDatabase : BackupRunbook
{
    private const string Plans = "plan";

    /// <summary>How long whoever makes a set of the store is waited for before it is asked again.</summary>
    private static readonly TimeSpan BackupPause = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, string> skipped = [];
    private RestoreProgress progress;
    private RestorePlan? plan;
    private long epoch;
    private string? backupBefore;
    private TimeSpan? took;
    private DateTimeOffset? fencedAt, servesAt;
    private TimeSpan parkedAtMost;

    /// <summary>Nothing is done yet.</summary>
    public RestoreDatabase()
        : base("Looking at sets, log and nodes.", [(Plans, "Which set, which moment, and what would be overwritten."), .. RestoreProgress.Steps.Select(step => (InWords(step), InTheOrder(step)))])
    {
    }

    /// <summary>Workflow id of the run of a store: one at a time.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => $"restore/{environment}/{new StoreReference(environment, store, region)}";

    /// <summary>The runbook: plan, wait for people, then one step after the other.</summary>
    [WorkflowRun]
    public Task<RestoreReport> RunAsync(Input<RestoreDatabaseInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("restore", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        (parkedAtMost, requestedBy) = (RequestFields.ParkedAtMost(given.ParkedAtMost), given.RequestedBy);
        var asked = new PlanRestoreInput(Request.Store, Request.OperationId, given.Set, RequestFields.Moment("to", given.To));
        Identify();
        try
        {
            var planned = await PlanAsync(asked);
            if (planned.Plan is not { } made)
                return End(RestoreOutcome.Refused, planned.Refusal!);
            Use(made);
            Finish(Plans, PlanInWords());
            if (given.Mode == RunbookMode.Plan)
                return End(RestoreOutcome.Planned, PlanInWords());
            if (!await IsApprovedAsync(planned))
                return End(RestoreOutcome.Rejected, rejection ?? $"Nobody approved the plan within {InWords(planned.ApprovalTimeout)}.");
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
            var why = abortReason is null ? "Cancelled." : $"Aborted: {abortReason}.";
            return End(RestoreOutcome.Aborted, $"{why} {(progress.Begun == 0 ? "Nothing was changed." : $"{plan!.Node} serves the data that it had.")}");
        }
    });

    private async Task<PlannedRestore> PlanAsync(PlanRestoreInput asked)
    {
        Begin(Plans);
        var options = Short($"What a restore of {Request.Store} would do");
        options.CancellationToken = Acting.Token;
        return await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanRestoreAsync(asked), options);
    }

    private void Use(RestorePlan made)
    {
        (plan, epoch) = (made, made.Epoch);
        Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.PlanHash.ValueSet(made.Hash));
    }

    /// <summary>One step, until it is done or people have said to go on without it.</summary>
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

        while (true)
        {
            // From the opening on there is only forward, whoever cancels.
            if (step < RestoreStep.Open)
                Acting.Token.ThrowIfCancellationRequested();
            progress = progress.Begin(step);
            Begin(InWords(step));
            EnterPhase(RunbookPhase.Acting, InTheOrder(step));
            fencedAt = step == RestoreStep.Fence ? fencedAt ?? Now : fencedAt;
            try
            {
                var detail = step == RestoreStep.BackUp ? await BackUpAsync() : await CarryOutAsync(step, step < RestoreStep.Open ? Acting.Token : CancellationToken.None);
                servesAt = step == RestoreStep.Verify ? Now : servesAt;
                Finish(InWords(step), detail);
                return;
            }
            catch (FailureException failure) when (!TemporalException.IsCanceledException(failure) || step >= RestoreStep.Open)
            {
                if (!await GoesOnAsync(step, FailureReason.Of(failure)))
                    return;
            }
        }
    }

    private async Task<string> CarryOutAsync(RestoreStep step, CancellationToken ct)
    {
        var options = step is RestoreStep.Restore or RestoreStep.Prove or RestoreStep.Rebuild or RestoreStep.CleanUp or RestoreStep.Discard ? Long(InTheOrder(step)) : Short(InTheOrder(step));
        options.CancellationToken = ct;
        // What is taken back must not go on.
        options.CancellationType = ActivityCancellationType.WaitCancellationCompleted;
        options.HeartbeatTimeout = Heartbeat;
        var done = await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.RestoreStepAsync(new(Request.Store, Request.OperationId, plan!, step, epoch, skipped.ContainsKey(InWords(RestoreStep.BackUp)))), options);
        (epoch, took) = (done.Epoch, done.Took ?? took);
        return done.Detail;
    }

    /// <summary>What is overwritten is backed up by the runbook that does it at other times, and under its id: two never make sets of one store at once.</summary>
    private async Task<string> BackUpAsync()
    {
        var operation = Before(Request.OperationId);
        while (true)
        {
            try
            {
                var report = await Workflow.ExecuteChildWorkflowAsync(
                    (BackUpDatabase child) => child.RunAsync(Input<BackUpInput>.Of(new()
                    {
                        Environment = Request.Store.Environment,
                        Store = Request.Store.Store,
                        Region = Request.Store.Region,
                        OperationId = operation,
                        Within = $"{Request.Within.TotalSeconds:0}s",
                    })),
                    new()
                    {
                        Id = BackUpStore.WorkflowId(Request.Store.Environment, Request.Store.Store, Request.Store.Region),
                        StaticSummary = $"Back up {Request.Store} before it is overwritten",
                        CancellationToken = Acting.Token,
                    });
                backupBefore = operation;
                return report.Outcome == BackupOutcome.Complete ? $"{operation} holds what is overwritten." : throw FailureTypes.Impossible($"{operation} is not whole: {report.Set.Reason}");
            }
            catch (WorkflowAlreadyStartedException)
            {
                Begin(InWords(RestoreStep.BackUp), $"{BackUpStore.WorkflowId(Request.Store.Environment, Request.Store.Store, Request.Store.Region)} makes a set; waiting for it.");
                await Workflow.DelayAsync(BackupPause, Acting.Token);
            }
        }
    }

    /// <summary>Asks people what is to become of a step that failed. False: they go on without it.</summary>
    private async Task<bool> GoesOnAsync(RestoreStep step, string why)
    {
        Finish(InWords(step), why, StepState.Failed);
        failed = step;
        EnterPhase(RunbookPhase.Parked, $"Parked: {InWords(step)} failed. {why}");
        WaitingFor = new(step < RestoreStep.PutBack && !progress.PointOfNoReturnPassed ? "retryStep, skipStep or abort" : "retryStep or skipStep", "operator", Now + parkedAtMost);
        var answered = await Workflow.WaitConditionAsync(() => failed is null, parkedAtMost, step < RestoreStep.Open ? Acting.Token : CancellationToken.None);
        WaitingFor = null;
        failed = null;
        if (!answered && !progress.PointOfNoReturnPassed && step < RestoreStep.PutBack)
        {
            abortReason = $"nobody continued the parked run within {InWords(parkedAtMost)}. {why}";
            Acting.Cancel();
            Acting.Token.ThrowIfCancellationRequested();
        }

        if (!answered)
            throw FailureTypes.Impossible($"Nobody continued the parked run within {InWords(parkedAtMost)}. {why} {IfStoppedNow()}");
        if (!skipped.TryGetValue(InWords(step), out var reason))
            return true;
        Finish(InWords(step), $"Skipped: {reason}", StepState.Skipped);
        return false;
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
                    if (!await GoesOnAsync(step, FailureReason.Of(failure)))
                        break;
                }
            }
            while (true);
        }
    }
}
