using System.Globalization;
using System.Text.Json;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Common;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>How a run tells people where it stands, while it goes on and at its end.</summary>
public sealed partial class ProvisionEnvironment
{
    private RunbookPhase phase = RunbookPhase.Observing;
    private string summary = "Starting.";
    private RunbookWait? waitingFor;

    private static DateTimeOffset Now => new(Workflow.UtcNow);

    private bool HasChanges => plan!.Components.Any(component =>
        component.Objects.Any(planned => planned.Action is not (PlannedAction.None or PlannedAction.Conflict)));

    private string NobodyContinued => $"Nobody continued the parked run within {InWords(request.ParkedAtMost)}. {FailedSteps()}";

    private string AbortedBecause => abortReason is null ? "Aborted: the workflow was cancelled." : $"Aborted: {abortReason}.";

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static string InWords(TimeSpan duration) => duration switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours:0.#}h"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMinutes:0.#}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#}s"),
    };

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(ProvisionEnvironment)),
        RunbookSearchAttributes.Environment.ValueSet(request.Environment),
        RunbookSearchAttributes.OperationId.ValueSet(request.OperationId),
        RunbookSearchAttributes.Phase.ValueSet(InWords(phase)));

    private SearchAttributeCollection ChildAttributes(PlannedComponent component) => new SearchAttributeCollection.Builder()
        .Set(RunbookSearchAttributes.Runbook, nameof(ProvisionEnvironment))
        .Set(RunbookSearchAttributes.Environment, request.Environment)
        .Set(RunbookSearchAttributes.Component, component.Component)
        .Set(RunbookSearchAttributes.Region, component.Region)
        .Set(RunbookSearchAttributes.OperationId, request.OperationId)
        .Set(RunbookSearchAttributes.PlanHash, plan!.Hash)
        .ToSearchAttributeCollection();

    private ComponentReference Reference(PlannedComponent component) => new(
        request.Environment, component.Component, component.Region, request.OperationId, plan!.SpecificationDigest, plan.CatalogDigest);

    private void EnterPhase(RunbookPhase next, string why)
    {
        summary = why;
        if (next != phase)
        {
            phase = next;
            Workflow.UpsertTypedSearchAttributes(next == RunbookPhase.Planning
                ? [RunbookSearchAttributes.Phase.ValueSet(InWords(next)), RunbookSearchAttributes.PlanHash.ValueSet(plan!.Hash)]
                : [RunbookSearchAttributes.Phase.ValueSet(InWords(next))]);
        }
        ShowDetails();
    }

    private void ShowDetails()
    {
        var failed = steps?.Failed.Select(step => $"\n- {step.Name}: {step.Detail}") ?? [];
        Workflow.CurrentDetails = $"**{InWords(phase)}**: {summary}{(steps is null ? "" : $"\n\n{Progress()}")}{string.Concat(failed)}";
    }

    private string Progress() =>
        $"{steps!.CountOf(StepState.Done)} of {steps.Count} steps done, {steps.CountOf(StepState.Running)} running, {steps.CountOf(StepState.Failed)} failed, {steps.CountOf(StepState.Blocked)} blocked.";

    private string FailedSteps() => string.Join(" ", steps!.Failed.Select(step => $"{step.Name}: {step.Detail}"));

    private string PlanInWords()
    {
        var actions = plan!.Components.SelectMany(component => component.Objects).GroupBy(planned => planned.Action).ToDictionary(group => group.Key, group => group.Count());
        int Of(PlannedAction action) => actions.GetValueOrDefault(action);
        return $"{plan.Components.Count} steps: {Of(PlannedAction.Create)} objects to create, {Of(PlannedAction.Change)} to change, {Of(PlannedAction.Prune)} to remove, {Of(PlannedAction.None)} as wanted, {Of(PlannedAction.Conflict)} in conflict.";
    }

    /// <summary>Why a step must not even be started; null when it may.</summary>
    private string? Impediment(PlannedComponent component)
    {
        if (component.Objects.Where(planned => planned.Action == PlannedAction.Conflict).ToList() is { Count: > 0 } conflicts)
            return $"{string.Join(" ", conflicts.Select(planned => $"{planned.Address}: {planned.Reason}"))} Nothing of this step was applied; settle who owns it, then abort and start again.";
        if (!guardRails.MayDestroy && component.Objects.FirstOrDefault(planned => planned.Action == PlannedAction.Prune) is { } prune)
            return $"{prune.Address} would be removed, which the guard rails of {request.Environment} do not allow (mayDestroy: false). Remove it by hand or allow it, then start again.";
        return null;
    }

    private static List<ObjectOutcome> Conflicts(PlannedComponent component) =>
        [.. component.Objects.Where(planned => planned.Action == PlannedAction.Conflict)
            .Select(planned => new ObjectOutcome(planned.Address, planned.Reason, null, ObjectResult.Conflict))];

    private RunbookStatus DescribeStatus() => new()
    {
        Runbook = nameof(ProvisionEnvironment),
        Environment = request.Environment,
        OperationId = request.OperationId,
        Phase = phase,
        Summary = summary,
        Steps = steps?.All ?? [],
        WaitingFor = waitingFor,
        Next = Next(),
        IfStoppedNow = IfStoppedNow(),
        Compensations = Compensations(),
        PlanHash = plan?.Hash,
        StartedAt = startedAt,
    };

    private string? Next() => phase switch
    {
        RunbookPhase.Observing => "The plan.",
        RunbookPhase.Planning => "Approval where the guard rails want it, then the first steps.",
        RunbookPhase.AwaitingApproval => "The plan is applied when it has been approved.",
        RunbookPhase.Acting when steps!.All.FirstOrDefault(step => step.State == StepState.Pending) is { } pending => pending.Name,
        RunbookPhase.Acting => "The report, when the running steps are healthy.",
        RunbookPhase.Parked => "Whatever the operator decides.",
        RunbookPhase.RollingBack => "A listing that proves that nothing is left.",
        _ => null,
    };

    private string IfStoppedNow() => phase switch
    {
        _ when running.Count == 0 => "Nothing has been changed.",
        RunbookPhase.Completed or RunbookPhase.Aborted or RunbookPhase.Failed => "The run has ended; see its report.",
        _ when acting.IsCancellationRequested => "Partly rolled back; what is left carries this operation's id, and the next run adopts it.",
        _ => $"{steps!.CountOf(StepState.Done)} of {steps.Count} steps are as planned, the others as they were or partly applied; the next run adopts what is there.",
    };

    private IReadOnlyList<string> Compensations()
    {
        if (steps is null || phase is RunbookPhase.Completed or RunbookPhase.Aborted or RunbookPhase.Failed)
            return [];
        return [.. steps.StartedNewestFirst().SelectMany(Compensations)];
    }

    private IEnumerable<string> Compensations(PlannedComponent component)
    {
        var outcomes = steps!.OutcomesOf(component);
        if (steps.Find(component.Step)!.State == StepState.Running)
            yield return $"Remove what {component.Step} has created by then";
        else if (outcomes.Count == 0)
            yield return $"Remove what {component.Step} has created, if anything";
        foreach (var created in outcomes.Where(outcome => outcome.Result == ObjectResult.Created).Reverse())
            yield return $"Remove {created.Address}";
    }

    private ProvisioningReport EndWithAllSteps()
    {
        var changed = steps!.Outcomes().Count(outcome => outcome.Result is ObjectResult.Created or ObjectResult.Changed or ObjectResult.Pruned);
        var what = changed == 0 ? "Nothing had to be changed" : $"{changed} objects were created, changed or removed";
        return steps.AnySkipped
            ? End(RunbookPhase.Completed, ProvisioningOutcome.Incomplete, $"{what}, but some steps were skipped: {string.Join(", ", Skipped())}.")
            : End(RunbookPhase.Completed, ProvisioningOutcome.Healthy, $"{what}; all {steps.Count} steps are healthy.");
    }

    private IEnumerable<string> Skipped() => steps!.All.Where(step => step.State == StepState.Skipped).Select(step => step.Name);

    private ProvisioningReport EndUnfinished(string why, IReadOnlyList<string> left) =>
        End(RunbookPhase.Failed, ProvisioningOutcome.Failed, $"{why} The next run adopts what is there.", left);

    private ProvisioningReport End(RunbookPhase final, ProvisioningOutcome outcome, string why, IReadOnlyList<string>? left = null)
    {
        EnterPhase(final, why);
        var objects = steps?.Outcomes() ?? [];
        var notRestored = outcome is ProvisioningOutcome.RolledBack or ProvisioningOutcome.Failed
            ? objects.Where(item => item.Result is ObjectResult.Changed or ObjectResult.Pruned)
                .Select(item => $"{item.Address}: {InWords(item.Result)} by this run and not restored; it is as the specification wants it")
            : [];
        return ReportSize.Fit(new()
        {
            Environment = request.Environment,
            OperationId = request.OperationId,
            Outcome = outcome,
            Summary = why,
            Plan = outcome == ProvisioningOutcome.Planned || (guardRails.Approvals > 0 && plan is not null && HasChanges) ? plan : null,
            PlanHash = plan?.Hash,
            Steps = steps?.All ?? [],
            Objects = objects,
            Results = objects.GroupBy(item => item.Result).OrderBy(group => group.Key).ToDictionary(group => group.Key, group => group.Count()),
            LeftBehind = [.. left ?? [], .. notRestored],
            StartedAt = startedAt,
            FinishedAt = Now,
        });
    }
}
