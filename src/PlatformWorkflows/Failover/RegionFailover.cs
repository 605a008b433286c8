using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>Watches the database of an environment from both of its regions, and changes its places when it has to or when people ask. One for each environment, for
/// ever; workflow id <c>failover/{environment}</c>. See <c>docs/runbooks/failover.md</c>.</summary>
[Workflow]
public sealed partial class RegionFailover
{
    private readonly Input<RegionFailoverRequest>? input;
    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly Dictionary<string, ObserverReport> reports = [];
    private readonly OrderedDictionary<string, AlertSignal> alerts = [];
    private readonly List<Task> observing = [];
    private RegionFailoverRequest request;
    private FailoverSettings? settings;
    private FailoverState state;
    private FailoverDecision? decision;
    private DateTimeOffset? restartingSince;
    private Task? restarting;
    private bool news, firstEpochRead;

    /// <summary>Sets the state that signals, controls and queries may meet before the run's first step.</summary>
    [WorkflowInit]
    public RegionFailover(Input<RegionFailoverRequest>? input = null)
    {
        this.input = input;
        request = input?.ValueOrNull ?? new();
        state = request.State ?? new();
        foreach (var report in state.Reports)
            reports[report.Observer] = report;
        foreach (var alert in state.Alerts)
            alerts[alert.Key!] = alert;
    }

    /// <summary>Cancelled when this run does not watch any more.</summary>
    private CancellationTokenSource Watching { get; set; } = new();

    private static DateTimeOffset Now => new(Workflow.UtcNow);

    private bool Drill => request.Mode == FailoverRunMode.Drill;

    private string Environment => request.Environment ?? "";

    private string? Standby => settings?.Regions.FirstOrDefault(region => region != state.Primary);

    /// <summary>For starters: what a worker had in hands when it died is given to another one after so long, not after the ten seconds that are the default.</summary>
    public static TimeSpan TaskTimeout { get; } = TimeSpan.FromSeconds(5);

    /// <summary>How many events a run has when it continues as new: nobody is about to decide anything, or somebody may be.</summary>
    private const int CalmLength = 1_000, AnyLength = 4_000;

    /// <summary>An observer hears with its heartbeat that it is to end; one whose worker has died is not waited for.</summary>
    private static TimeSpan ObserversEndWithin { get; } = TimeSpan.FromSeconds(3);

    /// <summary>Workflow id of the run of an environment.</summary>
    public static string WorkflowId(string environment) => $"failover/{environment}";

    /// <summary>Workflow id of drills of an environment, by which the last one is found.</summary>
    public static string DrillId(string environment) => $"failover-drill/{environment}";

