using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Scaling;

/// <summary>Gives a version of a component's Temporal workers more and more of the new runs, and none again when it does not do well. See <c>docs/runbooks/rollout-workers.md</c>.</summary>
/// <remarks>Runs that are pinned to a version stay on it, whatever happens here.</remarks>
[Workflow]
public sealed partial class RolloutWorkers : Runbook
{
    /// <summary>Between looks: a tenth of the time that a part is watched, or has taken, in these bounds.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>So that parts that take long to judge stay far below the 50,000 events that a run may have.</summary>
    private const int LooksOfPart = 200;

    private readonly Input<RolloutWorkersInput>? input;
    private readonly List<RolloutPart> parts = [];
    private RolloutRequest? request;

    /// <summary>As it was seen last.</summary>
    private RolloutFound? found;

    /// <summary>Where new runs went before.</summary>
    private VersionRoute? before;

    /// <summary>What was set last; null: nothing.</summary>
    private RolloutProgress? progress;

    /// <summary>Where new runs went and what was set when a change was asked for that nobody has confirmed; null: all were confirmed.</summary>
    private (VersionRoute From, RolloutProgress? Was)? unconfirmed;
    private ForgottenVersions forgotten = new([], [], 0);

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public RolloutWorkers(Input<RolloutWorkersInput>? input = null) => this.input = input;

    private protected override RunbookRequest Request => request ?? RunbookRequest.Unchecked(input?.ValueOrNull?.Environment);

    private RolloutPolicy Policy => request!.Policy;

    private RolloutSight Sight => found!.Sight;

    /// <summary>Workflow id of the run for a component of a region: one at a time.</summary>
    public static string WorkflowId(string environment, string component, string region) => $"rollout/{environment}/{component}@{region}";

