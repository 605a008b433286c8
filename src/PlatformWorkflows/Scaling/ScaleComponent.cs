using System.Globalization;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Scaling;

/// <summary>Sets a component's number of replicas in one region, or the class of its managed database, for good or for a while, and takes it back when that did not do well. See <c>docs/runbooks/scaling.md</c>.</summary>
/// <remarks>While the run lives, nobody else's number is overwritten: it acts only on the numbers that it found and set itself.</remarks>
[Workflow]
public sealed partial class ScaleComponent : Runbook
{
    /// <summary>Between looks at replicas that come or go, doubling from the shortest.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>Between looks at the signals afterwards: about a scrape of Prometheus.</summary>
    private static readonly TimeSpan Watching = TimeSpan.FromSeconds(30);

    private readonly Input<ScaleComponentInput>? input;
    private ScaleRequest? request;

    /// <summary>As it was before anything was changed.</summary>
    private ScalingSight? first;

    /// <summary>As it was seen last.</summary>
    private ScalingSight? sight;

    /// <summary>The number that comes back, should it.</summary>
    private int before;

    /// <summary>The number that this run set last; null: none.</summary>
    private int? set;

    /// <summary>The numbers that it found or set itself; every other one is somebody else's.</summary>
    private readonly HashSet<int> own = [];

    /// <summary>A node was told to give its shards away.</summary>
    private bool emptied;

    /// <summary>Sets the state that controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public ScaleComponent(Input<ScaleComponentInput>? input = null) => this.input = input;

    private protected override RunbookRequest Request => request ?? RunbookRequest.Unchecked(input?.ValueOrNull?.Environment);

    /// <summary>Workflow id of the run for a component of a region: one at a time.</summary>
    public static string WorkflowId(string environment, string component, string region) => $"scale/{environment}/{component}@{region}";

    /// <summary>Who let autoscaling be started has approved of what it does.</summary>
    private protected override int ApprovalsNeeded => Workflow.Info.Parent?.WorkflowId == Autoscale.WorkflowId(Request.Environment) ? 0 : base.ApprovalsNeeded;

