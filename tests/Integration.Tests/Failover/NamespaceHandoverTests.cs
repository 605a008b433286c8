using System.Collections.Concurrent;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A planned move of namespaces, by the server's own handover, with everything around it ended at each of its steps. Each case has a namespace of its own, and all of them go on at once.</summary>
public sealed class NamespaceHandoverTests : IAsyncLifetime
{
    private const string East = TwoTemporals.East, West = TwoTemporals.West;

    /// <summary>The server may keep a namespace closed for one second, its workflow is ended after two, and the namespace is opened after three.</summary>
    private const int BoundSeconds = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly ConcurrentDictionary<string, (string Point, Func<string, Task> Fault, bool ForGood)> faults = new();
    private readonly ConcurrentDictionary<string, bool> heard = new();
    private readonly ConcurrentDictionary<string, string> struck = new();
    private readonly CancellationTokenSource ended = new();
    private readonly List<Task> working = [];
    private TwoTemporals two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        two = await TwoTemporals.StartAsync();
        foreach (var region in new[] { East, West })
            working.Add(UntilEndedAsync((await HandoverStandIn.WorkerAsync(two, region, AtAsync)).ExecuteAsync(ended.Token)));
        working.Add(two.ReplicateAsync(() => heard.Keys, ended.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await Task.WhenAll(working);
        await two.DisposeAsync();
        ended.Dispose();
    }

    [Fact]
    public async Task It_is_handed_over_by_the_server_there_and_back_and_the_closed_time_is_reported()
    {
        var refused = new TaskCompletionSource<RpcException>();
        await BeginAsync("orders", "before drain", async space =>
        {
            // Whoever calls meanwhile waits, and is told why when time is up.
            refused.TrySetResult(await Assert.ThrowsAsync<RpcException>(() => two.Clients[East].WorkflowService.DescribeTaskQueueAsync(
                new DescribeTaskQueueRequest { Namespace = space, TaskQueue = new() { Name = "orders" } }, new() { Timeout = TimeSpan.FromMilliseconds(900), Retry = false })));
        });

        var there = await MoveAsync(60, FailoverKind.Switchover, East, West, "orders");
        var moved = Assert.Single(there.Namespaces!);
        Assert.Equal(("orders", "west", 2L), (moved.Name, moved.Cluster, moved.FailoverVersion));
        Assert.InRange(moved.ClosedSeconds!.Value, 0.1, 60);
        Assert.Equal(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"orders (failover version 2, closed for {moved.ClosedSeconds:0.0} s) active in west. us-east-1 agrees."), there.Detail);
        Assert.Equal((RpcException.StatusCode.Unavailable, "Namespace replication in Handover state."), ((await refused.Task).Code, (await refused.Task).Message));

        Assert.Equal(11, Assert.Single((await MoveAsync(60, FailoverKind.Failback, West, East, "orders")).Namespaces!).FailoverVersion);
        Assert.Equal(0, Assert.Single((await MoveAsync(60, FailoverKind.Failback, West, East, "orders")).Namespaces!).ClosedSeconds);
        await AgreedAsync("orders");
    }

    [Fact]
    public async Task Whatever_is_ended_at_whichever_step_it_opens_again_on_one_side_and_both_clusters_agree()
    {
        string[] points = ["before close", "after close", "before move", "after move", "before open"];
        var drivers = new Dictionary<string, CancellationTokenSource>();
        async Task TerminateAsync(string space) => await Run(space).TerminateAsync("The test ends it.");
        async Task CancelAsync(string space) => await Run(space).CancelAsync();
        Func<string, Task>[] ends =
        [
            TerminateAsync,
            CancelAsync,
            // The worker of the server dies, and does not come back.
            _ => Task.Delay(Timeout.Infinite, ended.Token),
            // Whoever drives it dies.
            space => drivers[space].CancelAsync(),
            async space =>
            {
                await drivers[space].CancelAsync();
                await TerminateAsync(space);
            },
        ];
        for (var end = 0; end < ends.Length; end++)
        {
            // A cancellation, and a driver's death while the server goes on, are the same at all steps but the one that closes.
            foreach (var point in end is 1 or 3 ? ["after close"] : points)
            {
                var space = $"case-{end}-{point.Replace(' ', '-')}";
                await BeginAsync(space, point, ends[end], forGood: end == 2);
                drivers[space] = new();
                // Of some nobody on the other side ever hears by replication.
                if (end % 2 == 0)
                    heard.TryRemove(space, out _);
            }
        }

        // One whose run somebody has begun with a timeout, which cuts off also the step that opens it.
        await BeginAsync("timed-out", "after close", _ => Task.Delay(Timeout.Infinite, ended.Token), forGood: true);
        drivers["timed-out"] = new();
        await two.Clients[East].WorkflowService.StartWorkflowExecutionAsync(SystemRun("timed-out", TimeSpan.FromSeconds(1)));

        var guard = GuardAsync(TimeSpan.FromSeconds(1), [.. drivers.Keys]);
        var driving = drivers.ToDictionary(driver => driver.Key, driver => DriveAsync(driver.Key, driver.Value.Token));
        await Task.WhenAll(driving.Values).WaitAsync(Patience, Ct);
        var seen = await guard.WaitAsync(Patience, Ct);

        foreach (var space in drivers.Keys)
        {
            await AgreedAsync(space);
            Assert.True(struck.ContainsKey(space), $"Nothing was ended in {space}.");
            Assert.Contains($"{space} was closed for", seen.Detail, StringComparison.Ordinal);
        }

        // Those that nobody else opened.
        Assert.Contains("it is opened where it was", seen.Detail, StringComparison.Ordinal);
        foreach (var driver in drivers.Values)
            driver.Dispose();
    }

