using System.Globalization;
using System.Text.Json;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Common;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>What every runbook that carries out a plan shares: where it stands and how it says so, the operators' controls, approval, the walk
/// over the steps of its plan, and parking. A runbook says what a step does and how the run ends.</summary>
public abstract partial class Runbook
{
    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = Type,
        Environment = Request.Environment,
        OperationId = Request.OperationId,
        Phase = Phase,
        Summary = Summary,
        Steps = Steps?.All ?? [],
        WaitingFor = WaitingFor,
        Next = Next(),
        IfStoppedNow = IfStoppedNow(),
        Compensations = Compensations(),
        PlanHash = CurrentPlan?.Hash,
        StartedAt = startedAt,
    };

    /// <summary>The plan, field by field; null before there is one.</summary>
    [WorkflowQuery("plan")]
    public ProvisioningPlan? Plan() => CurrentPlan;

    /// <summary>What became of every object that the plan names, as far as it is known.</summary>
    [WorkflowQuery("objects")]
    public IReadOnlyList<ObjectOutcome> Objects() => Steps?.Outcomes() ?? [];

    /// <summary>What was asked for; unchecked until the run has checked it.</summary>
    private protected abstract RunbookRequest Request { get; }

    /// <summary>Set together with <see cref="GuardRails"/> and <see cref="Steps"/> by <see cref="Use"/>; null before.</summary>
    private protected ProvisioningPlan? CurrentPlan { get; private set; }

    private protected GuardRails GuardRails { get; private set; } = new(Approvals: 0, MaxParallel: 1, MayDestroy: false, ApprovalTimeout: TimeSpan.Zero);

    private protected RunbookSteps? Steps { get; private set; }

    private protected RunbookPhase Phase { get; private set; } = RunbookPhase.Observing;

    private protected string Summary { get; private set; } = "Starting.";

    private protected RunbookWait? WaitingFor { get; set; }

    private protected DateTimeOffset StartedAt => startedAt;

    private protected static DateTimeOffset Now => new(Workflow.UtcNow);

    /// <summary>The workflow type.</summary>
    private protected string Type => GetType().Name;

    private protected bool Ended => Phase is RunbookPhase.Completed or RunbookPhase.Rejected or RunbookPhase.Aborted or RunbookPhase.Failed;

    private protected bool HasChanges => CurrentPlan!.Components.Any(component =>
        component.Objects.Any(planned => planned.Action is not (PlannedAction.None or PlannedAction.Conflict)));

    /// <summary>What happens next, as a sentence; null when the run has ended.</summary>
    private protected abstract string? Next();

    /// <summary>The state of the world if the run stops at this moment, as a sentence.</summary>
    private protected abstract string IfStoppedNow();

    /// <summary>What an abort would undo, newest first.</summary>
    private protected virtual IReadOnlyList<string> Compensations() => [];

    /// <summary>From here on the run has a plan.</summary>
    private protected void Use(ProvisioningPlan plan, GuardRails guardRails) => (CurrentPlan, GuardRails, Steps) = (plan, guardRails, new(plan));

    /// <summary>Makes the run findable.</summary>
    private protected void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(Type),
        RunbookSearchAttributes.Environment.ValueSet(Request.Environment),
        RunbookSearchAttributes.OperationId.ValueSet(Request.OperationId),
        RunbookSearchAttributes.Phase.ValueSet(InWords(Phase)));

    private protected SearchAttributeCollection ChildAttributes(PlannedComponent component) => new SearchAttributeCollection.Builder()
        .Set(RunbookSearchAttributes.Runbook, Type)
        .Set(RunbookSearchAttributes.Environment, Request.Environment)
        .Set(RunbookSearchAttributes.Component, component.Component)
        .Set(RunbookSearchAttributes.Region, component.Region)
        .Set(RunbookSearchAttributes.OperationId, Request.OperationId)
        .Set(RunbookSearchAttributes.PlanHash, CurrentPlan!.Hash)
        .ToSearchAttributeCollection();

    private protected void EnterPhase(RunbookPhase next, string why)
    {
        Summary = why;
        if (next != Phase)
        {
            PhaseMetrics.Follow(Phase, next);
            Phase = next;
            Workflow.UpsertTypedSearchAttributes(next == RunbookPhase.Planning
                ? [RunbookSearchAttributes.Phase.ValueSet(InWords(next)), RunbookSearchAttributes.PlanHash.ValueSet(CurrentPlan!.Hash)]
                : [RunbookSearchAttributes.Phase.ValueSet(InWords(next))]);
        }
        ShowDetails();
    }

    private protected void ShowDetails()
    {
        var failed = Steps?.Failed.Select(step => $"\n- {step.Name}: {step.Detail}") ?? [];
        Workflow.CurrentDetails = $"**{InWords(Phase)}**: {Summary}{(Steps is null ? "" : $"\n\n{Progress()}")}{string.Concat(failed)}";
    }

    private protected string FailedSteps() => string.Join(" ", Steps!.Failed.Select(step => $"{step.Name}: {step.Detail}"));

    private protected string Skipped() =>
        string.Join(", ", Steps!.All.Where(step => step.State == StepState.Skipped).Select(step => step.Name));

    private protected virtual string PlanInWords()
    {
        var actions = CurrentPlan!.Components.SelectMany(component => component.Objects).GroupBy(planned => planned.Action).ToDictionary(group => group.Key, group => group.Count());
        int Of(PlannedAction action) => actions.GetValueOrDefault(action);
        return $"{CurrentPlan.Components.Count} steps: {Of(PlannedAction.Create)} objects to create, {Of(PlannedAction.Change)} to change, {Of(PlannedAction.Prune)} to remove, {Of(PlannedAction.None)} as wanted, {Of(PlannedAction.Conflict)} in conflict.";
    }

    private protected static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private protected static string InWords(TimeSpan duration) => duration switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours:0.#}h"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMinutes:0.#}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#}s"),
    };

    private string Progress() =>
        $"{Steps!.CountOf(StepState.Done)} of {Steps.Count} steps done, {Steps.CountOf(StepState.Running)} running, {Steps.CountOf(StepState.Failed)} failed, {Steps.CountOf(StepState.Blocked)} blocked.";
}
