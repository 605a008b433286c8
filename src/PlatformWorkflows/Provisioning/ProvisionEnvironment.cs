using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Brings an environment of the platform to what its specification says. Workflow id <c>provision/{environment}</c>: it is the lock.
/// See <c>docs/runbooks/provision-environment.md</c>.</summary>
[Workflow]
public sealed partial class ProvisionEnvironment : Runbook
{
    private readonly Input<ProvisionEnvironmentInput>? input;
    private ProvisioningRequest? request;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public ProvisionEnvironment(Input<ProvisionEnvironmentInput>? input = null) => this.input = input;

    private protected override RunbookRequest Request => request ?? RunbookRequest.Unchecked(input?.ValueOrNull?.Environment);

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
                return End(RunbookPhase.Rejected, ProvisioningOutcome.Rejected, $"{Rejection} Nothing was changed.");
            return await ActAsync("Applying the plan.", BeginAsync) ? EndWithAllSteps() : EndUnfinished(NobodyContinued, await LeftBehindAsync());
        }
        catch (Exception stopped) when (Acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
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
        var (plan, guardRails) = await WholePlan.ReadAsync(new(request!.Environment, request.Components), Acting.Token);
        Use(plan, guardRails);
        EnterPhase(RunbookPhase.Planning, PlanInWords());
        StopIfAborted();
    }

    /// <summary>One step: a child workflow, unless the plan itself says that it cannot work; what the environment does not have any more only goes.</summary>
    private Task BeginAsync(PlannedComponent component)
    {
        if (component.Retired)
            return RemovePlannedAsync(component);
        if (Impediment(component) is not { } impediment)
            return ProvisionComponentAsync(component, request!.HealthyWithin);
        Steps!.Record(component, Conflicts(component));
        Steps.Finish(component, StepState.Failed, impediment, Now);
        return Task.CompletedTask;
    }

    /// <summary>Removes what this run created, last first, and proves by listing what is left: nothing, when all is well.</summary>
    private async Task<IReadOnlyList<string>> RollBackAsync()
    {
        EnterPhase(RunbookPhase.RollingBack, $"{AbortedBecause} Removing what this run created, newest first.");
        await StopActingAsync();
        foreach (var component in Steps?.StartedNewestFirst() ?? [])
        {
            // Strictly in reverse order: what a component stands on stays until the component is gone or an operator says to leave it.
            while (!await RemoveCreatedAsync(component))
            {
                Undoing = component.Step;
                if (!await ParkAsync($"Parked while rolling back: {component.Step}: {Steps!.Find(component.Step)!.Detail}", CancellationToken.None))
                    return await LeftBehindAsync();
                Undoing = null;
                EnterPhase(RunbookPhase.RollingBack, "Going on with the rollback after the operator's decision.");
                if (Steps.Find(component.Step)!.State == StepState.Skipped)
                    break;
            }
        }
        return !ActedAtAll ? [] : await LeftBehindAsync();
    }

    /// <summary>Undoes one step. False when it did not work; the step then holds the reason.</summary>
    private async Task<bool> RemoveCreatedAsync(PlannedComponent component)
    {
        try
        {
            var removed = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.RemoveCreatedAsync(
                    new(Request.Environment, Request.OperationId, component.Component, component.Region)),
                new()
                {
                    Summary = $"Remove what {Request.OperationId} created for {component.Step}",
                    StartToCloseTimeout = TimeSpan.FromMinutes(15),
                    HeartbeatTimeout = TimeSpan.FromSeconds(30),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                    CancellationToken = CancellationToken.None,
                });
            Steps!.RecordRemoval(component, removed.Objects, Request.OperationId);
            Steps.Finish(component, StepState.RolledBack, $"Removed {removed.Objects.Count} objects.", Now);
            return true;
        }
        catch (ActivityFailureException failure)
        {
            Steps!.Finish(component, StepState.Failed, FailureReason.Of(failure), Now);
            return false;
        }
    }

    /// <summary>What exists of what this run created, as sentences; also that it could not be listed.</summary>
    private async Task<IReadOnlyList<string>> LeftBehindAsync()
    {
        try
        {
            var created = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.ListCreatedAsync(new(Request.Environment, Request.OperationId, null, null)),
                new()
                {
                    Summary = $"List what {Request.OperationId} created",
                    StartToCloseTimeout = TimeSpan.FromMinutes(5),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                    CancellationToken = CancellationToken.None,
                });
            return [.. created.Objects.Select(address => $"{address}: created by this run ({Request.OperationId}) and still there")];
        }
        catch (ActivityFailureException failure)
        {
            return [$"What this run ({Request.OperationId}) created could not be listed: {FailureReason.Of(failure)}"];
        }
    }
}
