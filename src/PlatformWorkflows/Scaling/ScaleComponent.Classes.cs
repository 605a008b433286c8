using System.Globalization;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Scaling;

/// <summary>The class of a managed database, in the place of a number of replicas.</summary>
public sealed partial class ScaleComponent
{
    /// <summary>The instance as it was before anything was changed.</summary>
    private ClassSight? instance;

    /// <summary>The class that it has or is on its way to, as it was told last; null: not yet.</summary>
    private string? classNow;

    /// <summary>RDS was told, or may have been.</summary>
    private bool resized;

    /// <summary>An attempt to give it the asked class is under way.</summary>
    private bool resizing;

    /// <summary>What comes back, should it.</summary>
    private string Before => request?.InstanceClass is null ? Text(before) : instance?.Temporary?.Before ?? instance?.Decision.From ?? "the class of before";

    private bool ChangedAny => set is not null || resized;

    private async Task<ScaleReport> ChangeClassAsync(string wanted)
    {
        EnterPhase(RunbookPhase.Observing, "Reading the specification, and looking at the database instance.");
        instance = await LookAtClassAsync(wanted);
        var decision = instance.Decision;
        classNow = decision.From;
        Use(instance.Plan, instance.GuardRails);
        EnterPhase(RunbookPhase.Planning, PlanInWords());
        StopIfAborted();
        if (decision.Verdict == ScalingVerdict.Refuse)
            return End(RunbookPhase.Rejected, ScaleOutcome.Refused, $"Refused: {decision.Why} Nothing was changed.");
        if (request!.Mode == RunbookMode.Plan)
            return End(RunbookPhase.Completed, ScaleOutcome.Planned, PlanInWords());
        if (decision.Verdict == ScalingVerdict.Wait)
        {
            // It may be on its way, as when the run that told RDS was terminated.
            // What was to come back by a dead run still does when this one has an end too, and else no more.
            var there = await ResizeAsync(wanted, wanted, request.Until is null ? null : instance.Temporary, Acting.Token);
            return there.Class == wanted
                ? End(RunbookPhase.Completed, ScaleOutcome.AsWanted, decision.Why)
                : End(RunbookPhase.Completed, ScaleOutcome.Superseded, $"{there.Detail} It is left as it is.");
        }

        if (!await IsApprovedAsync())
            return End(RunbookPhase.Rejected, ScaleOutcome.Rejected, $"{Rejection} Nothing was changed.");
        if (!await ActAsync($"Giving the database of {request.Subject.Component} the class {wanted} instead of {decision.From}: {request.Reason}", ResizeForwardAsync))
            return await ReturnAsync(NobodyContinued, ScaleOutcome.Returned);
        if (SupersededClass() is { } other)
            return End(RunbookPhase.Completed, ScaleOutcome.Superseded, other);
        if (Steps!.AnySkipped)
            return await ReturnAsync($"{Skipped()} was skipped.", ScaleOutcome.Returned);
        return request.Until is { } until
            ? await EndInTimeAsync(until)
            : End(RunbookPhase.Completed, ScaleOutcome.Scaled, $"The database of {request.Subject.Component} in {request.Subject.Region} is {wanted}, and available.");
    }

    private async Task ResizeForwardAsync(PlannedComponent step)
    {
        var (from, to) = (instance!.Decision.From!, request!.InstanceClass!);
        Steps!.Start(step, $"From {from} to {to}.", null, Now);
        resizing = true;
        try
        {
            // People may have taken their time.
            if ((await LookAtClassAsync(to)).Decision is { Verdict: ScalingVerdict.Refuse, Why: var why })
            {
                Steps.Finish(step, StepState.Failed, why, Now);
                return;
            }

            var done = await ResizeAsync(from, to, request.Until is { } until ? new(request.OperationId, Before, until) : null, Acting.Token);
            Steps.Finish(step, StepState.Done, done.Detail, Now);
        }
        catch (Exception failure) when (failure is FailureException || TemporalException.IsCanceledException(failure))
        {
            Steps.Finish(step, StepState.Failed, TemporalException.IsCanceledException(failure) ? "Stopped by the abort." : FailureReason.Of(failure), Now);
        }
        finally
        {
            resizing = false;
        }
    }

    private Task<ClassSight> LookAtClassAsync(string wanted) => Workflow.ExecuteActivityAsync(
        (IScalingActivities activities) => activities.ObserveDatabaseClassAsync(new(request!.Subject, wanted, request.Until)),
        Options($"How the database of {request!.Subject.Component} in {request.Subject.Region} is", Acting.Token));

    /// <returns>Empty: it is done, or somebody else's.</returns>
    private async Task<string> ResizeBackAsync()
    {
        // An abort does not wait for it, and two at once would undo each other.
        await Workflow.WaitConditionAsync(() => !resizing, CancellationToken.None);
        var done = await ResizeAsync(request!.InstanceClass!, Before, null, CancellationToken.None);
        // What a dead run left for a while, and this one did not come to change.
        if (done.Class == instance!.Decision.From && done.Class != Before)
            await ResizeAsync(done.Class, Before, null, CancellationToken.None);
        return "";
    }

    private async Task<ResizedDatabase> ResizeAsync(string from, string to, TemporaryClass? temporary, CancellationToken stop)
    {
        // Before the call: an answer that got lost may have been a yes.
        resized |= from != to;
        var done = await Workflow.ExecuteActivityAsync(
            (IScalingActivities activities) => activities.ResizeDatabaseAsync(new(request!.Subject, instance!.ResourceId, from, to, request.OperationId, request.Reason, temporary)),
            new()
            {
                Summary = from == to ? $"Wait until {request!.Subject.Component} is {to}" : $"{request!.Subject.Component}: from {from} to {to}",
                // RDS takes minutes, and more where it has to find a large machine.
                StartToCloseTimeout = TimeSpan.FromHours(2),
                ScheduleToCloseTimeout = TimeSpan.FromHours(3),
                HeartbeatTimeout = TimeSpan.FromSeconds(30),
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromMinutes(1) },
                CancellationToken = stop,
                // Whoever goes back must not meet it.
                CancellationType = ActivityCancellationType.WaitCancellationCompleted,
            });
        classNow = done.Class;
        return done;
    }

    /// <summary>Another class than those that this run found or set; null: there is none.</summary>
    private string? SupersededClass() => classNow is { } there && there != request!.InstanceClass && there != instance!.Decision.From && there != Before
        ? $"Somebody else has made it {there} meanwhile, which is left as it is."
        : null;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
