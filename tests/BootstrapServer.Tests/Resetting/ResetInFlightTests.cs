using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Resetting;

/// <summary>What was under way at the point to which a workflow is reset.</summary>
public class ResetInFlightTests(SharedServer server)
{
    [Fact]
    public async Task An_activity_is_handed_out_again()
    {
        var times = new ActivityTimes();
        await server.WithWorkerAsync(o => o.AddWorkflow<StepsWorkflow>().AddAllActivities(times), async queue =>
        {
            var handle = await StartAsync(queue, "activity");
            await Wait.UntilAsync(() => Task.FromResult(times.Started == 1));
            // After the first task the activity is scheduled; a signal brings a second task, to which the workflow is reset.
            await NudgeAndResetAsync(handle, completedTasks: 2);
            await Wait.UntilAsync(() => Task.FromResult(times.Started == 2));
            times.Done.SetResult();
            Assert.Equal("activity", await Latest(handle).GetResultAsync<string>());
            Assert.Single(await Latest(handle).EventsAsync(), e => e.EventType == EventType.ActivityTaskCompleted);
        });
    }

    [Fact]
    public async Task A_timer_keeps_its_deadline()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<StepsWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue, "timer");
            await NudgeAndResetAsync(handle, completedTasks: 2);
            Assert.Equal("timer", await Latest(handle).GetResultAsync<string>());
            var events = await Latest(handle).EventsAsync();
            var waited = events.Single(e => e.EventType == EventType.TimerFired).EventTime.ToDateTime() - events.Single(e => e.EventType == EventType.TimerStarted).EventTime.ToDateTime();
            Assert.InRange(waited, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1));
        });
    }

    [Theory]
    [InlineData("finish")]
    [InlineData("cancel")]
    public async Task A_child_goes_on_and_belongs_to_the_new_run(string how)
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<StepsWorkflow>().AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue, "child");
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.ChildWorkflowExecutionStarted));
            await NudgeAndResetAsync(handle, completedTasks: 3);
            var child = server.Client.GetWorkflowHandle<WaitingWorkflow>("child-" + handle.Id);
            Assert.Equal(WorkflowExecutionStatus.Running, (await child.DescribeAsync()).Status);
            Assert.Equal(child.Id, Assert.Single((await Latest(handle).RawAsync()).PendingChildren).WorkflowId);
            if (how == "finish")
                await child.SignalAsync(w => w.FinishAsync("done"));
            else
                await Latest(handle).CancelAsync();
            Assert.Equal(how == "finish" ? "done: " : "canceled", await Latest(handle).GetResultAsync<string>());
        });
    }

    [Fact]
    public async Task A_child_that_was_asked_for_and_not_started_is_not_started_twice()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<StepsWorkflow>().AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue, "child");
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.ChildWorkflowExecutionStarted));
            var child = server.Client.GetWorkflowHandle<WaitingWorkflow>("child-" + handle.Id);
            var before = (await child.DescribeAsync()).RunId;
            await NudgeAndResetAsync(handle, completedTasks: 2);
            await child.SignalAsync(w => w.FinishAsync("done"));
            Assert.Equal("done: ", await Latest(handle).GetResultAsync<string>());
            var started = Assert.Single(await Latest(handle).EventsAsync(), e => e.EventType == EventType.ChildWorkflowExecutionStarted);
            Assert.Equal(before, started.ChildWorkflowExecutionStartedEventAttributes.WorkflowExecution.RunId);
        });
    }

    private Task<WorkflowHandle<StepsWorkflow, string>> StartAsync(string queue, string step) =>
        server.Client.StartWorkflowAsync((StepsWorkflow w) => w.RunAsync(step), new("steps-" + queue, queue));

    private WorkflowHandle<StepsWorkflow> Latest(WorkflowHandle handle) => server.Client.GetWorkflowHandle<StepsWorkflow>(handle.Id);

    /// <summary>Brings one more workflow task when all before it are completed, none of which could take the signal along, and resets to the end of it.</summary>
    private static async Task NudgeAndResetAsync(WorkflowHandle<StepsWorkflow> handle, int completedTasks)
    {
        List<long> completed = [];
        await CompletedAsync(completedTasks - 1);
        await handle.SignalAsync(w => w.NudgeAsync());
        await CompletedAsync(completedTasks);
        await handle.Client.WorkflowService.ResetWorkflowExecutionAsync(new()
        {
            Namespace = handle.Client.Options.Namespace,
            WorkflowExecution = new() { WorkflowId = handle.Id },
            WorkflowTaskFinishEventId = completed[completedTasks - 1],
            RequestId = Guid.NewGuid().ToString(),
        });

        Task CompletedAsync(int count) => Wait.UntilAsync(async () =>
        {
            completed = [.. (await handle.EventsAsync()).Where(e => e.EventType == EventType.WorkflowTaskCompleted).Select(e => e.EventId)];
            return completed.Count >= count;
        });
    }

    [Workflow]
    public class StepsWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync(string step)
        {
            switch (step)
            {
                case "activity":
                    await Workflow.ExecuteActivityAsync((ActivityTimes a) => a.WorkAsync(), new() { StartToCloseTimeout = TimeSpan.FromSeconds(60) });
                    return step;
                case "timer":
                    await Workflow.DelayAsync(TimeSpan.FromSeconds(2));
                    return step;
                default:
                    try
                    {
                        return await Workflow.ExecuteChildWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new() { Id = "child-" + Workflow.Info.WorkflowId });
                    }
                    catch (Temporalio.Exceptions.ChildWorkflowFailureException)
                    {
                        return "canceled";
                    }
            }
        }

        [WorkflowSignal]
        public Task NudgeAsync() => Task.CompletedTask;
    }

    public class ActivityTimes
    {
        private int started;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Started => Volatile.Read(ref started);

        [Activity]
        public Task WorkAsync()
        {
            Interlocked.Increment(ref started);
            return Done.Task;
        }
    }
}
