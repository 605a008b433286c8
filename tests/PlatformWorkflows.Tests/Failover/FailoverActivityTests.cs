using System.Reflection;
using PlatformOps.Activities;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Testing;
using Temporalio.Worker;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>The real activities on a pair in memory: each may run twice, and together with the workflow they notice a loss by themselves.</summary>
public class FailoverActivityTests(RunbookServer server)
{
    private static readonly string Root = typeof(FailoverActivityTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    private static readonly ProvisioningSources Sources = new(Path.Combine(Root, "examples", "reference"), Path.Combine(Root, "k8s", "components"));

    private static readonly PlatformConnections Connections = new()
    {
        Failover = new Dictionary<string, FailoverAccess> { ["production"] = new() { Nodes = new Dictionary<string, FailoverNodeAccess> { [East] = new("https://e:1", "127.0.0.1:1"), [West] = new("https://w:1", "127.0.0.1:2") } } },
        Regions = new Dictionary<string, RegionConnection> { [East] = new() { Kubeconfig = "/nowhere" }, [West] = new() { Kubeconfig = "/nowhere" } },
    };

    [Fact]
    public async Task Every_activity_that_changes_something_does_it_once_when_it_runs_twice()
    {
        using var pair = new GuardedMemory();
        using var activities = Activities(pair);
        pair.Lose(East);
        var claim = new ClaimOrder("production", "failover-1", 1, East, West, FailoverKind.Failover, null);

        var claimed = await TwiceAsync(() => activities.ClaimEpochAsync(claim));
        var order = new FailoverOrder("production", "failover-1", claimed.Epoch, East, West, FailoverKind.Failover);
        Assert.Equal(FailureTypes.Unavailable, (await FailureAsync(() => activities.FenceAsync(new("production", "failover-1", 2, East, West, FailoverKind.Failover, TimeSpan.Zero)))).ErrorType);
        await TwiceAsync(() => activities.PromoteAsync(order));
        await TwiceAsync(() => activities.VerifyAsync(order));
        pair.Return(East);
        var rebuilt = await RunAsync(() => activities.RebuildAsync(order));
        var again = await RunAsync(() => activities.RebuildAsync(order));
        var readiness = await RunAsync(() => activities.CheckReadinessAsync(new("production")));

        Assert.Equal((2, West, 2), (claimed.Epoch, pair.Record.Primary, pair.Record.Epoch));
        Assert.Equal(1, pair.Events.Count(did => did == "write 2 us-west-2"));
        Assert.Equal((2, "/divergence/1"), (rebuilt.Divergence!.Rows, rebuilt.Divergence.Location));
        // Who died before it could tell is not the only one to know what was found.
        Assert.Equal(rebuilt.Divergence, again.Divergence);
        Assert.Equal(2, (await pair.ObserveAsync(West, default)).Timeline);
        Assert.True(readiness.Ready, string.Join(" ", readiness.Items));
    }

    [Fact]
    public async Task A_switchover_is_claimed_once_the_lease_was_given_back_and_is_taken_back_whole()
    {
        using var pair = new GuardedMemory();
        using var activities = Activities(pair);
        var claim = new ClaimOrder("production", "switchover-1", 1, East, West, FailoverKind.Switchover, null);
        await TwiceAsync(() => activities.PrepareAsync(claim));
        Assert.Contains("has not given its lease back", (await RunAsync(() => activities.ClaimEpochAsync(claim))).Void, StringComparison.Ordinal);

        await TwiceAsync(() => activities.FenceAsync(new("production", "switchover-1", 1, East, West, FailoverKind.Switchover, TimeSpan.FromSeconds(5))));
        Assert.Equal(2, (await RunAsync(() => activities.ClaimEpochAsync(claim))).Epoch);
        var back = await TwiceAsync(() => activities.ClaimBackAsync(claim with { Epoch = 2 }));
        await TwiceAsync(() => activities.UnfenceAsync(new("production", "switchover-1", back.Epoch, East, West, FailoverKind.Switchover)));

        Assert.Equal((3, East, 3), (back.Epoch, pair.Record.Primary, pair.Record.Epoch));
        Assert.True((await pair.ObserveAsync(East, default)).Writable);
        Assert.Equal(FailureTypes.Rejected, (await FailureAsync(() => activities.UnfenceAsync(new("production", "switchover-1", 2, East, West, FailoverKind.Switchover)))).ErrorType);
    }

    [Fact]
    public async Task Without_an_epoch_nothing_is_changed()
    {
        await using var run = await FailoverRun.StartAsync(server, new FakeDatabase { Witness = new(0, East, "first", new(40, TimeSpan.FromSeconds(1), false), null) });
        await run.SeeAsync(null, "gone", stalled: true, epoch: 0);

        var parked = await run.UntilAsync(RunbookPhase.Parked);

        Assert.Contains("ClaimEpoch changes something and carries no epoch", parked.Summary, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task Observers_notice_a_loss_by_themselves_and_the_old_primary_is_rebuilt_when_it_returns()
    {
        using var pair = new GuardedMemory();
        using var activities = Activities(pair);
        var queue = $"queue-{Guid.NewGuid()}";
        using var stop = new CancellationTokenSource();
        using var failovers = new TemporalWorker(server.Client, WorkerRegistration.CreateFailoverWorkerOptions(activities, queue));
        using var east = new TemporalWorker(server.Client, WorkerRegistration.CreateRegionWorkerOptions(activities, TaskQueues.Of(East)));
        using var west = new TemporalWorker(server.Client, WorkerRegistration.CreateRegionWorkerOptions(activities, TaskQueues.Of(West)));
        var working = Task.WhenAll(failovers.ExecuteAsync(stop.Token), east.ExecuteAsync(stop.Token), west.ExecuteAsync(stop.Token));
        var handle = await server.Client.StartWorkflowAsync(
            nameof(RegionFailover), [new RegionFailoverRequest { Environment = "production" }], new($"failover/production/{queue}", queue));
        Task<FailoverView> ViewAsync() => handle.QueryAsync<FailoverView>("failover", []);
        await Wait.UntilAsync(ViewAsync, view => view.Code == FailoverReason.Healthy, view => $"{view.Code}: {view.Decision}");

        pair.Lose(East);
        await Wait.UntilAsync(ViewAsync, view => view.Recovery?.Promoted == true, view => $"{view.Code}: {view.Decision}");
        pair.Return(East);
        await Wait.UntilAsync(() => handle.QueryAsync<RunbookStatus>("status", []), status => status.WaitingFor is not null, status => $"{status.Phase}: {status.Summary}");
        var done = await ViewAsync();

        Assert.True(done.Last is not null, (await handle.QueryAsync<RunbookStatus>("status", [])).Summary);
        Assert.Equal((FailoverOutcome.Completed, West, 2), (done.Last.Outcome, done.Primary, done.Epoch));
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"Lost to writable: {TimeProvider.System.GetElapsedTime(pair.LostAt, pair.WritableAt).TotalMilliseconds:0} ms; {string.Join(", ", done.Last.Phases.Select(phase => $"{phase.Name} {phase.Seconds * 1000:0} ms"))}");
        Assert.Equal(NodeRole.Standby, (await pair.ObserveAsync(East, default)).Role);
        Assert.False(pair.Renewing.IsFaulted);
        await handle.TerminateAsync("The test has ended.");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => working);
    }

    [Fact]
    public async Task What_stands_in_the_way_of_a_failover_is_named()
    {
        using var pair = new GuardedMemory();
        using var activities = Activities(pair);
        Assert.All((await ReadinessAsync()).Items, item => Assert.True(item.Ok, item.ToString()));

        pair.Lose(West);
        var standby = await ReadinessAsync();
        pair.Lose(East);
        var primary = await ReadinessAsync();

        Assert.Equal(["guard@us-west-2", "lag"], Missing(standby));
        Assert.Equal(["witness", "guard@us-east-1", "guard@us-west-2"], Missing(primary));
        Assert.Contains("has not renewed its lease of epoch 1", primary.Items[0].Detail, StringComparison.Ordinal);

        Task<ReadinessReport> ReadinessAsync() => RunAsync(() => activities.CheckReadinessAsync(new("production")));
        static IEnumerable<string> Missing(ReadinessReport report) => report.Items.Where(item => item.Ok == false).Select(item => item.Name);
    }

    [Fact]
    public async Task A_drill_never_opens_production_and_counts_as_the_last_one_when_it_went_well()
    {
        using var pair = new GuardedMemory();
        using var production = new GuardedMemory();
        var opened = new List<string>();
        using var activities = new FailoverActivities(Sources, Connections with { Failover = new Dictionary<string, FailoverAccess>(Connections.Failover) { ["production-drill"] = Connections.Failover["production"] } }, (key, _) =>
        {
            opened.Add(key);
            return key == "production" ? new(production, production, production.WriteAsync) : new(pair, pair, pair.WriteAsync);
        });
        var queue = $"queue-{Guid.NewGuid()}";
        using var failovers = new TemporalWorker(server.Client, WorkerRegistration.CreateFailoverWorkerOptions(activities, queue));
        using var east = new TemporalWorker(server.Client, WorkerRegistration.CreateRegionWorkerOptions(activities, TaskQueues.Of(East)));
        using var west = new TemporalWorker(server.Client, WorkerRegistration.CreateRegionWorkerOptions(activities, TaskQueues.Of(West)));
        await east.ExecuteAsync(() => west.ExecuteAsync(() => failovers.ExecuteAsync(async () =>
        {
            Assert.Null((await LastDrillAsync()).Ok);
            opened.Clear();

            // As a schedule starts it.
            var drill = await server.Client.StartWorkflowAsync(
                nameof(RegionFailover), [new RegionFailoverRequest { Environment = "production", Mode = FailoverRunMode.Drill }], new($"{RegionFailover.DrillId("production")}-2026-11-24T15:00:00Z", queue));
            Task<FailoverView> ViewAsync() => drill.QueryAsync<FailoverView>("failover", []);
            await Wait.UntilAsync(ViewAsync, view => view.Code == FailoverReason.Healthy, view => $"{view.Code}: {view.Decision}");
            pair.Lose(East);
            await Wait.UntilAsync(ViewAsync, view => view.Recovery?.Promoted == true, view => $"{view.Code}: {view.Decision}");
            pair.Return(East);
            await Wait.UntilAsync(() => drill.QueryAsync<RunbookStatus>("status", []), status => status.WaitingFor is not null, status => $"{status.Phase}: {status.Summary}");
            var report = await drill.GetResultAsync<FailoverReport>().WaitAsync(Wait.Patience);

            Assert.Equal((FailoverOutcome.Completed, West), (report.Outcome, report.To));
            Assert.Equal(["production-drill"], opened.Distinct());
            Assert.Empty(production.Events);
            Assert.Equal((1, East), (production.Record.Epoch, production.Record.Primary));
            Assert.True((await LastDrillAsync()).Ok);
        })));

        async Task<ReadinessItem> LastDrillAsync()
        {
            var look = await server.Client.StartWorkflowAsync(
                nameof(FailoverReadiness), [new FailoverReadinessRequest { Environment = "production" }], new(FailoverReadiness.WorkflowId($"production/{Guid.NewGuid()}"), queue));
            return (await look.GetResultAsync<FailoverReadinessReport>().WaitAsync(Wait.Patience)).Items.Single(item => item.Name == "lastDrill");
        }
    }

    [Fact]
    public async Task An_export_that_takes_long_is_heard_of_all_the_time()
    {
        using var pair = new GuardedMemory();
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var activities = new FailoverActivities(Sources, Connections, (_, _) => new(pair, pair, pair.WriteAsync), clock);
        var exporting = new TaskCompletionSource();
        pair.Exporting = exporting.Task;
        pair.Return(East);
        var heard = new System.Collections.Concurrent.ConcurrentQueue<object?[]>();
        var rebuilding = new ActivityEnvironment { Heartbeater = heard.Enqueue }.RunAsync(() => activities.RebuildAsync(new("production", "failover-1", 2, East, West, FailoverKind.Failover)));

        // Longer than the half minute for which a rebuild may be silent.
        await Wait.UntilAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(heard.Count);
            },
            beats => beats >= 40, beats => $"{beats} heartbeats");
        Assert.False(rebuilding.IsCompleted);
        exporting.SetResult();

        Assert.Equal(2, (await rebuilding.WaitAsync(Wait.Patience)).Divergence!.Rows);
        Assert.All(heard, beat => Assert.Contains("us-east-1", Assert.IsType<string>(beat.Single()), StringComparison.Ordinal));
    }

    private static FailoverActivities Activities(GuardedMemory pair) => new(
        Sources, Connections, (_, _) => new(pair, pair, pair.WriteAsync));

    private static Task<T> RunAsync<T>(Func<Task<T>> activity) => new ActivityEnvironment().RunAsync(activity);

    /// <summary>As when it died after its effect and before its answer.</summary>
    private static async Task<T> TwiceAsync<T>(Func<Task<T>> activity)
    {
        await RunAsync(activity);
        return await RunAsync(activity);
    }

    private static Task<ApplicationFailureException> FailureAsync<T>(Func<Task<T>> activity) => Assert.ThrowsAsync<ApplicationFailureException>(() => RunAsync(activity));
}
