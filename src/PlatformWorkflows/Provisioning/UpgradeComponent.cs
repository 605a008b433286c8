using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Brings one component to what is specified by now, region by region and the secondary ones first; a region that does not do well returns all of
/// them to what was applied before. Workflow id <c>upgrade/{environment}/{component}</c>. See <c>docs/runbooks/upgrade-component.md</c>.</summary>
[Workflow]
public sealed partial class UpgradeComponent : Runbook
{
    private readonly Input<UpgradeComponentInput>? input;
    private readonly Dictionary<string, CapturedComponent> before = [];
    private UpgradeRequest? request;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public UpgradeComponent(Input<UpgradeComponentInput>? input = null) => this.input = input;

    private protected override RunbookRequest Request => request ?? RunbookRequest.Unchecked(input?.ValueOrNull?.Environment);

    /// <summary>Workflow id of the run of a component.</summary>
    public static string WorkflowId(string environment, string component) => $"upgrade/{environment}/{component}";

    /// <summary>The runbook: observe, plan, approve, upgrade a region and watch it, then the next; return all of them when one does not do well.</summary>
    [WorkflowRun]
    public async Task<UpgradeReport> RunAsync(Input<UpgradeComponentInput>? input = null)
    {
        try
        {
            request = UpgradeRequest.From(this.input, Workflow.Info.FirstExecutionRunId);
            Identify();
            Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Component.ValueSet(request.Component));
            await ObserveAndPlanAsync();
            if (request.Mode == RunbookMode.Plan)
                return End(RunbookPhase.Completed, UpgradeOutcome.Planned, PlanInWords());
            if (!await IsApprovedAsync())
                return End(RunbookPhase.Rejected, UpgradeOutcome.Rejected, $"{Rejection} Nothing was changed.");
            await RequireNoOtherAsync();
            EnterPhase(RunbookPhase.Acting, "Upgrading region by region.");
            foreach (var step in CurrentPlan!.Components)
            {
                if (!await UpgradeAsync(step))
                    return await ReturnAsync($"{step.Step} did not do well: {Steps!.Find(step.Step)!.Detail}");
            }

            return End(RunbookPhase.Completed, HasChanges ? UpgradeOutcome.Upgraded : UpgradeOutcome.UpToDate, $"{request.Component} runs what is specified and is healthy in {Steps!.Count} regions.");
        }
        catch (Exception stopped) when (Acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
        {
            return await ReturnAsync(AbortedBecause);
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>Plans what the specification says by now. A rule of upgrades that it breaks ends the run before anything is touched.</summary>
    private async Task ObserveAndPlanAsync()
    {
        EnterPhase(RunbookPhase.Observing, "Reading the specification and observing every region.");
        var (plan, guardRails) = await WholePlan.ReadAsync(
            new(request!.Environment, [request.Component], Purpose: PlanPurpose.Upgrade, Expected: request.Expected), Acting.Token);
        Use(plan, guardRails);
        EnterPhase(RunbookPhase.Planning, PlanInWords());
        StopIfAborted();
        var conflicts = plan.Components.SelectMany(component => component.Objects).Where(planned => planned.Action == PlannedAction.Conflict).ToList();
        if (conflicts.Count > 0)
            throw new ApplicationFailureException(
                $"{string.Join(" ", conflicts.Select(planned => $"{planned.Address}: {planned.Reason}").Distinct())} Nothing was changed.", FailureTypes.Conflict, nonRetryable: true);
    }

    /// <summary>One region: keep what is applied, apply, wait until healthy, and watch it for as long as was asked. False when it did not do well.</summary>
    private async Task<bool> UpgradeAsync(PlannedComponent step)
    {
        StopIfAborted();
        if (step.Objects.Any(planned => planned.Action != PlannedAction.None))
            before[step.Step] = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.CaptureComponentAsync(new(Reference(step), step)), Options($"Keep what is applied of {step.Step}", Acting.Token));
        await ProvisionComponentAsync(step, request!.HealthyWithin, PlanPurpose.Upgrade);
        StopIfAborted();
        if (Steps!.Find(step.Step)!.State != StepState.Done)
            return false;
        if (request.ObserveFor is not { } watched || step == CurrentPlan!.Components[^1] || !before.ContainsKey(step.Step))
            return true;
        WaitingFor = new($"{step.Step} stays healthy for {InWords(watched)}", "time", Now + watched);
        await Workflow.DelayAsync(watched, Acting.Token);
        WaitingFor = null;
        return await IsStillHealthyAsync(step);
    }

    private async Task<bool> IsStillHealthyAsync(PlannedComponent step)
    {
        try
        {
            await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.AwaitHealthAsync(new(Reference(step), TimeSpan.FromMinutes(1))), Options($"Health of {step.Step} after a while", Acting.Token));
            return true;
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            Steps!.Finish(step, StepState.Failed, FailureReason.Of(failure), Now);
            return false;
        }
    }

    private static ActivityOptions Options(string summary, CancellationToken cancellationToken) => new()
    {
        Summary = summary,
        StartToCloseTimeout = TimeSpan.FromMinutes(15),
        HeartbeatTimeout = TimeSpan.FromSeconds(30),
        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
        CancellationToken = cancellationToken,
    };
}
