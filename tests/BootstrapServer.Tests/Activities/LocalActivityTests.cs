using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Activities;

public class LocalActivityTests(SharedServer server)
{
    [Fact]
    public async Task Records_the_result_as_a_marker()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<LocalWorkflow>().AddAllActivities(typeof(LocalActivities), null), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((LocalWorkflow w) => w.RunAsync(), new(id: "local-" + queue, taskQueue: queue));
            Assert.Equal("attempt 2", await handle.GetResultAsync());
            Assert.Equal([EventType.WorkflowExecutionStarted, EventType.MarkerRecorded, EventType.WorkflowExecutionCompleted], await handle.TypesAsync());
        });
    }

    [Fact]
    public async Task Keeps_the_workflow_task_alive_while_one_takes_longer()
    {
        // The worker asks for more time after four fifths of what it has; by a clock that the test moves it never asks too late.
        var (clock, activity) = (new FakeTimeProvider(DateTimeOffset.UtcNow), new LongLocalActivity());
        await using var own = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { TimeProvider = clock });
        var client = await TemporalClient.ConnectAsync(new(own.Address));
        await using var worker = new RunningWorker(client, new TemporalWorkerOptions("local").AddWorkflow<LongLocalWorkflow>().AddAllActivities(activity));
        var handle = await client.StartWorkflowAsync((LongLocalWorkflow w) => w.RunAsync(), new(id: "local", taskQueue: "local") { TaskTimeout = TimeSpan.FromSeconds(1) });
        for (var round = 0; round < 3; round++)
        {
            var completed = await CompletedTasksAsync();
            await Wait.UntilAsync(async () => await CompletedTasksAsync() > completed); // the task that the worker has now began now
            clock.Advance(TimeSpan.FromMilliseconds(900));
        }
        activity.LetGo.SetResult();
        Assert.Equal("let go", await handle.GetResultAsync());
        Assert.False((await handle.EventsAsync()).Has(EventType.WorkflowTaskTimedOut));

        async Task<int> CompletedTasksAsync() => (await handle.EventsAsync()).Count(e => e.EventType == EventType.WorkflowTaskCompleted);
    }

    [Workflow]
    public class LocalWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteLocalActivityAsync(() => LocalActivities.Work(), new()
        {
            StartToCloseTimeout = TimeSpan.FromSeconds(10),
            RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(10) },
        });
    }

    public static class LocalActivities
    {
        [Activity]
        public static string Work()
        {
            var attempt = ActivityExecutionContext.Current.Info.Attempt;
            return attempt == 1 ? throw new ApplicationFailureException("once more") : $"attempt {attempt}";
        }
    }

    [Workflow]
    public class LongLocalWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteLocalActivityAsync((LongLocalActivity a) => a.WorkAsync(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(5) });
    }

    public class LongLocalActivity
    {
        public TaskCompletionSource LetGo { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        [Activity]
        public async Task<string> WorkAsync()
        {
            await LetGo.Task;
            return "let go";
        }
    }
}
