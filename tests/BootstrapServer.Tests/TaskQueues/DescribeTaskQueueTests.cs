using PlatformOps.BootstrapServer.Tests.Hosting;
using PlatformOps.BootstrapServer.Tests.Visibility;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Tests.TaskQueues;

public class DescribeTaskQueueTests(SharedServer server)
{
    [Fact]
    public async Task Shows_who_polls_and_since_when()
    {
        var before = DateTime.UtcNow.AddSeconds(-1);
        await server.WithWorkerAsync(
            o =>
            {
                o.AddWorkflow<VisibilityTests.IdleWorkflow>();
                o.Identity = "poller-" + o.TaskQueue;
            },
            async queue =>
            {
                await Wait.UntilAsync(async () => (await DescribeAsync(queue)).Pollers.Count > 0);
                var poller = Assert.Single((await DescribeAsync(queue)).Pollers);
                Assert.Equal("poller-" + queue, poller.Identity);
                Assert.InRange(poller.LastAccessTime.ToDateTime(), before, DateTime.UtcNow.AddSeconds(1));
            });
    }

    [Fact]
    public async Task Shows_what_waits_in_a_queue_that_nobody_polls()
    {
        var queue = "nobody-" + Guid.NewGuid();
        for (var i = 0; i < 3; i++)
            await server.Client.StartWorkflowAsync((VisibilityTests.IdleWorkflow w) => w.RunAsync(), new(id: $"{queue}-{i}", taskQueue: queue));
        await Wait.UntilAsync(async () => (await DescribeAsync(queue)).Stats.ApproximateBacklogCount == 3);
        Assert.Empty((await DescribeAsync(queue)).Pollers);
    }

    private Task<DescribeTaskQueueResponse> DescribeAsync(string queue) => server.Client.WorkflowService.DescribeTaskQueueAsync(new()
    {
        Namespace = "default",
        TaskQueue = new() { Name = queue },
        TaskQueueType = TaskQueueType.Workflow,
        ReportStats = true,
    });
}
