using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Workers;

public class WorkerTests(SharedServer server)
{
    [Fact]
    public async Task Finishes_a_thousand_workflows_at_once()
    {
        const int many = 1000;
        await server.WithWorkerAsync(
            o => o.AddWorkflow<StepsWorkflow>().AddAllActivities(typeof(StockActivities), null),
            async queue =>
            {
                var started = await Task.WhenAll(Enumerable.Range(0, many).Select(n =>
                    server.Client.StartWorkflowAsync((StepsWorkflow w) => w.RunAsync(2), new(id: $"many-{n}-{queue}", taskQueue: queue))));
                var results = await Task.WhenAll(started.Select(h => h.GetResultAsync()));
                Assert.All(results, r => Assert.Equal(2, r));
                await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TaskQueue = '{queue}' AND ExecutionStatus = 'Completed'")).Count == many);
            },
            replay: false);
    }

    [Fact]
    public async Task Goes_on_with_another_worker_where_the_first_stopped()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((StepsWorkflow w) => w.RunAsync(30), new(id: "steps-" + queue, taskQueue: queue));
        await using (server.StartWorker(queue, o => o.AddWorkflow<StepsWorkflow>()))
        {
            // One step is done by hand, so that the workflow is in its midst when the worker stops, however fast that is.
            var step = await server.Client.WorkflowService.PollActivityTaskQueueAsync(new() { Namespace = "default", Identity = "by hand", TaskQueue = new() { Name = queue } });
            await server.Client.WorkflowService.RespondActivityTaskCompletedAsync(
                new() { Namespace = "default", TaskToken = step.TaskToken, Result = new() { Payloads_ = { Temporalio.Converters.DataConverter.Default.PayloadConverter.ToPayload("step") } } });
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Count(e => e.EventType == EventType.ActivityTaskScheduled) == 2);
        }
        Assert.Equal(WorkflowExecutionStatus.Running, (await handle.DescribeAsync()).Status);
        await using (server.StartWorker(queue, Register))
            Assert.Equal(30, await handle.GetResultAsync());
        Assert.Equal(30, (await handle.EventsAsync()).Count(e => e.EventType == EventType.ActivityTaskCompleted));
    }

    [Fact]
    public async Task Gives_an_activity_whose_worker_died_to_another()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((StepsWorkflow w) => w.RunAsync(1), new(id: "orphan-" + queue, taskQueue: queue));
        await using (server.StartWorker(queue, o => o.AddWorkflow<StepsWorkflow>()))
        {
            var taken = await server.Client.WorkflowService.PollActivityTaskQueueAsync(new() { Namespace = "default", Identity = "ghost", TaskQueue = new() { Name = queue } });
            Assert.Equal("Echo", taken.ActivityType.Name);
        }
        await using (server.StartWorker(queue, Register))
            Assert.Equal(1, await handle.GetResultAsync());
        var started = (await handle.EventsAsync()).Single(e => e.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes;
        Assert.Equal(2, started.Attempt);
        Assert.Equal(TimeoutType.Heartbeat, started.LastFailure.TimeoutFailureInfo.TimeoutType);
    }

    private static void Register(TemporalWorkerOptions o) => o.AddWorkflow<StepsWorkflow>().AddAllActivities(typeof(StockActivities), null);

    [Workflow]
    public class StepsWorkflow
    {
        [WorkflowRun]
        public async Task<int> RunAsync(int steps)
        {
            var done = 0;
            while (done < steps)
            {
                await Workflow.ExecuteActivityAsync(
                    () => StockActivities.Echo("step"), new() { StartToCloseTimeout = TimeSpan.FromSeconds(30), HeartbeatTimeout = TimeSpan.FromSeconds(2) });
                await Workflow.DelayAsync(TimeSpan.FromMilliseconds(5));
                done++;
            }
            return done;
        }
    }
}
