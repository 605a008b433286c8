using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>How a run gets its approval, walks over its steps, and parks.</summary>
public abstract partial class Runbook
{
    private readonly List<Task> running = [];

    /// <summary>Cancelled by an abort, or with the workflow.</summary>
    private protected CancellationTokenSource Acting { get; } = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);

    /// <summary>The step that a rollback could not undo; null: none.</summary>
    private protected string? Undoing { get; set; }

    /// <summary>Whether any step was begun.</summary>
    private protected bool ActedAtAll => running.Count > 0;

    private protected string NobodyContinued => $"Nobody continued the parked run within {InWords(Request.ParkedAtMost)}. {FailedSteps()}";

    /// <summary>Waits for the approvals that the plan needs. A plan without changes needs none.</summary>
    private protected async Task<bool> IsApprovedAsync()
    {
        if (ApprovalsNeeded == 0 || !HasChanges)
            return true;
        if (!await IsAnsweredAsync($"{PlanInWords()} It waits for approval.", $"approve with planHash {CurrentPlan!.Hash}", GuardRails.ApprovalTimeout))
            Rejection = $"Nobody approved the plan within {InWords(GuardRails.ApprovalTimeout)}.";
        return Rejection is null;
    }

    /// <summary>Waits until people have said what becomes of the plan. False when they did not in time.</summary>
    /// <param name="what">What would end the wait.</param>
    private protected async Task<bool> IsAnsweredAsync(string why, string what, TimeSpan within)
    {
        EnterPhase(RunbookPhase.AwaitingApproval, why);
        WaitingFor = new(what, "approver", Now + within);
        await Workflow.WaitConditionAsync(() => Answered, within, Acting.Token);
        WaitingFor = null;
        StopIfAborted();
        return Answered;
    }

    /// <summary>Two runbooks that change one environment would undo each other's work.</summary>
    /// <exception cref="ApplicationFailureException">Another one does; the message names it.</exception>
    private protected async Task RequireNoOtherAsync()
    {
        var others = await Workflow.ExecuteActivityAsync(
            (IProvisioningActivities activities) => activities.FindActingRunsAsync(new(Request.Environment, Workflow.Info.WorkflowId)),
            new()
            {
                Summary = $"Look for other runs that change {Request.Environment}",
                StartToCloseTimeout = TimeSpan.FromMinutes(1),
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                CancellationToken = Acting.Token,
            });
        if (others.WorkflowIds.Count > 0)
            throw new ApplicationFailureException(
                $"{string.Join(", ", others.WorkflowIds)} changes {Request.Environment} now, or is parked in the middle of it. Nothing was changed. Let it end, or abort it; then start again.",
                FailureTypes.Conflict, nonRetryable: true);
    }

    /// <summary>Walks the graph, parking whenever nothing more can be done. False when a parked run was left alone for too long.</summary>
    /// <param name="begin">Carries one step out, from <see cref="RunbookSteps.Start"/> to <see cref="RunbookSteps.Finish"/>; ends in an exception only when it has a bug.</param>
    private protected async Task<bool> ActAsync(string why, Func<PlannedComponent, Task> begin)
    {
        EnterPhase(RunbookPhase.Acting, why);
        while (!Steps!.Finished)
        {
            while (Steps.Startable(GuardRails.MaxParallel) is { Count: > 0 } startable)
                running.Add(begin(startable[0]));
            // Steps that had nothing to do have ended by now, perhaps the last one among them.
            if (Steps.Finished)
                break;
            if (Steps.Stuck)
            {
                if (!await ParkAsync($"Parked: {FailedSteps()}", Acting.Token))
                    return false;
                EnterPhase(RunbookPhase.Acting, "Going on after the operator's decision.");
                continue;
            }
            var seen = Steps.Version;
            await Workflow.WaitConditionAsync(() => Steps.Version != seen || running.Exists(IsBug), Acting.Token);
            await SurfaceBugsAsync();
            ShowDetails();
        }
        StopIfAborted();
        return true;
    }

    /// <summary>No step will be begun any more; waits until those that were have ended.</summary>
    private protected Task StopActingAsync()
    {
        Steps?.GiveUp("Not started: the run was stopped.");
        return Workflow.WhenAllAsync(running);
    }

    /// <summary>Waits until an operator retries or skips a failed step. False when nobody did in time.</summary>
    private protected async Task<bool> ParkAsync(string why, CancellationToken stop)
    {
        EnterPhase(RunbookPhase.Parked, why);
        WaitingFor = new("retryStep, skipStep or abort", "operator", Now + Request.ParkedAtMost);
        var seen = Steps!.Version;
        var answered = await Workflow.WaitConditionAsync(() => Steps.Version != seen, Request.ParkedAtMost, stop);
        WaitingFor = null;
        return answered || Steps.Version != seen;
    }

    /// <summary>One step as a child workflow that applies a component's part of the plan and waits until it is healthy.</summary>
    private protected async Task ProvisionComponentAsync(PlannedComponent component, TimeSpan healthyWithin, PlanPurpose purpose = PlanPurpose.Provision)
    {
        var workflowId = $"{Workflow.Info.WorkflowId}/{component.Step}";
        Steps!.Start(component, InWords(component), workflowId, Now);
        try
        {
            var provisioned = await Workflow.ExecuteChildWorkflowAsync(
                (ProvisionComponent child) => child.RunAsync(new(Reference(component), component, healthyWithin, purpose)),
                new()
                {
                    Id = workflowId,
                    StaticSummary = $"Provision {component.Step} of {Request.Environment}",
                    TypedSearchAttributes = ChildAttributes(component),
                    CancellationToken = Acting.Token,
                });
            Steps.Record(component, provisioned.Objects);
            Steps.Finish(component, StepState.Done, provisioned.Health ?? "Healthy.", Now);
        }
        catch (Exception failure) when (failure is FailureException || TemporalException.IsCanceledException(failure))
        {
            if (FailureReason.DetailOf<ProvisionedComponent>(failure)?.Objects is { } known)
                Steps.Record(component, known);
            Steps.Finish(
                component, StepState.Failed,
                TemporalException.IsCanceledException(failure) ? "Stopped by the abort." : FailureReason.Of(failure), Now);
        }
    }

    private protected ComponentReference Reference(PlannedComponent component) => new(
        Request.Environment, component.Component, component.Region, Request.OperationId, CurrentPlan!.SpecificationDigest, CurrentPlan.CatalogDigest);

    /// <summary>An abort that was accepted in the very moment in which a phase ended counts: its caller was told so.</summary>
    private protected void StopIfAborted() => Acting.Token.ThrowIfCancellationRequested();

    private static string InWords(PlannedComponent component) =>
        component.Objects.Count(planned => planned.Action != PlannedAction.None) is > 0 and var changes
            ? $"Applying {changes} of {component.Objects.Count} objects, then waiting until healthy."
            : "Nothing to change; checking health.";

    /// <summary>A step's task only ends in an exception when this code has a bug: that must fail the workflow task, not go unseen.</summary>
    private async Task SurfaceBugsAsync()
    {
        foreach (var task in running.Where(IsBug))
            await task;
    }

    private static bool IsBug(Task step) => step.IsCompleted && !step.IsCompletedSuccessfully;
}