    /// <summary>The runbook: watch; when two of three say that the primary is down, decide; carry it out; watch on.</summary>
    [WorkflowRun]
    public async Task<FailoverReport?> RunAsync(Input<RegionFailoverRequest>? input = null)
    {
        try
        {
            request = RequestFields.Given(this.input);
            RequestFields.Environment(request.Environment);
            Identify();
            if (Drill && await DrillByItselfAsync() is { } drilled)
                return drilled;
            await ReadSettingsAsync();
            if (request.Mode == FailoverRunMode.Plan)
                return await SayWhatWouldBeDoneAsync();
            Observe();
            GoOn();
            GoOnAsking();
            GoOnWithClaim();
            _ = GoOnWithRestAsync();
            while (!Workflow.CancellationToken.IsCancellationRequested)
            {
                await NewsAsync();
                if (suspended is not null)
                {
                    await StandStillAsync();
                    continue;
                }

                if (recovering is { IsCompleted: true } ended)
                {
                    recovering = null;
                    await ended;
                    if (Drill)
                        return state.Last;
                    // What was decided by has been used up: only what is seen from now on counts.
                    if (!news)
                        continue;
                }

                Decide();
                if (MayContinue())
                    await ContinueAsync();
            }

            return await EndAsync();
        }
        catch (FailureException failure)
        {
            Watching.Cancel();
            EnterPhase(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>An alert, or that it is over. It is shown, and it makes the run look again; it decides nothing.</summary>
    [WorkflowSignal("alert")]
    public Task AlertAsync(AlertSignal alert)
    {
        if (alert.Key is null)
            return Task.CompletedTask;
        news |= alert.Status == "resolved" ? alerts.Remove(alert.Key) : alerts.TryAdd(alert.Key, alert);
        return Task.CompletedTask;
    }

    /// <summary>What an observer found.</summary>
    [WorkflowSignal("evidence")]
    public Task EvidenceAsync(ObserverReport report)
    {
        // An observer that was started again may overtake the one before it.
        if (reports.TryGetValue(report.Observer, out var known) && known.SeenAt > report.SeenAt)
            return Task.CompletedTask;
        reports[report.Observer] = report with { ReceivedAt = Now };
        news = true;
        return Task.CompletedTask;
    }

    private FailoverFacts Facts() => new()
    {
        Environment = Environment,
        Policy = settings!.Policy,
        Timing = settings.Timing,
        Primary = state.Primary!,
        Standby = Standby!,
        Epoch = state.Epoch,
        Reports = [.. reports.Values],
        Alerts = [.. alerts.Values.Select(alert => alert.Name ?? alert.Key!).Distinct()],
        Maintenance = state.Maintenance,
        Recovery = state.Recovery,
        RestartingSince = restartingSince,
        Now = Now,
    };

    /// <summary>Reads the specification, and at the witness who is primary.</summary>
    private async Task ReadSettingsAsync()
    {
        settings = await Workflow.ExecuteActivityAsync(
            (IFailoverActivities activities) => activities.ReadFailoverSettingsAsync(new(Environment, Drill)),
            new() { Summary = $"How {Environment} fails over", StartToCloseTimeout = TimeSpan.FromSeconds(20), RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(200), MaximumInterval = TimeSpan.FromSeconds(5) }, CancellationToken = CancellationToken.None });
        if (settings.Witness is { } witness && witness.Epoch >= state.Epoch)
            state = state with { Epoch = witness.Epoch, Primary = witness.Primary };
        state = state with { Primary = state.Primary ?? settings.Regions[0] };
        ShowEpoch();
    }

    /// <summary>Two observers, each in its region. Temporal starts one again elsewhere when its heartbeat stays away.</summary>
    private void Observe()
    {
        ObserveAgain(Workflow.Patched("observers-awaited"));
        EnterPhase(RunbookPhase.Observing, $"Watching {state.Primary} from {string.Join(" and ", settings!.Regions)}.");
    }

    /// <param name="awaited">Whether one that is cancelled is heard out.</param>
    private void ObserveAgain(bool awaited)
    {
        observing.Clear();
        foreach (var region in settings!.Regions)
            observing.Add(ObserveAsync(region, Watching, awaited));
    }

    private async Task ObserveAsync(string region, CancellationTokenSource watching, bool awaited)
    {
        while (!watching.IsCancellationRequested)
        {
            try
            {
                await Workflow.ExecuteActivityAsync(
                    (IFailoverActivities activities) => activities.ObserveRegionAsync(new(Environment, region, settings!.Regions, Workflow.Info.WorkflowId, Drill)),
                    new()
                    {
                        Summary = $"Observe {Environment} from {region}",
                        TaskQueue = settings!.RegionQueues.GetValueOrDefault(region),
                        StartToCloseTimeout = TimeSpan.FromDays(30),
                        HeartbeatTimeout = TimeSpan.FromSeconds(3),
                        RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(200), MaximumInterval = TimeSpan.FromSeconds(2) },
                        CancellationToken = watching.Token,
                        CancellationType = awaited ? ActivityCancellationType.WaitCancellationCompleted : ActivityCancellationType.TryCancel,
                    });
            }
            catch (Exception failure) when (failure is FailureException || TemporalException.IsCanceledException(failure))
            {
                // One that can never work says so here; it is asked again, since nobody would see it otherwise.
                if (!watching.IsCancellationRequested)
                    await Workflow.DelayAsync(TimeSpan.FromMinutes(1), CancellationToken.None);
            }
        }
    }

    /// <summary>Whether the next run goes on from here: when the server suggests it, or before that, so that a worker that takes the run over has read its history in a fraction of <see cref="TaskTimeout"/>.
    /// Before that only where nothing is being done: the observers begin anew, and see nothing for a moment.</summary>
    private bool MayContinue()
    {
        if (Workflow.ContinueAsNewSuggested && pending is null && restarting is null && (recovering is null || MayInterrupt))
            return true;
        var atMost = Workflow.ContinueAsNewSuggested ? 0 : Calm ? CalmLength : AnyLength;
        return !Drill && restarting is null && recovering is null && Workflow.CurrentHistoryLength >= atMost && Workflow.Patched("continue-early");
    }

    /// <summary>Nobody is about to decide anything: all is well, people are asked, or it was refused.</summary>
    private bool Calm => pending is not null || decision is FailoverDecision.Refuse or FailoverDecision.Wait { Code: FailoverReason.Healthy or FailoverReason.AlertAlone };

    private Task NewsAsync()
    {
        bool Any() => news || suspended is not null || recovering is { IsCompleted: true } || Workflow.CancellationToken.IsCancellationRequested;
        return pending is { } asked && recovering is null
            ? Workflow.WaitConditionAsync(Any, asked.Until > Now ? asked.Until - Now : TimeSpan.Zero, CancellationToken.None)
            : Workflow.WaitConditionAsync(Any, CancellationToken.None);
    }

    /// <summary>What the evidence of this moment asks for.</summary>
    private void Decide()
    {
        news = false;
        var before = decision?.Reason;
        var facts = Facts();
        decision = FailoverRules.Decide(facts);
        // Asked only where it makes a difference: what runs of before decided stays as it is.
        if (FailoverRules.Decide(facts with { OneHeardIsEnough = true }) is var better && better != decision && Workflow.Patched("restart-once-heard"))
            decision = better;
        switch (decision)
        {
            case FailoverDecision.FailOverDatabase { Proposal: var proposal, Reason: var why } when recovering is null:
                Begin(proposal, why, asked: false);
                return;
            case FailoverDecision.RestartInPlace:
                restartingSince ??= Now;
                restarting ??= RestartInPlaceAsync();
                break;
            case FailoverDecision.Wait { Code: FailoverReason.EpochMoved } when recovering is null:
                restarting ??= ReadAgainAsync();
                break;
            case FailoverDecision.Wait { Code: FailoverReason.Healthy }:
                restartingSince = null;
                break;
            default:
                break;
        }

        if (BeganBeforeEpochs && recovering is null && restarting is null && Workflow.Patched("first-epoch-read"))
        {
            firstEpochRead = true;
            restarting = ReadAgainAsync();
        }

        if (recovering is null)
            AskOrBegin(decision as FailoverDecision.RequestApproval);
        if (recovering is null && pending is null && decision.Reason != before && decision is not FailoverDecision.RequestApproval)
            EnterPhase(RunbookPhase.Observing, decision.Reason);
    }

    /// <summary>The witness had no record when this run read it, and observers see one by now: without its epoch nothing could be changed.</summary>
    private bool BeganBeforeEpochs => !firstEpochRead && state.Epoch == 0 && reports.Values.Any(report => report.Lease is { Epoch: > 0 });

    private async Task RestartInPlaceAsync()
    {
        await TryAsync(() => Workflow.ExecuteActivityAsync(
            (IFailoverActivities activities) => activities.UnfenceAsync(new(Environment, $"restart-{state.Epoch}", state.Epoch, state.Primary!, state.Primary!, FailoverKind.Failover, Drill)),
            Options($"Start {state.Primary} again", TimeSpan.FromSeconds(10), attempts: 1, CancellationToken.None)));
        // What was seen before says nothing of what came of it: the observers say that next.
        restarting = null;
    }

    /// <summary>Somebody else changed the places, for example another bootstrap server: what the witness says is so.</summary>
    private async Task ReadAgainAsync()
    {
        await TryAsync(ReadSettingsAsync);
        restarting = null;
        news = true;
    }

    private static async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (FailureException)
        {
            // The observers say what came of it.
        }
    }

