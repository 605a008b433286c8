using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Replaces the data of a running database by a set, at a moment that is asked for: planned and approved first, restored and proved beside the data while that serves, exchanged while nobody gets through, and opened
/// in an epoch of its own. Until it is opened, abort brings the old state back. See <c>docs/runbooks/restore.md</c>.</summary>
[Workflow]
public sealed partial class RestoreDatabase : StoreRestore<RestorePlan, RestoreReport>
{
    private RestoreProgress progress;
    private long? epoch;
    private bool isBackedUp;
    private string beside = "";
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
    public Task<RestoreReport> RunAsync(Input<RestoreDatabaseInput>? input = null) => RestoreAsync(input, (given, target) =>
    {
        var asked = new PlanRestoreInput(Request.Store, Request.OperationId, given.Set, target, Before(Request.OperationId), given.Exchange);
        return async () =>
        {
            var planned = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanRestoreAsync(asked), Looking(WhatItWouldDo));
            isBackedUp = Plan is null ? planned.IsBackedUp : isBackedUp;
            return planned;
        };
    });

    private protected override async Task CarryOutAsync(RestorePlan made)
    {
        foreach (var step in RestoreProgress.Steps)
            await DoAsync(step);
    }

    private async Task DoAsync(RestoreStep step)
    {
        if (Plan!.NewInstance is { } made && step is not (RestoreStep.Reserve or RestoreStep.Restore or RestoreStep.Prove or RestoreStep.CleanUp) && (made.Exchange is null || !OfAnExchange(step)))
        {
            Finish(InWords(step), made.Exchange is null ? "Nothing is replaced: what is restored is an instance of its own." : "Not of a managed database.", StepState.Skipped);
            return;
        }

        if (step == RestoreStep.BackUp && !Plan!.Overwrites)
        {
            Finish(InWords(step), "There is nothing that would be overwritten.", StepState.Skipped);
            return;
        }

        if (step == RestoreStep.Rebuild && Plan!.Standby is null && Plan.NewInstance is null)
        {
            Finish(InWords(step), "There is no other node.", StepState.Skipped);
            return;
        }

        // Data that is exchanged while it is copied is in no set.
        if (step == RestoreStep.Fence)
            await LockAsync(InWords(step));
        // From the opening on there is only forward, whoever cancels.
        var abortable = step < RestoreStep.Open;
        await StepAsync(InWords(step), InTheOrder(step), async () =>
        {
            progress = progress.Begin(step);
            fencedAt = step == RestoreStep.Fence ? fencedAt ?? Now : fencedAt;
            var detail = step == RestoreStep.BackUp ? await BackUpAsync() : await CarryOutAsync(step, abortable ? Acting.Token : CancellationToken.None);
            servesAt = step == RestoreStep.Verify ? Now : servesAt;
            beside = step is RestoreStep.Restore or RestoreStep.Prove ? $"{beside} {detail}".Trim() : beside;
            return detail;
        }, abortable);
    }

    /// <summary>What is done of a managed database when what was restored takes its place: to open is to exchange the names.</summary>
    private static bool OfAnExchange(RestoreStep step) => step is RestoreStep.BackUp or RestoreStep.Fence or RestoreStep.Open or RestoreStep.Verify or RestoreStep.Rebuild;

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
        var takesLong = step is RestoreStep.Restore or RestoreStep.Prove or RestoreStep.Rebuild or RestoreStep.CleanUp or RestoreStep.Discard || (Plan!.NewInstance is not null && step is RestoreStep.Open or RestoreStep.Verify);
        var done = await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.RestoreStepAsync(new(Request.Store, Request.OperationId, Plan!, step, epoch ?? Plan!.Epoch, Skipped.ContainsKey(InWords(RestoreStep.BackUp)))), Changing(InTheOrder(step), takesLong, ct));
        (epoch, took) = (done.Epoch, done.Took ?? took);
        return done.Detail;
    }

    /// <summary>Brings the old state back, one step after the other. What fails parks: it is never left half-done unsaid.</summary>
    private protected override async Task GoBackAsync(RestorePlan made)
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