    /// <summary>The runbook: observe, decide, approve, scale, watch; and for a number that is meant for a while: wait, and take it back.</summary>
    [WorkflowRun]
    public async Task<ScaleReport> RunAsync(Input<ScaleComponentInput>? input = null)
    {
        try
        {
            request = ScaleRequest.From(this.input, Workflow.Info.FirstExecutionRunId, Now);
            Identify();
            Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Component.ValueSet(request.Subject.Component), RunbookSearchAttributes.Region.ValueSet(request.Subject.Region));
            if (request.InstanceClass is { } wanted)
                return await ChangeClassAsync(wanted);
            var decision = await ObserveAndPlanAsync();
            if (decision.Verdict == ScalingVerdict.Refuse)
                return End(RunbookPhase.Rejected, ScaleOutcome.Refused, $"Refused: {decision.Why} Nothing was changed.");
            if (request.Mode == RunbookMode.Plan)
                return End(RunbookPhase.Completed, ScaleOutcome.Planned, PlanInWords());
            if (!HasChanges && emptied)
                await EmptyAsync(null, Acting.Token);
            if (!HasChanges)
                return End(RunbookPhase.Completed, ScaleOutcome.AsWanted, decision.Why);
            if (!await IsApprovedAsync())
                return End(RunbookPhase.Rejected, ScaleOutcome.Rejected, $"{Rejection} Nothing was changed.");
            return await ScaleAndWatchAsync();
        }
        catch (Exception stopped) when (Acting.IsCancellationRequested && TemporalException.IsCanceledException(stopped))
        {
            return await ReturnAsync(AbortedBecause, ScaleOutcome.Returned);
        }
        catch (FailureException failure)
        {
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>What the asked number means here, and whether it may be.</summary>
    private async Task<ScalingDecision> ObserveAndPlanAsync()
    {
        EnterPhase(RunbookPhase.Observing, "Reading the specification, and looking at the replicas and what surrounds them.");
        first = sight = await LookAsync(request!.Replicas, Acting.Token);
        // What an earlier run left for a while, and died: the number of before it is what comes back.
        before = first.Temporary?.Before ?? first.Seen.Replicas ?? 0;
        if (first.Seen.Replicas is { } found)
            own.Add(found);
        // So is what it did to nodes that were to go: they would never be given a shard again.
        if (LeftEmptied(first) && Workflow.Patched("emptied-nodes-of-a-dead-run"))
            emptied = true;
        Use(first.Plan!, first.GuardRails);
        EnterPhase(RunbookPhase.Planning, PlanInWords());
        StopIfAborted();
        var decision = ScaleRules.Decide(first.Subject, first.Seen, request.Replicas);
        var guarded = decision.Verdict == ScalingVerdict.Scale ? Guarded(decision) : decision;
        // A wait of the guards is for later: replicas may be in the middle of something that ends.
        return guarded.Verdict == ScalingVerdict.Refuse ? guarded : decision;
    }

    private async Task<ScaleReport> ScaleAndWatchAsync()
    {
        // People may have taken their time.
        var trouble = "";
        if (!await ActAsync($"Scaling {request!.Subject.Component} from {first!.Seen.Replicas} to {request.Replicas}: {request.Reason}", async step => trouble = await ForwardAsync(step)))
            return await ReturnAsync(NobodyContinued, ScaleOutcome.Returned);
        if (Superseded(request.Replicas) is { } other)
            return End(RunbookPhase.Completed, ScaleOutcome.Superseded, other);
        if (Steps!.AnySkipped)
            trouble = $"{Skipped()} was skipped.";
        if (trouble.Length > 0 || await IsWorseAsync() is { Length: > 0 } worse && (trouble = worse).Length > 0)
            return await ReturnAsync(trouble, ScaleOutcome.Returned);
        if (request.Until is not { } until)
            return End(RunbookPhase.Completed, ScaleOutcome.Scaled, $"{request.Subject.Component} has {request.Replicas} replicas in {request.Subject.Region}, and all are ready.");
        return await EndInTimeAsync(until);
    }

    private async Task<ScaleReport> EndInTimeAsync(DateTimeOffset until)
    {
        EnterPhase(RunbookPhase.Acting, $"{request!.InstanceClass ?? Text(request.Replicas)} until {ScaleMarks.Text(until)}, then {Before} again.");
        WaitingFor = new($"the end of its time; abort ends it now", "time", until);
        if (until > Now)
            await Workflow.DelayAsync(until - Now, Acting.Token);
        WaitingFor = null;
        return await ReturnAsync($"Its time is over: {request.Reason}.", ScaleOutcome.Ended);
    }

    /// <summary>To the asked number. A failure is the step's; what is not as hoped is the answer, as a sentence.</summary>
    private async Task<string> ForwardAsync(PlannedComponent step)
    {
        Steps!.Start(step, $"From {before} to {request!.Replicas}.", null, Now);
        try
        {
            var trouble = await ReachAsync(request.Replicas, request.Until is { } until ? new(request.OperationId, before, until) : null, RunbookPhase.Acting, Acting.Token);
            Steps.Finish(step, StepState.Done, trouble.Length > 0 ? trouble : $"{request.Replicas} are ready.", Now);
            return trouble;
        }
        catch (Exception failure) when (failure is FailureException || TemporalException.IsCanceledException(failure))
        {
            Steps.Finish(step, StepState.Failed, TemporalException.IsCanceledException(failure) ? "Stopped by the abort." : FailureReason.Of(failure), Now);
            return "";
        }
    }

    /// <summary>Step by step to a number, as far as the guards allow, until all are ready.</summary>
    /// <returns>Empty, or why the number was not reached.</returns>
    private async Task<string> ReachAsync(int target, TemporaryScale? temporary, RunbookPhase phase, CancellationToken stop)
    {
        var (pause, patience) = (ShortestPause, Now + (target > (set ?? before) ? request!.HealthyWithin : request!.DrainWithin));
        while (true)
        {
            sight = await LookAsync(target, stop);
            if (Superseded(target) is { } other)
                return other;
            if (sight.Seen.Replicas is not { } there || sight.Uid is null)
                return $"{sight.Subject.How?.Workload} is not there any more.";
            if (there == target && sight.Seen.Ready == target)
            {
                // Whoever stays is to be given shards again.
                if (emptied)
                    await EmptyAsync(null, stop);
                return "";
            }

            var next = there == target
                ? ScalingDecision.Wait(there, $"{sight.Seen.Ready} of {target} are ready.")
                : Guarded(ScalingDecision.Scale(there, target, request.Reason));
            if (next.Verdict == ScalingVerdict.Refuse)
                return next.Why;
            EnterPhase(phase, next.Verdict == ScalingVerdict.Scale ? $"From {there} to {next.To}: {next.Why}" : next.Why);
            if (next is { Verdict: ScalingVerdict.Scale, To: { } to })
            {
                await SetAsync(there, to, temporary, stop);
                pause = ShortestPause;
                continue;
            }

            if (next.Verdict == ScalingVerdict.Empty)
                await EmptyAsync(ScalingGuards.Leaving(sight.Subject.How!, there, target), stop);
            if (Now >= patience)
                return $"Not within {InWords(target > before ? request.HealthyWithin : request.DrainWithin)}: {next.Why}";
            WaitingFor = new(next.Why, "time", patience);
            await Workflow.DelayAsync(pause, stop);
            WaitingFor = null;
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Watches the signals for a while. Twice in a row, since one look may meet a moment.</summary>
    /// <returns>Empty, or what has become worse.</returns>
    private async Task<string> IsWorseAsync()
    {
        var (until, twice) = (Now + request!.WatchFor, false);
        while (Now < until && first!.Subject.How is { Signals.Count: > 0 } how)
        {
            EnterPhase(RunbookPhase.Acting, $"{request.Replicas} are ready. Whether they do well is watched.");
            WaitingFor = new("the signals to stay within their targets", "time", until);
            await Workflow.DelayAsync(until - Now < Watching ? until - Now : Watching, Acting.Token);
            WaitingFor = null;
            sight = await LookAsync(null, Acting.Token);
            if (ScaleRules.Breach(how, first.Seen.Signals, first.Seen.Replicas!.Value, sight.Seen) is not { } breach)
                twice = false;
            else if (twice)
                return breach;
            else
                (twice, until) = (true, until > Now + Watching ? until : Now + Watching);
        }

        return "";
    }

    /// <summary>Takes the number or the class of before back, unless somebody else has set another one. What cannot be done parks the run.</summary>
    private async Task<ScaleReport> ReturnAsync(string why, ScaleOutcome outcome)
    {
        WaitingFor = null;
        if (!ChangedAny && !emptied)
            return End(RunbookPhase.Aborted, ScaleOutcome.Returned, $"{why} Nothing was changed.");
        var step = CurrentPlan!.Components[0];
        while (true)
        {
            EnterPhase(RunbookPhase.RollingBack, $"{why} Going back to {Before}.");
            string trouble;
            try
            {
                trouble = request!.InstanceClass is null ? await ReachAsync(before, null, RunbookPhase.RollingBack, CancellationToken.None) : await ResizeBackAsync();
                if (SupersededBefore() is { } other)
                    return End(RunbookPhase.Completed, ScaleOutcome.Superseded, $"{why} {other}");
            }
            catch (FailureException failure)
            {
                trouble = FailureReason.Of(failure);
            }

            if (trouble.Length == 0)
            {
                Steps!.Finish(step, outcome == ScaleOutcome.Ended ? StepState.Done : StepState.RolledBack, $"{Before} again.", Now);
                return End(outcome == ScaleOutcome.Ended ? RunbookPhase.Completed : RunbookPhase.Aborted, outcome, $"{why} {(request!.InstanceClass is null ? "There are" : "It is")} {Before} again.");
            }

            Steps!.Finish(step, StepState.Failed, trouble, Now);
            Undoing = step.Step;
            var answered = await ParkAsync($"Parked while going back to {Before}: {trouble}", CancellationToken.None);
            Undoing = null;
            if (!answered || Steps.Find(step.Step)!.State == StepState.Skipped)
                return End(RunbookPhase.Failed, ScaleOutcome.Failed, $"{why} It could not go back to {Before}: {trouble}");
        }
    }

    /// <summary>The last node is being emptied, or one that is gone, and this run has not asked for it: only one at a time scales a component, and from the end. Other nodes somebody else empties, and has them given shards again.</summary>
    private static bool LeftEmptied(ScalingSight seen) => seen is { Subject.How.Workload: { } workload, Seen.Replicas: { } replicas, Around.Search: { } search }
        && search.Emptied.Where(node => node.StartsWith($"{workload.Name}-", StringComparison.Ordinal)).ToList() is { Count: > 0 } emptied
        && emptied.TrueForAll(node => int.TryParse(node.AsSpan(workload.Name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) && ordinal >= replicas - 1);

    /// <summary>Another number than the ones that this run found or set; null: there is none.</summary>
    private string? Superseded(int target) => sight?.Seen.Replicas is { } there && there != target && !own.Contains(there)
        ? $"Somebody else has set {there} meanwhile, which is left as it is."
        : null;

    private string? SupersededBefore() => request!.InstanceClass is null ? Superseded(before) : SupersededClass();

    private ScalingDecision Guarded(ScalingDecision decision) => ScalingGuards.Apply(sight!.Subject.Component, sight.Subject.How!, decision, sight.Around, sight.Pods);

    private async Task SetAsync(int from, int to, TemporaryScale? temporary, CancellationToken stop)
    {
        var spare = to < from && sight!.Around.Tasks is { } tasks ? ScalingGuards.Spare(sight.Subject.How!, tasks, from - to) : [];
        // Before the call: an answer that got lost may have been a yes.
        set = to;
        own.Add(to);
        await Workflow.ExecuteActivityAsync(
            (IScalingActivities activities) => activities.SetReplicasAsync(new(request!.Subject, sight!.Uid!, from, to, request.OperationId, request.Reason, spare, temporary)),
            Options($"{request!.Subject.Component}: from {from} to {to}", stop));
    }

    /// <param name="node">Null: nobody is emptied any more.</param>
    private async Task EmptyAsync(string? node, CancellationToken stop)
    {
        emptied = true;
        await Workflow.ExecuteActivityAsync(
            (IScalingActivities activities) => activities.EmptyNodeAsync(new(request!.Subject, node)), Options(node is null ? $"{request!.Subject.Component}: all nodes take shards" : $"{request!.Subject.Component}: move the shards of {node}", stop));
        emptied = node is not null;
    }

    private Task<ScalingSight> LookAsync(int? to, CancellationToken stop) => Workflow.ExecuteActivityAsync(
        (IScalingActivities activities) => activities.ObserveScalingAsync(new(request!.Subject, request.Parameter, to, request.Until)), Options($"How {request!.Subject.Component} of {request.Subject.Region} is", stop));

    private static ActivityOptions Options(string summary, CancellationToken stop) => new()
    {
        Summary = summary,
        StartToCloseTimeout = TimeSpan.FromMinutes(2),
        // About an hour: the world may be away for a while, and the number stays meanwhile.
        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromMinutes(1), MaximumAttempts = 60 },
        CancellationToken = stop,
    };
}
