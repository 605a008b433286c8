using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Says field by field what is not as declared, and on demand reverts it or says how to declare it. Workflow id <c>drift/{environment}</c>.
/// See <c>docs/runbooks/detect-drift.md</c>.</summary>
[Workflow]
public sealed partial class DetectDrift : Runbook
{
    private readonly Input<DetectDriftInput>? input;
    private DriftRequest? request;
    private IReadOnlyList<DriftFinding> findings = [];
    private SpecificationChange? adoption;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public DetectDrift(Input<DetectDriftInput>? input = null) => this.input = input;

    private protected override RunbookRequest Request => request ?? RunbookRequest.Unchecked(input?.ValueOrNull?.Environment);

    /// <summary>Workflow id of the run of an environment, and id of the schedule that starts it.</summary>
    public static string WorkflowId(string environment) => $"drift/{environment}";

    /// <summary>The runbook: observe, compare, let people decide, act, report.</summary>
    [WorkflowRun]
    public async Task<DriftReport> RunAsync(Input<DetectDriftInput>? input = null)
    {
        try
        {
            request = DriftRequest.From(this.input, Workflow.Info.FirstExecutionRunId);
            Identify();
            await CompareAsync();
            if (findings.Count == 0)
                return End(RunbookPhase.Completed, DriftOutcome.AsDeclared, "Everything is as declared.");
            if (request.Mode != DriftMode.Adopt && !await IsDecidedAsync())
                return End(Rejection is null ? RunbookPhase.Completed : RunbookPhase.Rejected, DriftOutcome.Drifted, $"{InWords(findings)} {Rejection ?? "It was left as it is."}");
            return adopting || request.Mode == DriftMode.Adopt ? await ProposeAsync() : await BringBackAsync();
        }
        catch (Exception stopped) when (Acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
        {
            await StopActingAsync();
            return End(RunbookPhase.Aborted, ActedAtAll ? DriftOutcome.Failed : DriftOutcome.Drifted, $"{AbortedBecause} {IfStoppedNow()}");
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>Reads the specification, looks at every region and compares. Changes nothing.</summary>
    private async Task CompareAsync()
    {
        EnterPhase(RunbookPhase.Observing, "Reading the specification and observing every region.");
        var (plan, guardRails) = await WholePlan.ReadAsync(new(request!.Environment, request.Components, Purpose: PlanPurpose.Revert), Acting.Token);
        findings = Drift.In(plan);
        Use(plan, guardRails);
        EnterPhase(RunbookPhase.Planning, findings.Count == 0 ? "Nothing differs." : InWords(findings));
        StopIfAborted();
    }

    /// <summary>Whether what differs is to be reverted or adopted. A run that only reports asks nobody unless it was told how long to wait.</summary>
    private async Task<bool> IsDecidedAsync()
    {
        var asked = request!.Mode == DriftMode.Revert ? ApprovalsNeeded > 0 : request.DecideWithin is not null;
        if (!asked)
            return request.Mode == DriftMode.Revert;
        var within = request.DecideWithin ?? GuardRails.ApprovalTimeout;
        if (!await IsAnsweredAsync($"{InWords(findings)} It waits for a decision.", $"revert or adopt with planHash {CurrentPlan!.Hash}, or reject", within))
            Rejection = $"Nobody decided within {InWords(within)}; it was left as it is.";
        return Rejection is null;
    }

    /// <summary>Brings what differs back, component by component in dependency order, and waits until each is healthy.</summary>
    private async Task<DriftReport> BringBackAsync()
    {
        await RequireNoOtherAsync();
        if (!await ActAsync("Reverting what differs.", BeginAsync))
            return End(RunbookPhase.Failed, DriftOutcome.Failed, NobodyContinued);
        var changed = Steps!.Outcomes().Count(outcome => outcome.Result is ObjectResult.Changed or ObjectResult.Created);
        return Steps.AnySkipped
            ? End(RunbookPhase.Completed, DriftOutcome.Incomplete, $"{changed} objects were reverted, but some steps were skipped: {Skipped()}.")
            : End(RunbookPhase.Completed, DriftOutcome.Reverted, $"{changed} objects were brought back to what is declared, and their components are healthy.{Untouched()}");
    }

    private Task BeginAsync(PlannedComponent component)
    {
        if (component.Objects.Where(planned => planned.Action == PlannedAction.Conflict).ToList() is { Count: > 0 } conflicts)
            Steps!.Finish(
                component, StepState.Failed,
                $"{string.Join(" ", conflicts.Select(planned => $"{planned.Address}: {planned.Reason}"))} Nothing of this step was reverted; settle it and retry the step, or skip it.", Now);
        else if (component.Objects.All(planned => planned.Action == PlannedAction.None))
            Steps!.Finish(component, StepState.Done, "Nothing to revert.", Now);
        else
            return ProvisionComponentAsync(component, request!.HealthyWithin, PlanPurpose.Revert);
        return Task.CompletedTask;
    }

    /// <summary>Says what to write into the specification. Where it is kept is not ours to write to: it has a review of its own.</summary>
    private async Task<DriftReport> ProposeAsync()
    {
        EnterPhase(RunbookPhase.Acting, "Finding out what the specification would have to say.");
        adoption = await Workflow.ExecuteActivityAsync(
            (IProvisioningActivities activities) => activities.ProposeAdoptionAsync(new(request!.Environment, findings)),
            new()
            {
                Summary = $"Propose a change of the specification of {request!.Environment}",
                StartToCloseTimeout = TimeSpan.FromMinutes(5),
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                CancellationToken = Acting.Token,
            });
        return End(
            RunbookPhase.Completed, DriftOutcome.Adopted,
            $"{adoption.Fields.Count} of {findings.Count} differences can be declared: merge the report's adoption into {adoption.File}. {adoption.NotPossible.Count} cannot.");
    }
}
