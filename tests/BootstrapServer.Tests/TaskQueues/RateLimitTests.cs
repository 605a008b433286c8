using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.TaskQueues;

/// <summary>Limits are counted against the server's clock, which stands still here unless a test moves it.</summary>
public sealed class RateLimitTests : IAsyncLifetime
{
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
    private readonly string folder = Directory.CreateTempSubdirectory("rates-").FullName;
    private BootstrapServerHost server = null!;
    private ITemporalClient client = null!;

    public async ValueTask InitializeAsync() => await StartAsync();

    [Fact]
    public async Task An_operators_limit_lets_a_burst_of_a_second_go_and_then_one_at_a_time()
    {
        var config = await LimitAsync(2);
        Assert.Equal(2, config.QueueRateLimit.RateLimit.RequestsPerSecond);
        Assert.Equal(("maintenance", "me"), (config.QueueRateLimit.Metadata.Reason, config.QueueRateLimit.Metadata.UpdateIdentity));
        await ScheduleAsync(8);
        Assert.Equal(3, await PollWhileAnyAsync()); // a second's worth, and the next one
        Assert.True((await DescribeAsync()).Stats.RateLimitingActive);
        var waiting = await StandsOrTookAsync("waiting");
        var left = (await DescribeAsync()).Stats.ApproximateBacklogCount;
        clock.Advance(TimeSpan.FromMilliseconds(400));
        Assert.Equal(left, (await DescribeAsync()).Stats.ApproximateBacklogCount);
        clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.NotEmpty((await waiting).ActivityId);
        Assert.Equal(0, await PollWhileAnyAsync());
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, await PollWhileAnyAsync());
        await LimitAsync(null);
        Assert.Equal(2, await PollWhileAnyAsync());
    }

    [Fact]
    public async Task An_operators_limit_beats_the_one_that_workers_send()
    {
        await ScheduleAsync(8);
        Assert.Equal(6, await PollWhileAnyAsync(workerLimit: 5)); // a second's worth, and the next one
        var effective = (await DescribeAsync()).EffectiveRateLimit;
        Assert.Equal((5, RateLimitSource.Worker), (effective.RequestsPerSecond, effective.RateLimitSource));
        await LimitAsync(0);
        effective = (await DescribeAsync()).EffectiveRateLimit;
        Assert.Equal((0, RateLimitSource.Api), (effective.RequestsPerSecond, effective.RateLimitSource));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await PollWhileAnyAsync(workerLimit: 5));
        await LimitAsync(1000);
        Assert.Equal(2, await PollWhileAnyAsync(workerLimit: 5));
    }

    [Fact]
    public async Task A_fairness_key_at_its_limit_does_not_hold_up_the_others()
    {
        await client.WorkflowService.UpdateTaskQueueConfigAsync(new()
        {
            Namespace = "default",
            TaskQueue = "limited",
            TaskQueueType = TaskQueueType.Activity,
            UpdateFairnessKeyRateLimitDefault = new() { RateLimit = new() { RequestsPerSecond = 1 } },
        });
        await ScheduleAsync(6, "greedy");
        await ScheduleAsync(1, "modest");
        Assert.Equal(3, await PollWhileAnyAsync()); // two of the greedy key, and the modest one's
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await PollWhileAnyAsync());
    }

    [Fact]
    public async Task A_restart_keeps_what_operators_set()
    {
        await LimitAsync(7);
        await server.DisposeAsync();
        await StartAsync();
        var config = (await DescribeAsync()).Config;
        Assert.Equal((7, "maintenance"), (config.QueueRateLimit.RateLimit.RequestsPerSecond, config.QueueRateLimit.Metadata.Reason));
        await ScheduleAsync(9);
        Assert.Equal(8, await PollWhileAnyAsync());
    }

    [Fact]
    public async Task Workflow_queues_have_no_limit() => await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => client.WorkflowService.UpdateTaskQueueConfigAsync(new()
    {
        Namespace = "default",
        TaskQueue = "limited",
        TaskQueueType = TaskQueueType.Workflow,
        UpdateQueueRateLimit = new() { RateLimit = new() { RequestsPerSecond = 1 } },
    }));

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task StartAsync()
    {
        server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { TimeProvider = clock, DatabaseFile = Path.Combine(folder, "state.db") });
        client = await TemporalClient.ConnectAsync(new(server.Address));
    }

    /// <summary>Brings activities into the queue, where they stay until the test polls them.</summary>
    private async Task ScheduleAsync(int count, string key = "")
    {
        var before = (await DescribeAsync()).Stats.ApproximateBacklogCount;
        await using (new RunningWorker(client, new TemporalWorkerOptions("work").AddWorkflow<FanOutWorkflow>()))
        {
            await client.StartWorkflowAsync(
                (FanOutWorkflow w) => w.RunAsync(count), new(id: "fan-out-" + Guid.NewGuid(), taskQueue: "work") { Priority = key.Length > 0 ? new Priority(fairnessKey: key) : null });
            await Wait.UntilAsync(async () => (await DescribeAsync()).Stats.ApproximateBacklogCount == before + count);
        }
    }

    private async Task<Temporalio.Api.TaskQueue.V1.TaskQueueConfig> LimitAsync(float? perSecond) => (await client.WorkflowService.UpdateTaskQueueConfigAsync(new()
    {
        Namespace = "default",
        Identity = "me",
        TaskQueue = "limited",
        TaskQueueType = TaskQueueType.Activity,
        UpdateQueueRateLimit = new() { RateLimit = perSecond is { } rate ? new() { RequestsPerSecond = rate } : null, Reason = "maintenance" },
    })).Config;

    /// <summary>How many polls after each other bring a task at once.</summary>
    private async Task<int> PollWhileAnyAsync(double? workerLimit = null)
    {
        for (var got = 0; ; got++)
        {
            var worker = Guid.NewGuid().ToString();
            var poll = await StandsOrTookAsync(worker, workerLimit);
            // A poll that got nothing waits: it ends with its worker.
            await client.WorkflowService.ShutdownWorkerAsync(
                new() { Namespace = "default", Identity = worker, WorkerInstanceKey = worker, TaskQueue = "limited", TaskQueueTypes = { TaskQueueType.Activity } });
            if ((await poll).ActivityId.Length == 0)
                return got;
        }
    }

    /// <summary>A poll that took a task, or waits for one: the server has seen it.</summary>
    private async Task<Task<PollActivityTaskQueueResponse>> StandsOrTookAsync(string worker, double? workerLimit = null)
    {
        var poll = client.WorkflowService.PollActivityTaskQueueAsync(new()
        {
            Namespace = "default",
            Identity = worker,
            WorkerInstanceKey = worker,
            TaskQueue = new() { Name = "limited" },
            TaskQueueMetadata = workerLimit is { } limit ? new() { MaxTasksPerSecond = limit } : null,
        });
        await Wait.UntilAsync(async () => poll.IsCompleted || (await DescribeAsync()).Pollers.Any(p => p.Identity == worker));
        return poll;
    }

    private Task<DescribeTaskQueueResponse> DescribeAsync() => client.WorkflowService.DescribeTaskQueueAsync(new()
    {
        Namespace = "default",
        TaskQueue = new() { Name = "limited" },
        TaskQueueType = TaskQueueType.Activity,
        ReportStats = true,
        ReportConfig = true,
    });

    [Workflow]
    public class FanOutWorkflow
    {
        [WorkflowRun]
        public async Task RunAsync(int count) => await Workflow.WhenAllAsync(Enumerable.Range(0, count).Select(_ => Workflow.ExecuteActivityAsync(
            () => StockActivities.Echo("never"), new() { TaskQueue = "limited", StartToCloseTimeout = TimeSpan.FromDays(1) })));
    }
}
