using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Tests.TaskQueues;

public class PollerScalingTests(SharedServer server)
{
    private readonly string queue = "queue-" + Guid.NewGuid();

    [Fact]
    public async Task A_poll_that_finds_an_old_backlog_is_told_to_bring_more()
    {
        for (var i = 0; i < 3; i++)
            await StartAsync(i);
        await Wait.UntilAsync(async () => (await DescribeAsync()).Stats.ApproximateBacklogAge.ToTimeSpan() > TimeSpan.FromMilliseconds(300));
        Assert.Equal(1, (await PollAsync()).PollerScalingDecision?.PollRequestDeltaSuggestion);
    }

    [Fact]
    public async Task A_poll_that_waited_for_long_is_told_that_it_was_one_too_many()
    {
        var poll = PollAsync();
        await Wait.UntilAsync(async () => (await DescribeAsync()).Pollers.Count > 0);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await Wait.UntilAsync(() => Task.FromResult(clock.Elapsed > TimeSpan.FromSeconds(1.5)));
        await StartAsync(0);
        Assert.Equal(-1, (await poll).PollerScalingDecision?.PollRequestDeltaSuggestion);
    }

    [Fact]
    public async Task A_poll_that_is_served_at_once_is_told_nothing()
    {
        await StartAsync(0);
        Assert.Null((await PollAsync()).PollerScalingDecision);
    }

    [Fact]
    public async Task The_namespace_says_what_workers_may_count_on()
    {
        var capabilities = (await server.Client.WorkflowService.DescribeNamespaceAsync(new() { Namespace = "default" })).NamespaceInfo.Capabilities;
        Assert.True(capabilities.WorkerHeartbeats);
        Assert.True(capabilities.PollerAutoscaling);
    }

    private Task StartAsync(int number) => server.Client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("never"), new(id: $"scaling-{number}-{queue}", taskQueue: queue));

    private Task<PollWorkflowTaskQueueResponse> PollAsync() =>
        server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", Identity = "test", TaskQueue = new() { Name = queue } });

    private Task<DescribeTaskQueueResponse> DescribeAsync() => server.Client.WorkflowService.DescribeTaskQueueAsync(new()
    {
        Namespace = "default",
        TaskQueue = new() { Name = queue },
        TaskQueueType = TaskQueueType.Workflow,
        ReportStats = true,
    });
}
