using System.Text.Json;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Scaling;

/// <summary>What people may ask it and tell it. Every control is checked before it is taken: a refusal says what is possible.</summary>
public sealed partial class Autoscale
{
    private static readonly TimeSpan LongestOverride = TimeSpan.FromDays(7);

    /// <summary>Where the run stands: a step for each component and region.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(Autoscale),
        Environment = request.Environment,
        OperationId = OperationId,
        Phase = Phase,
        Summary = Summary(),
        Steps = [.. subjects.OrderBy(known => known.Key, StringComparer.Ordinal).Select(known => new RunbookStep(
            known.Key, known.Value.Latest?.Verdict == ScalingVerdict.Refuse ? StepState.Blocked : StepState.Running, known.Value.Latest?.Why ?? "Not looked at yet.", []))],
        Next = stopReason is null ? $"The next look, within {request.Every.TotalSeconds:0} s." : null,
        IfStoppedNow = "The numbers stay as they are, and nobody changes them with the load.",
        Compensations = [],
        StartedAt = startedAt,
    };

    /// <summary>What was decided, and why.</summary>
    [WorkflowQuery("decisions")]
    public AutoscaleDecisions Decisions() => new(
        [.. subjects.OrderBy(known => known.Key, StringComparer.Ordinal).Select(known => known.Value.Latest).OfType<AutoscaleDecision>()], [.. changes], changeCount, oscillations);

    /// <summary>Changes nothing any more, of one component or at all; goes on looking.</summary>
    [WorkflowUpdate("pause")]
    public Task<ControlResult> PauseAsync(Input<PauseInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (given.Component is null)
            paused = given.Reason;
        else
            Adjust(given.Component, state => state with { Paused = given.Reason });
        news = true;
        return Task.FromResult(new ControlResult($"{given.Component ?? "Everything"} keeps its number until resume."));
    }

    [WorkflowUpdateValidator(nameof(PauseAsync))]
    public void ValidatePause(Input<PauseInput>? input = null)
    {
        var given = ControlFields.Given(input);
        ControlFields.Require("reason", given.Reason, "why, for whoever asks");
        RequireKnown(given.Component);
    }

    /// <summary>Ends a pause, and an override.</summary>
    [WorkflowUpdate("resume")]
    public Task<ControlResult> ResumeAsync(Input<PauseInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (given.Component is null)
            paused = null;
        foreach (var component in given.Component is null ? [.. subjects.Values.Select(state => state.Latest?.Component).OfType<string>().Distinct()] : new[] { given.Component })
            Adjust(component, state => state with { Paused = null, Override = null });
        news = true;
        return Task.FromResult(new ControlResult($"{given.Component ?? "Everything"} follows its signals."));
    }

    [WorkflowUpdateValidator(nameof(ResumeAsync))]
    public void ValidateResume(Input<PauseInput>? input = null) => RequireKnown(ControlFields.Given(input).Component);

    /// <summary>Wants another number than the policy's, for a while. What others have no room for is refused all the same.</summary>
    [WorkflowUpdate("override")]
    public Task<ControlResult> OverrideAsync(Input<OverrideInput>? input = null)
    {
        var given = ControlFields.Given(input);
        var until = Now + Duration(given);
        subjects[$"{given.Component}@{given.Region}"] = subjects[$"{given.Component}@{given.Region}"] with { Override = new(given.Replicas!.Value, given.Reason!, until) };
        news = true;
        return Task.FromResult(new ControlResult($"{given.Component} of {given.Region} is to have {given.Replicas} until {ScaleMarks.Text(until)}, as far as what surrounds it allows; ask the query decisions."));
    }

    [WorkflowUpdateValidator(nameof(OverrideAsync))]
    public void ValidateOverride(Input<OverrideInput>? input = null)
    {
        var given = ControlFields.Given(input);
        ControlFields.Require("component", given.Component, "whose number");
        ControlFields.Require("region", given.Region, "in which region");
        ControlFields.Require("reason", given.Reason, "why, for whoever asks");
        if (given.Replicas is not (>= 0 and <= 10_000))
            throw FailureTypes.Invalid("Field 'replicas' is missing or out of 0..10000: how many there are to be.");
        _ = Duration(given);
        if (!subjects.ContainsKey($"{given.Component}@{given.Region}"))
            throw FailureTypes.Invalid($"Fields 'component' and 'region': {given.Component}@{given.Region} is not scaled by signals. Possible: {Known()}.");
    }

    /// <summary>Ends it. The numbers stay as they are.</summary>
    [WorkflowUpdate("stop")]
    public Task<ControlResult> StopAsync(Input<AbortInput>? input = null)
    {
        stopReason = ControlFields.Given(input).Reason;
        return Task.FromResult(new ControlResult("Stopping; the numbers stay as they are."));
    }

    [WorkflowUpdateValidator(nameof(StopAsync))]
    public void ValidateStop(Input<AbortInput>? input = null) => ControlFields.Require("reason", ControlFields.Given(input).Reason, "why, for the report");

    private RunbookPhase Phase => stopReason is not null ? RunbookPhase.Completed : paused is not null ? RunbookPhase.Suspended : subjects.Count == 0 ? RunbookPhase.Observing : RunbookPhase.Acting;

    private static TimeSpan Duration(OverrideInput given) => RequestFields.Duration("for", given.For, LongestOverride) ?? TimeSpan.FromHours(1);

    private string Known() => string.Join(", ", subjects.Keys.Order(StringComparer.Ordinal).DefaultIfEmpty("none, as far as was looked yet"));

    private void RequireKnown(string? component)
    {
        if (component is not null && !subjects.Keys.Any(name => name.StartsWith($"{component}@", StringComparison.Ordinal)))
            throw FailureTypes.Invalid($"Field 'component': {component} is not scaled by signals. Possible: {Known()}.");
    }

    private void Adjust(string component, Func<SubjectState, SubjectState> change)
    {
        foreach (var name in subjects.Keys.Where(name => name.StartsWith($"{component}@", StringComparison.Ordinal)).ToList())
            subjects[name] = change(subjects[name]);
    }

    private string Summary() => (trouble, paused) switch
    {
        ({ Length: > 0 }, _) => $"Nothing can be seen, and nothing is changed: {trouble}",
        (_, { } why) => $"Paused: {why}.",
        _ when subjects.Count == 0 => "Looking at what is to be scaled.",
        _ => $"{subjects.Count} numbers follow their signals; {changeCount} changes so far.",
    };

    private AutoscaleInput Carried() => new()
    {
        Environment = request.Environment,
        Components = request.Components,
        Every = $"{request.Every.TotalSeconds:0}s",
        State = new() { StartedAt = startedAt, Subjects = subjects, Paused = paused, Changes = [.. changes], ChangeCount = changeCount, Oscillations = oscillations },
    };

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(Autoscale)),
        RunbookSearchAttributes.Environment.ValueSet(request.Environment),
        RunbookSearchAttributes.OperationId.ValueSet(OperationId),
        RunbookSearchAttributes.Phase.ValueSet(JsonNamingPolicy.CamelCase.ConvertName(RunbookPhase.Acting.ToString())));

    private void ShowDetails() => Workflow.CurrentDetails = $"{Summary()}{string.Concat(subjects.OrderBy(known => known.Key, StringComparer.Ordinal).Select(known => $"\n- {known.Key}: {known.Value.Latest?.Why}"))}";
}
