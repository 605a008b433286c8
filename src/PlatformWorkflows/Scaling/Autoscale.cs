using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Scaling;

/// <summary>Keeps the numbers of replicas of an environment's components where their signals want them. One for each environment, for ever. See <c>docs/runbooks/autoscale.md</c>.</summary>
/// <remarks>Nothing that happens outside ends it: what cannot be seen is unknown, which takes no replica away, and is looked at again.</remarks>
[Workflow]
public sealed partial class Autoscale
{
    /// <summary>A look is about ten events, and one of a large environment some ten kilobytes: this keeps a history far below 10,000 events and 50 MB.</summary>
    private const int LooksOfARun = 200;

    /// <summary>How many of the changes are remembered.</summary>
    private const int ChangesKept = 50;

    /// <summary>A change that takes the one before it back within this time is an oscillation: more replicas that were not needed, or fewer that were too few.</summary>
    private static readonly TimeSpan Oscillation = TimeSpan.FromMinutes(30);

    private readonly Input<AutoscaleInput>? input;
    private readonly Dictionary<string, SubjectState> subjects = [];
    private readonly Queue<AutoscaleDecision> changes = [];
    private readonly DateTimeOffset startedAt;
    private AutoscaleRequest request;
    private string? paused, stopReason;
    private string trouble = "";
    private int changeCount, oscillations;
    private bool news;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public Autoscale(Input<AutoscaleInput>? input = null)
    {
        this.input = input;
        request = new(input?.ValueOrNull?.Environment ?? "", null, TimeSpan.Zero);
        startedAt = Now;
        if (input?.ValueOrNull?.State is not { } carried)
            return;
        (startedAt, paused, changeCount, oscillations) = (carried.StartedAt, carried.Paused, carried.ChangeCount, carried.Oscillations);
        foreach (var (name, state) in carried.Subjects)
            subjects[name] = state;
        foreach (var change in carried.Changes)
            changes.Enqueue(change);
    }

    private static DateTimeOffset Now => new(Workflow.UtcNow);

    private string OperationId => RequestFields.OperationId(null, "autoscale", request.Environment, Workflow.Info.FirstExecutionRunId);

    /// <summary>Workflow id of the run of an environment.</summary>
    public static string WorkflowId(string environment) => $"autoscale/{environment}";

    /// <summary>The runbook: look, decide, act, and look again, for ever.</summary>
    [WorkflowRun]
    public async Task<AutoscaleReport> RunAsync(Input<AutoscaleInput>? input = null)
    {
        request = AutoscaleRequest.From(this.input);
        Identify();
        for (var look = 0; stopReason is null; look++)
        {
            if (look >= LooksOfARun || Workflow.ContinueAsNewSuggested)
            {
                // Whoever was promised an answer gets it from this run.
                await Workflow.WaitConditionAsync(() => Workflow.AllHandlersFinished);
                throw Workflow.CreateContinueAsNewException((Autoscale next) => next.RunAsync(Carried()));
            }

            await LookAsync();
            ShowDetails();
            await Workflow.WaitConditionAsync(() => news || stopReason is not null, request.Every);
            news = false;
        }

        return new()
        {
            Environment = request.Environment,
            OperationId = OperationId,
            Outcome = AutoscaleOutcome.Stopped,
            Summary = $"Stopped: {stopReason}. {changeCount} changes were made; the numbers stay as they are.",
            Decisions = Decisions(),
            StartedAt = startedAt,
            FinishedAt = Now,
        };
    }

    /// <summary>One look at everything, and what follows from it for each.</summary>
    private async Task LookAsync()
    {
        ScaledSights seen;
        try
        {
            seen = await Workflow.ExecuteActivityAsync(
                (IScalingActivities activities) => activities.ObserveScaledAsync(new(request.Environment, request.Components)), Options($"How busy {request.Environment} is"));
            trouble = "";
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            // The next look is seconds away, and asks again.
            trouble = FailureReason.Of(failure);
            return;
        }

        // What the specification does not have any more is forgotten.
        foreach (var gone in subjects.Keys.Where(name => !seen.Sights.Any(sight => $"{sight.Subject}" == name)).ToList())
            subjects.Remove(gone);
        foreach (var sight in seen.Sights)
        {
            var name = $"{sight.Subject}";
            var state = subjects.GetValueOrDefault(name) ?? new();
            if (state.Override is { } expired && expired.Until <= Now)
                subjects[name] = state = state with { Override = null };
            var decided = await ActAsync(Decide(sight, state, out var memory), sight, state with { Memory = memory });
            // What people have said meanwhile stays said.
            subjects[name] = (subjects.GetValueOrDefault(name) ?? new()) with { Memory = decided.Memory, Latest = decided.Latest, Changed = decided.Changed };
        }
    }

