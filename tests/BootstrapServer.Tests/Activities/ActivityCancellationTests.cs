using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Activities;

public class ActivityCancellationTests(SharedServer server)
{
    [Fact]
    public Task Waits_for_the_activity_to_notice_when_asked_to() =>
        CancelAsync(ActivityCancellationType.WaitCancellationCompleted, "noticed", EventType.ActivityTaskCanceled);

    [Fact]
    public Task Goes_on_at_once_and_tells_the_activity_when_asked_to() =>
        CancelAsync(ActivityCancellationType.TryCancel, "noticed", EventType.ActivityTaskCancelRequested);

    [Fact]
    public Task Leaves_the_activity_alone_when_asked_to() =>
        CancelAsync(ActivityCancellationType.Abandon, "left alone", EventType.WorkflowExecutionCompleted);

    [Fact]
    public async Task Ends_an_activity_that_no_worker_has_at_once()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<CancellingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue, ActivityCancellationType.WaitCancellationCompleted, "nobody-" + queue);
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.ActivityTaskScheduled));
            await handle.CancelAsync();
            await handle.SignalAsync(w => w.EndAsync());
            Assert.Equal("cancelled", await handle.GetResultAsync());
            Assert.Contains(EventType.ActivityTaskCanceled, await handle.TypesAsync());
            Assert.DoesNotContain(EventType.ActivityTaskStarted, await handle.TypesAsync());
        });
    }

    private async Task CancelAsync(ActivityCancellationType type, string expected, EventType inHistory)
    {
        var activity = new PatientActivity();
        await server.WithWorkerAsync(o => HeartbeatSettings.Prompt(o).AddWorkflow<CancellingWorkflow>().AddAllActivities(activity), async queue =>
        {
            var handle = await StartAsync(queue, type, null);
            await activity.Started.Task;
            await handle.CancelAsync();
            if (expected == "noticed")
                await activity.Ended.Task; // the workflow is open for as long as the activity needs to hear of it
            await handle.SignalAsync(w => w.EndAsync());
            Assert.Equal("cancelled", await handle.GetResultAsync());
            Assert.Contains(inHistory, await handle.TypesAsync());
            if (expected == "left alone")
                activity.LetGo.SetResult();
            Assert.Equal(expected, await activity.Ended.Task);
        });
    }

    private Task<WorkflowHandle<CancellingWorkflow, string>> StartAsync(string queue, ActivityCancellationType type, string? activityQueue) =>
        server.Client.StartWorkflowAsync((CancellingWorkflow w) => w.RunAsync(type, activityQueue), new(id: "cancel-activity-" + queue, taskQueue: queue));

    [Workflow]
    public class CancellingWorkflow
    {
        private bool end;

        [WorkflowRun]
        public async Task<string> RunAsync(ActivityCancellationType type, string? queue)
        {
            try
            {
                await Workflow.ExecuteActivityAsync((PatientActivity a) => a.WorkAsync(), new()
                {
                    StartToCloseTimeout = TimeSpan.FromMinutes(1),
                    HeartbeatTimeout = TimeSpan.FromMinutes(1),
                    CancellationType = type,
                    TaskQueue = queue,
                });
                return "completed";
            }
            catch (Exception e) when (TemporalException.IsCanceledException(e))
            {
                await Workflow.WaitConditionAsync(() => end, CancellationToken.None);
                return "cancelled";
            }
        }

        [WorkflowSignal]
        public Task EndAsync()
        {
            end = true;
            return Task.CompletedTask;
        }
    }

    public class PatientActivity
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource LetGo { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<string> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        [Activity]
        public async Task WorkAsync()
        {
            var context = ActivityExecutionContext.Current;
            Started.TrySetResult();
            try
            {
                while (!LetGo.Task.IsCompleted)
                {
                    context.Heartbeat();
                    await Task.WhenAny(LetGo.Task, Task.Delay(50, context.CancellationToken));
                    context.CancellationToken.ThrowIfCancellationRequested();
                }
                Ended.TrySetResult("left alone");
            }
            catch (OperationCanceledException)
            {
                // The server also tells an activity that its workflow is gone: that is not what "left alone" means.
                Ended.TrySetResult(context.CancelReason == ActivityCancelReason.CancelRequested || LetGo.Task.IsCompleted ? "noticed" : "left alone");
                throw;
            }
        }
    }
}
