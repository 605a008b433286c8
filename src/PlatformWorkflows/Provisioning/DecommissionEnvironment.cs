using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Removes an environment, what stands on others first, and proves by listing that nothing of ours is left but what was kept as planned.
/// Workflow id <c>decommission/{environment}</c>. See <c>docs/runbooks/decommission-environment.md</c>.</summary>
[Workflow]
public sealed partial class DecommissionEnvironment : Runbook
{
    private readonly Input<DecommissionEnvironmentInput>? input;
    private DecommissionRequest? request;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public DecommissionEnvironment(Input<DecommissionEnvironmentInput>? input = null) => this.input = input;

    private protected override RunbookRequest Request => request ?? RunbookRequest.Unchecked(input?.ValueOrNull?.Environment);

    /// <summary>Somebody always has to say so, whatever the guard rails say of other plans.</summary>
    private protected override int ApprovalsNeeded => Math.Max(1, GuardRails.Approvals);

    /// <summary>Workflow id of the run of an environment.</summary>
    public static string WorkflowId(string environment) => $"decommission/{environment}";

    /// <summary>The runbook: observe, plan, approve, remove, list, report.</summary>
    [WorkflowRun]
    public async Task<DecommissionReport> RunAsync(Input<DecommissionEnvironmentInput>? input = null)
    {
        try
        {
            request = DecommissionRequest.From(this.input, Workflow.Info.FirstExecutionRunId);
            Identify();
            await ObserveAndPlanAsync();
            if (request.Mode == RunbookMode.Plan)
                return End(RunbookPhase.Completed, DecommissionOutcome.Planned, PlanInWords());
            if (!HasChanges)
                return EndWithNothingToDo();
            if (!await IsApprovedAsync())
                return End(RunbookPhase.Rejected, DecommissionOutcome.Rejected, $"{Rejection} Nothing was removed.");
            await RequireNoOtherAsync();
            return await ActAsync("Removing, what stands on others first.", RemovePlannedAsync)
                ? await EndWithListingAsync()
                : End(RunbookPhase.Failed, DecommissionOutcome.Failed, $"{NobodyContinued} Start it again to go on.");
        }
        catch (Exception stopped) when (Acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
        {
            await StopActingAsync();
            return End(RunbookPhase.Aborted, ActedAtAll ? DecommissionOutcome.Failed : DecommissionOutcome.Rejected, $"{AbortedBecause} {IfStoppedNow()}");
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>Lists what is ours in every region and decides what goes. Changes nothing.</summary>
    private async Task ObserveAndPlanAsync()
    {
        EnterPhase(RunbookPhase.Observing, "Reading the specification and listing what is ours in every region.");
        var (plan, guardRails) = await WholePlan.ReadAsync(
            new(request!.Environment, Purpose: PlanPurpose.Decommission, IncludeDataStores: request.IncludeDataStores), Acting.Token);
        Use(plan, guardRails);
        EnterPhase(RunbookPhase.Planning, PlanInWords());
        StopIfAborted();
    }

    /// <summary>Lists what is ours, and compares it with what was to be kept. What could not be listed counts as left.</summary>
    private async Task<DecommissionReport> EndWithListingAsync()
    {
        Workflow.CurrentDetails = "Listing what is left.";
        try
        {
            var kept = Planned(PlannedAction.None).Select(planned => planned.Address).ToHashSet();
            var found = await WholeLedger.ReadAsync(request!.Environment, null, Acting.Token);
            return EndWith(
                [.. found.Where(entry => !kept.Contains(entry.Address)).Select(entry => $"{entry.Address}: {entry.Owner}, still there")],
                // Namespaces of Temporal are in its database: nobody sees them there once the servers that show them are removed.
                [.. kept.Except(found.Select(entry => entry.Address)).Where(address => address.ApiVersion != ResourceAddress.TemporalApiVersion).Select(address => $"{address}")]);
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            return EndWith([$"What is left could not be listed: {FailureReason.Of(failure)}"], []);
        }
    }
}
