using System.Diagnostics;
using System.Globalization;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What an operator does until all is well, and the account that is then made.</summary>
internal sealed partial class CrashWorld
{
    /// <summary>Does what an operator does (approve, retry, acknowledge) until everything is as it has to be in the end.</summary>
    /// <param name="over">Whether all faults are over.</param>
    /// <param name="unlessNothingComes">Whether it is over too when all has been well for long.</param>
    private async Task SettleAsync(string primary, Func<bool> over, bool unlessNothingComes = false)
    {
        var started = Stopwatch.StartNew();
        var (last, trouble) = ("nothing is known", "");
        TimeSpan? wellSince = null;
        var wellAt = TimeSpan.Zero;
        while (true)
        {
            try
            {
                var status = await Run.QueryAsync<RunbookStatus>("status", [], new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(3) } });
                var view = await Run.QueryAsync<FailoverView>("failover", [], new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(3) } });
                Say($"{status.Phase}: {status.Summary} [{string.Join(' ', status.Steps.Select(step => $"{step.Name}:{step.State}"))}]");
                if (view.Last is { } ended)
                    reports.TryAdd(ended.OperationId, ended);
                (last, trouble) = ($"{status.Phase}: {status.Summary} {view.Decision}", "");
                var well = view is { Recovery: null, Proposal: null } && await WellAsync(view);
                wellSince = well ? wellSince ?? started.Elapsed : null;
                wellAt = well ? started.Elapsed : wellAt;
                if (well && (over() || (unlessNothingComes && started.Elapsed - wellSince > WellForGood)))
                    return;
                await ActAsync(status, view);
            }
            catch (Exception failure) when (failure is RpcException or WorkflowUpdateFailedException or WorkflowQueryFailedException or WorkflowUpdateRpcTimeoutOrCanceledException)
            {
                trouble = $"{failure.GetType().Name}: {failure.Message}";
            }

            if (trouble.Length > 0 || last.StartsWith($"{RunbookPhase.Failed}:", StringComparison.Ordinal))
                await FailIfItHasAsync();

            if (started.Elapsed - wellAt > Patience)
            {
                Assert.Fail($"{what} It has not settled: {last} {trouble} {await FailedTaskAsync()}\n{GuardedPair.First}: {await pair.LookAsync(GuardedPair.First)}\n{GuardedPair.Second}: {await pair.LookAsync(GuardedPair.Second)}\n"
                    + $"witness: {(await pair.Witness.ReadAsync(Ct))?.Record}\n{pair.Log(GuardedPair.First)}\n{pair.Log(GuardedPair.Second)}\nserver: {server?.Written}");
            }

            await Task.Delay(50, Ct);
        }
    }

    /// <summary>A run that has failed never settles.</summary>
    private async Task FailIfItHasAsync()
    {
        try
        {
            if ((await Run.DescribeAsync(new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(3) } })).Status == Temporalio.Api.Enums.V1.WorkflowExecutionStatus.Failed)
                await Run.GetResultAsync();
        }
        catch (WorkflowFailedException failed)
        {
            Assert.Fail($"{what} The run has failed: {failed.InnerException?.Message ?? failed.Message}");
        }
        catch (RpcException)
        {
            // Nobody can be asked just now.
        }
    }

    /// <summary>The end of the history, and why the workflow's code could not go on.</summary>
    private async Task<string> FailedTaskAsync()
    {
        try
        {
            var events = (await Run.FetchHistoryAsync()).Events;
            return $"{string.Join(' ', events.TakeLast(12).Select(passed => $"{passed.EventId}:{passed.EventType}"))} {events.LastOrDefault(passed => passed.WorkflowTaskFailedEventAttributes is not null)?.WorkflowTaskFailedEventAttributes}";
        }
        catch (RpcException failure)
        {
            return failure.Message;
        }
    }

    private async Task ActAsync(RunbookStatus status, FailoverView view)
    {
        if (status.PlanHash is { } hash)
        {
            foreach (var person in new[] { "ben", "eva" })
            {
                if ((await Run.QueryAsync<RunbookStatus>("status", [])).PlanHash == hash)
                    await Run.ExecuteUpdateAsync<ControlResult>("approve", [new ApproveInput(hash, person)], Quick);
            }
        }
        else if (status.Phase == RunbookPhase.Parked && status.Steps.FirstOrDefault(step => step.State == StepState.Failed) is { } failed)
        {
            await Run.ExecuteUpdateAsync<ControlResult>("retryStep", [new StepInput(failed.Name)], Quick);
        }
        else if (view.Recovery is { Running: false } ended)
        {
            await Run.ExecuteUpdateAsync<ControlResult>("acknowledge", [new AcknowledgeInput(ended.OperationId, "eva")], Quick);
        }
    }

    private static WorkflowUpdateOptions Quick => new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(5) } };

    /// <summary>One node serves, the other one follows it, and commits wait for it where they have to.</summary>
    private async Task<bool> WellAsync(FailoverView view)
    {
        if (view is not { Primary: { } primary, Standby: { } standby })
            return false;
        var (serves, follows) = (await pair.LookAsync(primary), await pair.LookAsync(standby));
        return serves is { Writable: true, Streaming: true } && (!synchronous || serves.Synchronous == true) && follows is { Role: NodeRole.Standby, Streaming: true, Writable: false } && serves.Epoch == view.Epoch;
    }

    private async Task<(string Primary, string Standby)> WhoAsync()
    {
        var view = await Run.QueryAsync<FailoverView>("failover", []);
        return (view.Primary!, view.Standby!);
    }

    private async Task AccountAsync(long began)
    {
        var before = clients.Written;
        await Wait.UntilAsync(() => clients.Written > before + 10, () => "Clients do not write again.");
        var (primary, _) = await WhoAsync();
        var lost = await clients.LostAsync(pair.Files[primary].Clients.Listen, Ct);
        var reported = reports.Values.Sum(report => report.Divergence?.Rows ?? 0);
        say(string.Create(CultureInfo.InvariantCulture,
            $"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, gap {clients.LongestGap(began).Length.TotalSeconds:0.0} s, {clients.Acknowledged} acknowledged, {lost} lost, {reported} reported, {clients.InDoubt} in doubt, {reports.Count} changes of places: {what}"));
        Assert.True(clients.MaxWritable() == 1, $"{what} Two nodes were writable at once.");
        Assert.True(lost == 0 || !synchronous, $"{what} {lost} acknowledged rows are lost, although commits wait for the standby.");
        Assert.True(lost <= reported, $"{what} {lost} acknowledged rows are lost, and {reported} were reported.");
        if (!reports.Values.Any(report => report.Outcome == FailoverOutcome.Completed))
            return;
        // On a machine that is short of time another node may be lost meanwhile: what a run is about to do is not forgotten.
        IReadOnlyList<NextStep> left = [];
        await Wait.UntilAsync(async () => (left = await LeftAsync()) is [], () => $"{what} Something is left to do: {string.Join(" ", left)}");
    }

    /// <summary>What is left to do by the world alone: a Service, Secrets, buckets and nodes that were forgotten somewhere.</summary>
    private async Task<IReadOnlyList<NextStep>> LeftAsync()
    {
        var locations = Locations.From(null, null, null);
        using var looking = new FailoverActivities(new ProvisioningSources(locations.Specification, locations.Catalog), connections, FailoverPairs.Opener(connections));
        return NextSteps.Of(await looking.LookAsync(Environment, Ct));
    }
}
