using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>A drill: a copy is made, its primary is lost or hands over, the same steps as ever follow, clients keep account, and the copy is removed with proof.</summary>
public sealed partial class RegionFailover
{
    /// <summary>For a copy to be found healthy, and then for the change of places.</summary>
    private static readonly TimeSpan DrillPatience = TimeSpan.FromMinutes(30);

    private DrillCopy? copy;

    private DrillOrder DrillOrder => new(Environment, Workflow.Info.FirstExecutionRunId);

    /// <summary>Where nobody has made a copy, one is made; the drill then goes through by itself.</summary>
    private async Task<FailoverReport?> DrillByItselfAsync()
    {
        var missed = new List<string>();
        DrillAccount? account = null;
        RemovedDrill? removed = null;
        FailureException? refused = null;
        try
        {
            EnterPhase(RunbookPhase.Observing, $"Making an isolated copy of {Environment}'s database.");
            copy = await Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.PrepareDrillAsync(DrillOrder), OfCopy("Make the copy", TimeSpan.FromHours(6), attempts: 2));
            if (copy is null)
                return null;
            await ReadSettingsAsync();
            Observe();
            await PractiseAsync();
            account = await Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.AccountForDrillAsync(DrillOrder), OfCopy("Account for every row", TimeSpan.FromMinutes(5), attempts: 3));
        }
        catch (Exception failure) when (failure is FailureException || TemporalException.IsCanceledException(failure))
        {
            refused = copy is null ? failure as FailureException : null;
            missed.Add(Workflow.CancellationToken.IsCancellationRequested ? "It was cancelled." : FailureReason.Of(failure as FailureException ?? new ApplicationFailureException(failure.Message)));
        }

        Watching.Cancel();
        abortReason = "the drill ends";
        Acting.Cancel();
        if (recovering is { } open)
            await EndedAsync(open);
        EnterPhase(RunbookPhase.Observing, "Removing the copy.");
        try
        {
            removed = await Workflow.ExecuteActivityAsync(
                (IFailoverActivities activities) => activities.RemoveDrillAsync(DrillOrder), OfCopy("Remove the copy", TimeSpan.FromMinutes(10), attempts: 5, CancellationToken.None));
        }
        catch (ActivityFailureException failure)
        {
            missed.Add($"The copy could not be removed: {FailureReason.Of(failure)}");
        }

        // Without a copy there was no drill.
        return refused is null ? Scored(missed, account, removed) : throw new ApplicationFailureException(FailureReason.Of(refused), refused, FailureReason.TypeOf(refused), nonRetryable: true);
    }

    private async Task PractiseAsync()
    {
        await UntilAsync(() => decision is { Code: FailoverReason.Healthy }, "The copy was not found healthy");
        if (request.Scenario == DrillScenario.Switchover)
            Begin(Asked(FailoverKind.Switchover, Standby!, withStack: false), "The drill hands over.", asked: true);
        else
            await Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.LoseDrillPrimaryAsync(DrillOrder), OfCopy("Lose the copy's primary", TimeSpan.FromMinutes(1), attempts: 1));
        await UntilAsync(() => state.Recovery is { Promoted: true } || recovering is { IsCompleted: true }, "The places were not changed");
        if (request.Scenario == DrillScenario.NodeLost)
            await Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.ReturnDrillNodeAsync(DrillOrder), OfCopy("Bring the lost machine back", TimeSpan.FromMinutes(1), attempts: 3));
        await UntilAsync(() => recovering is { IsCompleted: true }, "The change of places did not end");
        await recovering!;
    }

    /// <summary>Decides by what is seen until something holds.</summary>
    private async Task UntilAsync(Func<bool> holds, string otherwise)
    {
        var until = Now + DrillPatience;
        while (!holds())
        {
            if (Now >= until || !await Workflow.WaitConditionAsync(() => news || holds() || parked.Count > 0, until - Now, Workflow.CancellationToken))
                throw new ApplicationFailureException($"{otherwise} within {DrillPatience.TotalMinutes:0} minutes: {Summary}", FailureTypes.Unhealthy, nonRetryable: true);
            if (parked.Count > 0)
                throw new ApplicationFailureException(Summary, FailureTypes.Unhealthy, nonRetryable: true);
            if (news)
                Decide();
        }
    }

    private FailoverReport Scored(List<string> missed, DrillAccount? account, RemovedDrill? removed)
    {
        var policy = settings?.Policy ?? new(FailoverMode.Off, FailoverMode.Off, TimeSpan.Zero, TimeSpan.Zero);
        if (account is { MaxWritable: > 1 })
            missed.Add("Two nodes of the copy were writable at once.");
        if (account is { Lost: > 0 and var lost } && state.Last is { } ended && (ended.Estimated.Nothing || ended.Estimated.Duration > policy.Rpo))
            missed.Add($"{lost} acknowledged rows are lost, more than the objective ({Platform.Yaml.Units.Format(policy.Rpo)}) allows or was said before.");
        if (account is { LongestGapSeconds: var gap } && gap > policy.Rto.TotalSeconds)
            missed.Add($"Nobody could write for {gap:0.0} s; the objective is {Platform.Yaml.Units.Format(policy.Rto)}.");
        if (state.Last is { Outcome: not FailoverOutcome.Completed } report)
            missed.Add(report.Summary);
        if (state.Last is null && missed.Count == 0)
            missed.Add("The places were not changed.");
        if (removed is { Left.Count: > 0 })
            missed.Add($"Of the copy is left: {string.Join(", ", removed.Left)}.");
        var score = new DrillScore
        {
            Scenario = request.Scenario,
            Passed = missed.Count == 0,
            Missed = missed,
            Copy = copy,
            Account = account,
            Removed = removed,
            RtoSeconds = policy.Rto.TotalSeconds,
            RpoSeconds = policy.Rpo.TotalSeconds,
        };
        if (state.Last is null)
        {
            proposal ??= Unbegun();
            begunAt = startedAt;
            Close(FailoverOutcome.NothingDone, string.Join(" ", missed));
        }

        var words = score.Passed
            ? $"The drill passed: {state.Last!.To} took over on the copy, {account!.Acknowledged} rows were acknowledged and {account.Lost} lost, nobody could write for {account.LongestGapSeconds:0.00} s at most, and nothing of the copy is left."
            : $"The drill did not pass. {string.Join(" ", missed)}";
        var scored = state.Last! with { Drill = score, Summary = words };
        EnterPhase(score.Passed ? RunbookPhase.Completed : RunbookPhase.Failed, words);
        return scored;
    }

    /// <summary>For the report of a drill that came to nothing.</summary>
    private FailoverProposal Unbegun() => new()
    {
        Environment = Environment,
        Kind = request.Scenario == DrillScenario.Switchover ? FailoverKind.Switchover : FailoverKind.Failover,
        From = state.Primary ?? "",
        To = Standby ?? "",
        Epoch = state.Epoch,
        Stack = StackMove.Stays,
        Loss = new(false, null, null, null),
    };

    private ActivityOptions OfCopy(string summary, TimeSpan within, int attempts, CancellationToken? ct = null) => Options(summary, within, attempts, ct ?? Workflow.CancellationToken, TimeSpan.FromSeconds(30));
}
