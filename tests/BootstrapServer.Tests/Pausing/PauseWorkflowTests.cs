using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Pausing;

public class PauseWorkflowTests(SharedServer server)
{
    [Fact]
    public async Task A_paused_workflow_hears_nothing_until_it_goes_on()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.TimerStarted));
            await PauseAsync(handle, "hold it");
            await handle.SignalAsync(w => w.NoteAsync("while paused"));
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.TimerFired));

            var shown = await handle.RawAsync();
            Assert.Equal(Temporalio.Api.Enums.V1.WorkflowExecutionStatus.Paused, shown.WorkflowExecutionInfo.Status);
            Assert.Equal(("hold it", "tester"), (shown.WorkflowExtendedInfo.PauseInfo.Reason, shown.WorkflowExtendedInfo.PauseInfo.Identity));
            Assert.Null(shown.PendingWorkflowTask);
            Assert.Empty(shown.PendingActivities);
            await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TemporalPauseInfo = 'Workflow:{handle.Id}' AND TemporalPauseInfo = 'Reason:hold it' AND ExecutionStatus = 'Paused'")).Count == 1);
            await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => handle.StartUpdateAsync(w => w.AskAsync(), new(WorkflowUpdateStage.Accepted)));
            var rejected = await Assert.ThrowsAsync<WorkflowQueryRejectedException>(() => handle.QueryAsync(w => w.Notes()));
            Assert.Equal(WorkflowExecutionStatus.Paused, rejected.WorkflowStatus);

            await UnpauseAsync(handle);
            Assert.Equal("while paused", await handle.GetResultAsync());
            var events = await handle.EventsAsync();
            var paused = events.Single(e => e.EventType == EventType.WorkflowExecutionPaused);
            var unpaused = events.Single(e => e.EventType == EventType.WorkflowExecutionUnpaused);
            Assert.DoesNotContain(events, e => e.EventId > paused.EventId && e.EventId < unpaused.EventId && e.EventType == EventType.WorkflowTaskStarted);
            Assert.Equal(0, (await server.Client.CountWorkflowsAsync($"TemporalPauseInfo = 'Workflow:{handle.Id}'")).Count);
        });
    }

    [Fact]
    public async Task A_task_that_no_worker_has_fails_and_another_one_follows_the_pause()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await StartAsync(queue);
        await PauseAsync(handle);
        var events = await handle.EventsAsync();
        Assert.Equal([EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskFailed, EventType.WorkflowExecutionPaused], events.Select(e => e.EventType));
        Assert.Equal(WorkflowTaskFailedCause.WorkflowPauseRequestedBeforeTaskStarted, events[2].WorkflowTaskFailedEventAttributes.Cause);
        await UnpauseAsync(handle);
        await using (server.StartWorker(queue, o => o.AddWorkflow<PausableWorkflow>().AddAllActivities(typeof(StockActivities), null)))
        {
            await handle.SignalAsync(w => w.NoteAsync("after"));
            Assert.Equal("after", await handle.GetResultAsync());
        }
    }

    [Fact]
    public async Task Activities_wait_too()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((PausableWorkflow w) => w.RunAsync(true), new("pause-" + queue, queue));
        await using (server.StartWorker(queue, o => o.AddWorkflow<PausableWorkflow>()))
            await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingActivities.Count == 1);
        await PauseAsync(handle);
        await using (server.StartWorker(queue, o => o.AddWorkflow<PausableWorkflow>().AddAllActivities(typeof(StockActivities), null)))
        {
            // A second workflow on the queue shows that the worker took what there was to take.
            var other = await server.Client.StartWorkflowAsync((PausableWorkflow w) => w.RunAsync(true), new("other-" + queue, queue));
            await other.SignalAsync(w => w.NoteAsync("x"));
            await other.GetResultAsync();
            Assert.Equal(PendingActivityState.Scheduled, Assert.Single((await handle.RawAsync()).PendingActivities).State);
            await UnpauseAsync(handle);
            await handle.SignalAsync(w => w.NoteAsync("x"));
            Assert.Equal("x", await handle.GetResultAsync());
        }
    }

    [Fact]
    public async Task A_paused_workflow_can_be_terminated_and_reset()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.WorkflowTaskCompleted));
            await PauseAsync(handle);
            await server.Client.WorkflowService.ResetWorkflowExecutionAsync(new()
            {
                Namespace = server.Client.Options.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id },
                WorkflowTaskFinishEventId = 4,
                RequestId = Guid.NewGuid().ToString(),
            });
            var latest = server.Client.GetWorkflowHandle<PausableWorkflow, string>(handle.Id);
            await latest.SignalAsync(w => w.NoteAsync("new run"));
            Assert.Equal("new run", await latest.GetResultAsync());
        });
    }

    [Fact]
    public async Task Refuses_what_cannot_be_paused()
    {
        var handle = await StartAsync("nobody-" + Guid.NewGuid());
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => UnpauseAsync(handle));
        await PauseAsync(handle, requestId: "same");
        await PauseAsync(handle, requestId: "same");
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => PauseAsync(handle, requestId: "another"));
        Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.WorkflowExecutionPaused);
        await handle.TerminateAsync();
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => PauseAsync(handle));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => UnpauseAsync(handle));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => PauseAsync(server.Client.GetWorkflowHandle("no-such-workflow")));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => PauseAsync(server.Client.GetWorkflowHandle(handle.Id), new string('x', 1001)));
    }

    private Task WithWorkerAsync(Func<string, Task> test) => server.WithWorkerAsync(o => o.AddWorkflow<PausableWorkflow>(), test);

    private Task<WorkflowHandle<PausableWorkflow, string>> StartAsync(string queue) =>
        server.Client.StartWorkflowAsync((PausableWorkflow w) => w.RunAsync(false), new("pause-" + queue, queue));

    private static Task PauseAsync(WorkflowHandle handle, string reason = "", string requestId = "") => handle.Client.WorkflowService.PauseWorkflowExecutionAsync(new PauseWorkflowExecutionRequest
    {
        Namespace = handle.Client.Options.Namespace,
        WorkflowId = handle.Id,
        Identity = "tester",
        Reason = reason,
        RequestId = requestId,
    });

    private static Task UnpauseAsync(WorkflowHandle handle) => handle.Client.WorkflowService.UnpauseWorkflowExecutionAsync(new UnpauseWorkflowExecutionRequest
    {
        Namespace = handle.Client.Options.Namespace,
        WorkflowId = handle.Id,
        Identity = "tester",
    });

    [Workflow]
    public class PausableWorkflow
    {
        private readonly List<string> notes = [];

        [WorkflowRun]
        public async Task<string> RunAsync(bool activity)
        {
            if (activity)
                await Workflow.ExecuteActivityAsync(() => StockActivities.Echo("x"), new() { StartToCloseTimeout = TimeSpan.FromSeconds(30) });
            // Long enough to be paused meanwhile on a busy machine.
            await Workflow.DelayAsync(TimeSpan.FromSeconds(3));
            await Workflow.WaitConditionAsync(() => notes.Count > 0);
            return string.Join(",", notes);
        }

        [WorkflowSignal]
        public Task NoteAsync(string note)
        {
            notes.Add(note);
            return Task.CompletedTask;
        }

        [WorkflowUpdate]
        public Task<string> AskAsync() => Task.FromResult("answer");

        [WorkflowQuery]
        public string Notes() => string.Join(",", notes);
    }
}