    private async Task ContinueAsync()
    {
        Watching.Cancel();
        // A signal that comes meanwhile makes the server refuse the end of this run, and the whole history is read again for the next try: the observers of a primary that is down would let none succeed.
        if (observing.Exists(observer => !observer.IsCompleted) && Workflow.Patched("observers-awaited"))
        {
            await Workflow.WaitConditionAsync(() => observing.TrueForAll(observer => observer.IsCompleted), ObserversEndWithin, CancellationToken.None);
            // What this run was told meanwhile comes first: a change of places that has begun is not interrupted, and the next run would not know of the others.
            if (suspended is not null || Workflow.CancellationToken.IsCancellationRequested)
                return;
            if (recovering is not null && !MayInterrupt)
            {
                Watching = new();
                ObserveAgain(awaited: true);
                return;
            }
        }

        await Workflow.WaitConditionAsync(() => Workflow.AllHandlersFinished, CancellationToken.None);
        await InterruptAsync();
        Input<RegionFailoverRequest> carried = Carried();
        throw Workflow.CreateContinueAsNewException((RegionFailover next) => next.RunAsync(carried));
    }

    /// <summary>The workflow was cancelled: what can be taken back is; what cannot is ended.</summary>
    private async Task<FailoverReport?> EndAsync()
    {
        if (recovering is { } open)
        {
            if (!progress!.PointOfNoReturnPassed)
                Acting.Cancel();
            await open;
        }

        Watching.Cancel();
        EnterPhase(RunbookPhase.Aborted, "Cancelled: nobody watches this environment any more.");
        return state.Last;
    }
}
