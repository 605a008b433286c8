using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Activities;

public class LocalActivityTests(SharedServer server)
{
    [Fact]
    public async Task Records_the_result_as_a_marker()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<LocalWorkflow>().AddAllActivities(typeof(LocalActivities), null), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((LocalWorkflow w) => w.RunAsync(0), new(id: "local-" + queue, taskQueue: queue));
            Assert.Equal("attempt 2", await handle.GetResultAsync());
            Assert.Equal([EventType.WorkflowExecutionStarted, EventType.MarkerRecorded, EventType.WorkflowExecutionCompleted], await handle.TypesAsync());
        });
    }

    [Fact]
    public async Task Keeps_the_workflow_task_alive_while_one_takes_longer()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<LocalWorkflow>().AddAllActivities(typeof(LocalActivities), null), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (LocalWorkflow w) => w.RunAsync(2500), new(id: "local-" + queue, taskQueue: queue) { TaskTimeout = TimeSpan.FromSeconds(1) });
            Assert.Equal("attempt 2", await handle.GetResultAsync());
            var events = await handle.EventsAsync();
            Assert.False(events.Has(EventType.WorkflowTaskTimedOut));
            Assert.True(events.Count(e => e.EventType == EventType.WorkflowTaskCompleted) > 1);
        });
    }

    [Workflow]
    public class LocalWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync(int milliseconds) => Workflow.ExecuteLocalActivityAsync(() => LocalActivities.WorkAsync(milliseconds), new()
        {
            StartToCloseTimeout = TimeSpan.FromSeconds(10),
            RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(10) },
        });
    }

    public static class LocalActivities
    {
        [Activity]
        public static async Task<string> WorkAsync(int milliseconds)
        {
            var context = ActivityExecutionContext.Current;
            if (context.Info.Attempt == 1)
                throw new ApplicationFailureException("once more");
            await Task.Delay(milliseconds, context.CancellationToken);
            return $"attempt {context.Info.Attempt}";
        }
    }
}
