using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Brings an environment of the platform to what its specification says. Workflow id <c>provision/{environment}</c>: it is the lock.
/// See <c>docs/runbooks/provision-environment.md</c>.</summary>
[Workflow]
public sealed partial class ProvisionEnvironment
{
    private readonly Input<ProvisionEnvironmentInput>? input;
    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly CancellationTokenSource acting = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);
    private readonly List<Task> running = [];
    private ProvisioningRequest request;
    private ProvisioningPlan? plan;
    private GuardRails guardRails = new(Approvals: 0, MaxParallel: 1, MayDestroy: false, ApprovalTimeout: TimeSpan.Zero);
    private ProvisioningSteps? steps;
    private string? undoing;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public ProvisionEnvironment(Input<ProvisionEnvironmentInput>? input = null)
    {
        this.input = input;
        request = new(input?.ValueOrNull?.Environment ?? "", RunbookMode.Apply, "", null, TimeSpan.Zero, TimeSpan.Zero);
    }

    /// <summary>Workflow id of the run of an environment.</summary>
    public static string WorkflowId(string environment) => $"provision/{environment}";

    /// <summary>The runbook: observe, plan, approve, act, report; an abort or a cancellation at any moment rolls back.</summary>
    [WorkflowRun]
    public async Task<ProvisioningReport> RunAsync(Input<ProvisionEnvironmentInput>? input = null)
    {
        try
        {
            request = ProvisioningRequest.From(this.input, Workflow.Info.FirstExecutionRunId);
            Identify();
            await ObserveAndPlanAsync();
            if (request.Mode == RunbookMode.Plan)
                return End(RunbookPhase.Completed, ProvisioningOutcome.Planned, PlanInWords());
            if (!await IsApprovedAsync())
                return End(RunbookPhase.Rejected, ProvisioningOutcome.Rejected, $"{rejection} Nothing was changed.");
            return await ActAsync() ? EndWithAllSteps() : EndUnfinished(NobodyContinued, await LeftBehindAsync());
        }
        catch (Exception stopped) when (acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
        {
            return await RollBackAsync() is { Count: > 0 } left
                ? EndUnfinished($"{AbortedBecause} Not everything that the run had created is gone.", left)
                : End(RunbookPhase.Aborted, ProvisioningOutcome.RolledBack, $"{AbortedBecause} Nothing that the run had created is left.");
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>Reads the specification, looks at every region and plans. Changes nothing.</summary>
    private async Task ObserveAndPlanAsync()
    {
        EnterPhase(RunbookPhase.Observing, "Reading the specification and observing every region.");
        (plan, guardRails) = await WholePlan.ReadAsync(request.Environment, request.Components, acting.Token);
        steps = new(plan);
        EnterPhase(RunbookPhase.Planning, PlanInWords());
        StopIfAborted();
    }

    /// <summary>Waits for the approvals that the guard rails want. A plan without changes needs none.</summary>
    private async Task<bool> IsApprovedAsync()
    {
        if (guardRails.Approvals == 0 || !HasChanges)
            return true;
        EnterPhase(RunbookPhase.AwaitingApproval, $"{PlanInWords()} It waits for approval.");
        waitingFor = new($"approve with planHash {plan!.Hash}", "approver", Now + guardRails.ApprovalTimeout);
        var answered = await Workflow.WaitConditionAsync(
            () => rejection is not null || approvals.Count >= guardRails.Approvals, guardRails.ApprovalTimeout, acting.Token);
        waitingFor = null;
        StopIfAborted();
        if (!answered && rejection is null && approvals.Count < guardRails.Approvals)
            rejection = $"Nobody approved the plan within {InWords(guardRails.ApprovalTimeout)}.";
        return rejection is null;
    }

    /// <summary>Walks the graph, parking whenever nothing more can be done. False when a parked run was left alone for too long.</summary>
    private async Task<bool> ActAsync()
    {
        EnterPhase(RunbookPhase.Acting, "Applying the plan.");
        while (!steps!.Finished)
        {
            while (steps.Startable(guardRails.MaxParallel) is { Count: > 0 } startable)
                running.Add(ProvisionComponentAsync(startable[0]));
            if (steps.Stuck)
            {
                if (!await ParkAsync($"Parked: {FailedSteps()}", acting.Token))
                    return false;
                EnterPhase(RunbookPhase.Acting, "Going on after the operator's decision.");
                continue;
            }
            var seen = steps.Version;
            await Workflow.WaitConditionAsync(() => steps.Version != seen || running.Exists(IsBug), acting.Token);
            await SurfaceBugsAsync();
            ShowDetails();
        }
        StopIfAborted();
        return true;
    }

    /// <summary>One step: a child workflow that applies a component's part of the plan and waits until it is healthy.</summary>
    private async Task ProvisionComponentAsync(PlannedComponent component)
    {
        if (Impediment(component) is { } impediment)
        {
            steps!.Record(component, Conflicts(component));
            steps.Finish(component, StepState.Failed, impediment, Now);
            return;
        }
        var workflowId = $"{Workflow.Info.WorkflowId}/{component.Step}";
        steps!.Start(component, workflowId, Now);
        try
        {
            var provisioned = await Workflow.ExecuteChildWorkflowAsync(
                (ProvisionComponent child) => child.RunAsync(new(Reference(component), component, request.HealthyWithin)),
                new()
                {
                    Id = workflowId,
                    StaticSummary = $"Provision {component.Step} of {request.Environment}",
                    TypedSearchAttributes = ChildAttributes(component),
                    CancellationToken = acting.Token,
                });
            steps.Record(component, provisioned.Objects);
            steps.Finish(component, StepState.Done, provisioned.Health ?? "Healthy.", Now);
        }
        catch (Exception failure) when (failure is FailureException || TemporalException.IsCanceledException(failure))
        {
            if (FailureReason.DetailOf<ProvisionedComponent>(failure)?.Objects is { } known)
                steps.Record(component, known);
            steps.Finish(
                component, StepState.Failed,
                TemporalException.IsCanceledException(failure) ? "Stopped by the abort." : FailureReason.Of(failure), Now);
        }
    }

    /// <summary>Removes what this run created, last first, and proves by listing what is left: nothing, when all is well.</summary>
    private async Task<IReadOnlyList<string>> RollBackAsync()
    {
        EnterPhase(RunbookPhase.RollingBack, $"{AbortedBecause} Removing what this run created, newest first.");
        steps?.GiveUp("Not started: the run was stopped.");
        await Workflow.WhenAllAsync(running);
        foreach (var component in steps?.StartedNewestFirst() ?? [])
        {
            // Strictly in reverse order: what a component stands on stays until the component is gone or an operator says to leave it.
            while (!await RemoveCreatedAsync(component))
            {
                undoing = component.Step;
                if (!await ParkAsync($"Parked while rolling back: {component.Step}: {steps!.Find(component.Step)!.Detail}", CancellationToken.None))
                    return await LeftBehindAsync();
                undoing = null;
                EnterPhase(RunbookPhase.RollingBack, "Going on with the rollback after the operator's decision.");
                if (steps.Find(component.Step)!.State == StepState.Skipped)
                    break;
            }
        }
        return running.Count == 0 ? [] : await LeftBehindAsync();
    }

    /// <summary>Undoes one step. False when it did not work; the step then holds the reason.</summary>
    private async Task<bool> RemoveCreatedAsync(PlannedComponent component)
    {
        try
        {
            var removed = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.RemoveCreatedAsync(
                    new(request.Environment, request.OperationId, component.Component, component.Region)),
                new()
                {
                    Summary = $"Remove what {request.OperationId} created for {component.Step}",
                    StartToCloseTimeout = TimeSpan.FromMinutes(15),
                    HeartbeatTimeout = TimeSpan.FromSeconds(30),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                    CancellationToken = CancellationToken.None,
                });
            steps!.RecordRemoval(component, removed.Objects, request.OperationId);
            steps.Finish(component, StepState.RolledBack, $"Removed {removed.Objects.Count} objects.", Now);
            return true;
        }
        catch (ActivityFailureException failure)
        {
            steps!.Finish(component, StepState.Failed, FailureReason.Of(failure), Now);
            return false;
        }
    }

    /// <summary>What exists of what this run created, as sentences; also that it could not be listed.</summary>
    private async Task<IReadOnlyList<string>> LeftBehindAsync()
    {
        try
        {
            var created = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.ListCreatedAsync(new(request.Environment, request.OperationId, null, null)),
                new()
                {
                    Summary = $"List what {request.OperationId} created",
                    StartToCloseTimeout = TimeSpan.FromMinutes(5),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                    CancellationToken = CancellationToken.None,
                });
            return [.. created.Objects.Select(address => $"{address}: created by this run ({request.OperationId}) and still there")];
        }
        catch (ActivityFailureException failure)
        {
            return [$"What this run ({request.OperationId}) created could not be listed: {FailureReason.Of(failure)}"];
        }
    }

    /// <summary>Waits until an operator retries or skips a failed step. False when nobody did in time.</summary>
    private async Task<bool> ParkAsync(string why, CancellationToken stop)
    {
        EnterPhase(RunbookPhase.Parked, why);
        waitingFor = new("retryStep, skipStep or abort", "operator", Now + request.ParkedAtMost);
        var seen = steps!.Version;
        var answered = await Workflow.WaitConditionAsync(() => steps.Version != seen, request.ParkedAtMost, stop);
        waitingFor = null;
        return answered || steps.Version != seen;
    }

    /// <summary>A step's task only ends in an exception when this code has a bug: that must fail the workflow task, not go unseen.</summary>
    private async Task SurfaceBugsAsync()
    {
        foreach (var task in running.Where(IsBug))
            await task;
    }

    private static bool IsBug(Task step) => step.IsCompleted && !step.IsCompletedSuccessfully;

    /// <summary>An abort that was accepted in the very moment in which a phase ended counts: its caller was told so.</summary>
    private void StopIfAborted() => acting.Token.ThrowIfCancellationRequested();
}
