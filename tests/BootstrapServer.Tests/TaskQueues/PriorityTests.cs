using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Common;

namespace PlatformOps.BootstrapServer.Tests.TaskQueues;

public class PriorityTests(SharedServer server)
{
    private readonly string queue = "queue-" + Guid.NewGuid();

    [Fact]
    public async Task Hands_out_the_most_urgent_first_and_the_rest_as_it_came()
    {
        foreach (var (id, priority) in new[] { ("a", 5), ("b", 3), ("c", 1), ("d", 0), ("e", 1), ("f", 2) })
            await StartAsync(id, new Priority(priorityKey: priority == 0 ? null : priority));
        await Wait.UntilAsync(async () => (await DescribeAsync()).Stats.ApproximateBacklogCount == 6);
        var byPriority = (await DescribeAsync()).StatsByPriorityKey;
        Assert.Equal([1, 2, 3, 5], byPriority.Where(p => p.Value.ApproximateBacklogCount > 0).Select(p => p.Key).Order());
        Assert.Equal(2, byPriority[1].ApproximateBacklogCount);
        Assert.Equal(2, byPriority[3].ApproximateBacklogCount);
        Assert.Equal("c e f b d a", string.Join(' ', await PollAllAsync(6)));
    }

    [Fact]
    public async Task Lets_keys_take_turns_so_that_one_with_much_does_not_starve_another()
    {
        for (var i = 0; i < 6; i++)
            await StartAsync($"much{i}", new Priority(fairnessKey: "much"));
        await StartAsync("little0", new Priority(fairnessKey: "little"));
        await StartAsync("little1", new Priority(fairnessKey: "little"));
        await Wait.UntilAsync(async () => (await DescribeAsync()).Stats.ApproximateBacklogCount == 8);
        var order = await PollAllAsync(8);
        Assert.True(order.IndexOf("little0") <= 2, string.Join(' ', order));
        Assert.True(order.IndexOf("little1") <= 4, string.Join(' ', order));
        Assert.Equal(Enumerable.Range(0, 6).Select(i => $"much{i}"), order.Where(o => o.StartsWith("much", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Gives_a_key_turns_by_its_weight()
    {
        for (var i = 0; i < 6; i++)
        {
            await StartAsync($"light{i}", new Priority(fairnessKey: "light", fairnessWeight: 1));
            await StartAsync($"heavy{i}", new Priority(fairnessKey: "heavy", fairnessWeight: 3));
        }
        await Wait.UntilAsync(async () => (await DescribeAsync()).Stats.ApproximateBacklogCount == 12);
        var order = await PollAllAsync(12);
        // Of the first eight, three of four are the heavy key's.
        Assert.Equal(6, order.Take(8).Count(o => o.StartsWith("heavy", StringComparison.Ordinal)));
    }

    private Task StartAsync(string id, Priority priority) => server.Client.StartWorkflowAsync(
        (EchoWorkflow w) => w.RunAsync("never"), new(id: $"{id}:{queue}", taskQueue: queue) { Priority = priority });

    private async Task<List<string>> PollAllAsync(int count)
    {
        var order = new List<string>();
        while (order.Count < count)
        {
            var task = await server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", Identity = "test", TaskQueue = new() { Name = queue } });
            if (task.WorkflowExecution is { } run)
                order.Add(run.WorkflowId.Split(':')[0]);
        }
        return order;
    }

    private Task<DescribeTaskQueueResponse> DescribeAsync() => server.Client.WorkflowService.DescribeTaskQueueAsync(new()
    {
        Namespace = "default",
        TaskQueue = new() { Name = queue },
        TaskQueueType = TaskQueueType.Workflow,
        ReportStats = true,
    });
}