    /// <summary>What is to become of one component's number, before what surrounds it is looked at.</summary>
    private ScalingDecision Decide(ScalingSight sight, SubjectState state, out ScalingMemory memory)
    {
        var (seen, range) = (AsOfNow(sight.Seen), sight.Subject.Range!);
        // It goes on watching while it may not act, so that it knows what has been enough when it may again.
        var outlook = ScalingPolicy.Decide(sight.Subject.How!, range, seen, state.Memory);
        memory = outlook.Memory;
        if (paused is not null || state.Paused is not null)
            return ScalingDecision.Wait(seen.Replicas, $"Paused: {paused ?? state.Paused}. Otherwise: {outlook.Decision.Why}");
        if (state.Override is { } wanted)
        {
            var overridden = ScaleRules.Decide(sight.Subject, seen, wanted.Replicas);
            return overridden with { Why = $"{wanted.Replicas} until {ScaleMarks.Text(wanted.Until)}, since {wanted.Reason.TrimEnd('.')}. {overridden.Why}" };
        }

        return sight.Temporary is { } temporary && temporary.Until > Now
            ? ScalingDecision.Wait(seen.Replicas, $"{temporary.Operation} wants this number until {ScaleMarks.Text(temporary.Until)}.")
            : outlook.Decision;
    }

    /// <summary>Carries a change out, as far as what surrounds it allows.</summary>
    private async Task<SubjectState> ActAsync(ScalingDecision decision, ScalingSight sight, SubjectState state)
    {
        if (decision is not { Verdict: ScalingVerdict.Scale, To: { } wanted })
            return state with { Latest = Remember(sight, decision) };
        if (sight.Subject.How!.Shards)
            return await HandOverAsync(decision, sight, state);
        var reference = new ScalingReference(request.Environment, sight.Subject.Component, sight.Subject.Region);
        try
        {
            var around = await Workflow.ExecuteActivityAsync(
                (IScalingActivities activities) => activities.ObserveScalingAsync(new(reference, null, wanted, null)), Options($"What {sight.Subject} with {wanted} would do to others"));
            if (around.Seen.Replicas != decision.From || around.Uid is null)
                return state with { Latest = Remember(sight, ScalingDecision.Wait(around.Seen.Replicas, $"It has {around.Seen.Replicas} by now, and had {decision.From} when it was decided.")) };
            var guarded = ScalingGuards.Apply(sight.Subject.Component, around.Subject.How!, decision, around.Around, around.Pods);
            if (guarded is not { Verdict: ScalingVerdict.Scale, From: { } from, To: { } to })
                return state with { Latest = Remember(sight, guarded) };
            var spare = to < from && around.Around.Tasks is { } tasks ? ScalingGuards.Spare(around.Subject.How!, tasks, from - to) : [];
            await Workflow.ExecuteActivityAsync(
                (IScalingActivities activities) => activities.SetReplicasAsync(new(reference, around.Uid, from, to, OperationId, guarded.Why, spare, null)), Options($"{sight.Subject}: from {from} to {to}"));
            return Changed(sight, state, guarded);
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            // It may have happened all the same: the next look says.
            return state with { Latest = Remember(sight, ScalingDecision.Wait(sight.Seen.Replicas, $"From {decision.From} to {wanted} failed: {FailureReason.Of(failure)} It is looked at again.")) };
        }
    }

    /// <summary>By the clock of the workflow, which has to agree with its timers; numbers are as old as they were.</summary>
    private static ObservedScaling AsOfNow(ObservedScaling seen)
    {
        var later = Now - seen.SeenAt;
        return seen with { SeenAt = Now, Signals = [.. seen.Signals.Select(reading => reading with { At = reading.At + later })] };
    }

    /// <summary>Nodes that keep shards are emptied before they go, which takes hours: a run of its own does it, to its end, also when this one has ended.</summary>
    private async Task<SubjectState> HandOverAsync(ScalingDecision decision, ScalingSight sight, SubjectState state)
    {
        var (component, region) = (sight.Subject.Component, sight.Subject.Region);
        try
        {
            await Workflow.StartChildWorkflowAsync(
                (ScaleComponent child) => child.RunAsync(new ScaleComponentInput { Environment = request.Environment, Component = component, Region = region, Replicas = decision.To, Reason = decision.Why }),
                new() { Id = ScaleComponent.WorkflowId(request.Environment, component, region), ParentClosePolicy = ParentClosePolicy.Abandon, StaticSummary = $"{sight.Subject}: from {decision.From} to {decision.To}" });
            return Changed(sight, state, decision);
        }
        catch (WorkflowAlreadyStartedException)
        {
            return state with { Latest = Remember(sight, ScalingDecision.Wait(decision.From, $"{ScaleComponent.WorkflowId(request.Environment, component, region)} is at work. Otherwise: {decision.Why}")) };
        }
    }

    private SubjectState Changed(ScalingSight sight, SubjectState state, ScalingDecision change)
    {
        var made = Remember(sight, change);
        changes.Enqueue(made);
        while (changes.Count > ChangesKept)
            changes.Dequeue();
        changeCount++;
        if (state.Override is null && state.Changed is { From: { } was, To: { } then } before && made.At - before.At < Oscillation && (then > was) != (made.To > made.From))
            oscillations++;
        return state with { Latest = made, Changed = made, Memory = state.Memory.Changed(Now) };
    }

    private static AutoscaleDecision Remember(ScalingSight sight, ScalingDecision decision) =>
        new(sight.Subject.Component, sight.Subject.Region, Now, decision.Verdict, decision.From, decision.To, decision.Why);

    private static ActivityOptions Options(string summary) => new()
    {
        Summary = summary,
        StartToCloseTimeout = TimeSpan.FromSeconds(50),
        // A look that comes late is about a past: the next one is better.
        ScheduleToCloseTimeout = TimeSpan.FromMinutes(1),
        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromSeconds(10), MaximumAttempts = 3 },
    };
}