    /// <summary>The runbook: observe, plan, approve, then part by part: route, watch, judge; at the end forget what is drained.</summary>
    [WorkflowRun]
    public async Task<RolloutReport> RunAsync(Input<RolloutWorkersInput>? input = null)
    {
        try
        {
            request = RolloutRequest.From(this.input, Workflow.Info.FirstExecutionRunId);
            Identify();
            Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Component.ValueSet(request.Subject.Component), RunbookSearchAttributes.Region.ValueSet(request.Subject.Region));
            EnterPhase(RunbookPhase.Observing, "Looking which versions of the workers get new runs.");
            await LookAsync(Acting.Token);
            before = Route(Sight);
            Use(found!.Plan, found.GuardRails);
            EnterPhase(RunbookPhase.Planning, PlanInWords());
            StopIfAborted();
            var decision = RolloutRules.Decide(Sight, Policy, null);
            if (decision.Verdict == RolloutVerdict.Leave)
                return End(RunbookPhase.Rejected, RolloutOutcome.Refused, $"Refused: {decision.Why} Nothing was changed.");
            if (request.Mode == RunbookMode.Plan)
                return End(RunbookPhase.Completed, RolloutOutcome.Planned, PlanInWords());
            if (decision.Verdict == RolloutVerdict.Finished)
                return End(RunbookPhase.Completed, RolloutOutcome.AsWanted, decision.Why);
            if (!await IsApprovedAsync())
                return End(RunbookPhase.Rejected, RolloutOutcome.Rejected, $"{Rejection} Nothing was changed.");
            RolloutDecision last = decision;
            if (!await ActAsync($"Rolling {Policy.BuildId} out.", async step => last = await RollOutAsync(step)))
                return await ReturnAsync(NobodyContinued);
            if (Steps!.AnySkipped)
                return await ReturnAsync($"{Skipped()} was skipped.");
            return last.Verdict switch
            {
                RolloutVerdict.Finished => await FinishAsync(last.Why),
                RolloutVerdict.Leave => End(RunbookPhase.Completed, RolloutOutcome.Superseded, last.Why),
                _ => await ReturnAsync(last.Why),
            };
        }
        catch (Exception stopped) when (Acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
        {
            await StopActingAsync();
            return await ReturnAsync(AbortedBecause);
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>Part by part, until it has all, does not do well, or somebody else takes over. What cannot be done, or is not judged in time, is the step's failure.</summary>
    private async Task<RolloutDecision> RollOutAsync(PlannedComponent step)
    {
        Steps!.Start(step, $"Giving {Policy.BuildId} its parts.", null, Now);
        var patience = Now + request!.JudgedWithin;
        try
        {
            await LookAsync(Acting.Token);
            if (unconfirmed is { } asked && Route(Sight) == asked.From)
                progress = asked.Was;
            unconfirmed = null;
            while (true)
            {
                var decision = RolloutRules.Decide(Sight, Policy, progress);
                EnterPhase(RunbookPhase.Acting, decision.Why);
                switch (decision.Verdict)
                {
                    case RolloutVerdict.Wait when Now >= patience:
                        Steps.Finish(step, StepState.Failed, $"Not within {InWords(request.JudgedWithin)}: {decision.Why} Retry the step to wait on, or skip it to go back.", Now);
                        return decision;
                    case RolloutVerdict.Wait:
                        WaitingFor = new(decision.Why, "time", patience);
                        await Workflow.DelayAsync(Pause, Acting.Token);
                        WaitingFor = null;
                        break;
                    case RolloutVerdict.Ramp:
                        await AdvanceAsync(new(before!.Current, Policy.BuildId, decision.Percentage), decision.Percentage);
                        patience = Now + request.JudgedWithin + Policy.StepFor;
                        break;
                    case RolloutVerdict.MakeCurrent:
                        await AdvanceAsync(new(Policy.BuildId, null, 0), 100);
                        patience = Now + request.JudgedWithin + Policy.StepFor;
                        break;
                    default:
                        Steps.Finish(step, StepState.Done, decision.Why, Now);
                        return decision;
                }

                await LookAsync(Acting.Token);
                Note();
            }
        }
        catch (Exception failure) when (failure is FailureException || TemporalException.IsCanceledException(failure))
        {
            Steps.Finish(step, StepState.Failed, TemporalException.IsCanceledException(failure) ? "Stopped by the abort." : FailureReason.Of(failure), Now);
            return new(RolloutVerdict.Wait, "");
        }
    }

    private TimeSpan Pause
    {
        get
        {
            var pause = TimeSpan.FromTicks(Math.Max(Policy.StepFor.Ticks, (Now - (progress?.Since ?? StartedAt)).Ticks) / 10);
            var longest = TimeSpan.FromTicks(Math.Max(LongestPause.Ticks, request!.JudgedWithin.Ticks / LooksOfPart));
            return pause < ShortestPause ? ShortestPause : pause > longest ? longest : pause;
        }
    }

    private async Task AdvanceAsync(VersionRoute to, double percentage)
    {
        // Before the call: an answer that got lost may have been a yes.
        unconfirmed = (Route(Sight), progress);
        progress = new(percentage, Now);
        await RouteAsync(Route(Sight), to, Acting.Token);
        unconfirmed = null;
        progress = new(percentage, Now);
        parts.Add(new(percentage, Now, Sight.New, Sight.Old));
    }

    /// <summary>New runs go where they went before, unless somebody else has changed that. What cannot be done parks the run.</summary>
    private async Task<RolloutReport> ReturnAsync(string why)
    {
        WaitingFor = null;
        if (progress is null)
            return End(RunbookPhase.Aborted, RolloutOutcome.Returned, $"{why} Nothing was changed.");
        var step = CurrentPlan!.Components[0];
        while (true)
        {
            EnterPhase(RunbookPhase.RollingBack, $"{why} Leading new runs back to {Name(before!.Current)}.");
            string trouble;
            try
            {
                await LookAsync(CancellationToken.None);
                Note();
                var now = Route(Sight);
                if (now.Current != Policy.BuildId && now.Ramping != Policy.BuildId && now != before)
                    return End(RunbookPhase.Completed, RolloutOutcome.Superseded, $"{why} Somebody else has led new runs to {Name(now.Current)} meanwhile, which is left as it is.");
                if (now.Ramping is not null || now.Current != before.Current)
                    await RouteAsync(now, before with { Ramping = null, Percentage = 0 }, CancellationToken.None);
                Steps!.Finish(step, StepState.RolledBack, $"New runs go to {Name(before.Current)}.", Now);
                return End(RunbookPhase.Aborted, RolloutOutcome.Returned, $"{why} All new runs go to {Name(before.Current)} again; those that are pinned to {Policy.BuildId} stay on it.");
            }
            catch (FailureException failure)
            {
                trouble = FailureReason.Of(failure);
            }

            Steps!.Finish(step, StepState.Failed, trouble, Now);
            Undoing = step.Step;
            var answered = await ParkAsync($"Parked while leading new runs back to {Name(before!.Current)}: {trouble}", CancellationToken.None);
            Undoing = null;
            if (!answered || Steps.Find(step.Step)!.State == StepState.Skipped)
                return End(RunbookPhase.Failed, RolloutOutcome.Failed, $"{why} New runs could not be led back: {trouble}");
        }
    }

    /// <summary>It went well. That an old version cannot be forgotten takes nothing from that.</summary>
    private async Task<RolloutReport> FinishAsync(string why)
    {
        EnterPhase(RunbookPhase.Acting, $"{why} Forgetting drained versions.");
        try
        {
            forgotten = await Workflow.ExecuteActivityAsync(
                (IScalingActivities activities) => activities.ForgetVersionsAsync(new(request!.Subject, request.Deployment, request.Keep)), Options("Forget drained versions", Acting.Token));
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            forgotten = new([], [FailureReason.Of(failure)], Sight.Versions.Count);
        }

        return End(RunbookPhase.Completed, RolloutOutcome.RolledOut, why);
    }

    /// <summary>The part that it has now knows what became of its runs so far.</summary>
    private void Note()
    {
        if (parts.Count > 0)
            parts[^1] = parts[^1] with { New = Sight.New, Old = Sight.Old };
    }

    private async Task LookAsync(CancellationToken stop)
    {
        var input = new ObserveRolloutInput(request!.Subject, request.Deployment, Policy, before?.Current, StartedAt);
        found = await Workflow.ExecuteActivityAsync((IScalingActivities activities) => activities.ObserveRolloutAsync(input), Options($"Where new runs of {request.Deployment} go", stop));
    }

    private Task RouteAsync(VersionRoute from, VersionRoute to, CancellationToken stop) => Workflow.ExecuteActivityAsync(
        (IScalingActivities activities) => activities.RouteVersionAsync(new(request!.Subject, request.Deployment, from, to)),
        Options(to.Ramping is { } ramping ? $"{ramping} gets {to.Percentage}% of the new runs" : $"{Name(to.Current)} gets all new runs", stop));

    private static VersionRoute Route(RolloutSight sight) => new(sight.Current, sight.Ramping, sight.Percentage);

    private static string Name(string? buildId) => buildId ?? "workers without a version";

    private static ActivityOptions Options(string summary, CancellationToken stop) => new()
    {
        Summary = summary,
        StartToCloseTimeout = TimeSpan.FromMinutes(2),
        // About an hour: Temporal may be away for a while, and new runs go on as they were told meanwhile.
        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromMinutes(1), MaximumAttempts = 60 },
        CancellationToken = stop,
    };
}