    [Fact]
    public async Task A_side_that_nobody_has_told_is_told()
    {
        await two.RegisterAsync("unheard");
        Assert.Equal(2, Assert.Single((await MoveAsync(60, FailoverKind.Switchover, East, West, "unheard")).Namespaces!).FailoverVersion);
        await AgreedAsync("unheard");

        // It was moved at the new side alone, and the old one has it closed.
        await two.RegisterAsync("forced");
        await two.SetStateAsync(East, "forced", ReplicationState.Handover);
        await two.ActivateAsync(West, "forced", "west");
        await MoveAsync(60, FailoverKind.Switchover, East, West, "forced");
        await AgreedAsync("forced");
    }

    private async Task BeginAsync(string space, string point, Func<string, Task> fault, bool forGood = false)
    {
        faults[space] = (point, fault, forGood);
        await two.RegisterAsync(space);
        heard[space] = true;
    }

    private async Task AtAsync(string space, string point)
    {
        if (faults.TryGetValue(space, out var fault) && fault.Point == point && (struck.TryAdd(space, point) || fault.ForGood))
            await fault.Fault(space);
    }

    private WorkflowHandle Run(string space) => new TemporalClient(two.Clients[East].Connection, new() { Namespace = "temporal-system" }).GetWorkflowHandle($"platformops-handover-{space}");

    private static StartWorkflowExecutionRequest SystemRun(string space, TimeSpan timeout) => new()
    {
        Namespace = "temporal-system",
        WorkflowId = $"platformops-handover-{space}",
        WorkflowType = new() { Name = "namespace-handover" },
        TaskQueue = new() { Name = "default-worker-tq" },
        RequestId = space,
        WorkflowRunTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(timeout),
        Input = new() { Payloads_ = { Temporalio.Converters.DataConverter.Default.PayloadConverter.ToPayload(new HandoverStandIn.Request(space, "west", 5, 0, 1)) } },
    };

    private async Task<FailoverStepResult> MoveAsync(int bound, FailoverKind kind, string from, string to, string space, CancellationToken ct = default)
    {
        using var activities = two.Activities(bound, space);
        return await EnvironmentOf(ct).RunAsync(() => activities.MoveNamespacesAsync(new("production", "failover-1", 2, from, to, kind)));
    }

    private async Task<WatchedHandover> GuardAsync(TimeSpan quiet, string[] spaces)
    {
        using var activities = two.Activities(BoundSeconds, spaces);
        return await EnvironmentOf(Ct).RunAsync(() => activities.GuardHandoverAsync(new("production", "failover-1", 2, East, West, FailoverKind.Switchover, quiet)));
    }

    /// <summary>Moves it, or says why it was not moved, or dies.</summary>
    private async Task DriveAsync(string space, CancellationToken killed)
    {
        try
        {
            await MoveAsync(BoundSeconds, FailoverKind.Switchover, East, West, space, killed);
        }
        catch (ApplicationFailureException failure)
        {
            Assert.Equal(FailureTypes.Unhealthy, failure.ErrorType);
            Assert.Contains("was not handed over: ", failure.Message, StringComparison.Ordinal);
        }
        catch (OperationCanceledException) when (killed.IsCancellationRequested)
        {
            // It was killed.
        }
    }

    private async Task AgreedAsync(string space)
    {
        var (east, west) = (await two.SaysAsync(East, space), await two.SaysAsync(West, space));
        Assert.True(!east.Closed && !west.Closed && (east.Cluster, east.FailoverVersion) == (west.Cluster, west.FailoverVersion), $"{space}: {East} says {east}, {West} says {west}.");
    }

    private static ActivityEnvironment EnvironmentOf(CancellationToken ct)
    {
        var environment = new ActivityEnvironment();
        ct.Register(() => environment.Cancel());
        return environment;
    }

    private static async Task UntilEndedAsync(Task work)
    {
        try
        {
            await work;
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
    }
}
