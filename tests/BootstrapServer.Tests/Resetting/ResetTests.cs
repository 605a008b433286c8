using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Resetting;

public class ResetTests(SharedServer server)
{
    [Fact]
    public async Task A_reset_workflow_goes_on_from_there_in_a_new_run()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            await handle.SignalAsync(w => w.NoteAsync("kept"));
            await UntilNotedAsync(handle, "kept");
            var point = await LastCompletedAsync(handle);
            var newRun = await ResetAsync(handle, point, "because of a test");

            var events = await Latest(handle).EventsAsync();
            var failed = events[(int)point - 1].WorkflowTaskFailedEventAttributes;
            Assert.Equal((WorkflowTaskFailedCause.ResetWorkflow, handle.ResultRunId, newRun), (failed.Cause, failed.BaseRunId, failed.NewRunId));
            Assert.Equal("because of a test", failed.Failure.Message);
            Assert.NotNull(failed.Failure.ResetWorkflowFailureInfo);
            var old = server.Client.GetWorkflowHandle(handle.Id, handle.ResultRunId);
            var end = (await old.EventsAsync())[^1].WorkflowExecutionTerminatedEventAttributes;
            Assert.Equal(("because of a test", "history-resetter"), (end.Reason, end.Identity));

            var (before, after) = (await old.RawRunAsync(), await Latest(handle).RawAsync());
            Assert.Equal(newRun, before.WorkflowExtendedInfo.ResetRunId);
            Assert.Equal(newRun, after.WorkflowExecutionInfo.Execution.RunId);
            Assert.Equal(handle.ResultRunId, after.WorkflowExecutionInfo.FirstRunId);
            Assert.Equal(before.WorkflowExecutionInfo.StartTime, after.WorkflowExtendedInfo.OriginalStartTime);
            Assert.Equal(after.WorkflowExecutionInfo.StartTime, after.WorkflowExtendedInfo.LastResetTime);
            Assert.Null(before.WorkflowExtendedInfo.LastResetTime);

            await Latest(handle).SignalAsync(w => w.FinishAsync());
            Assert.Equal("kept", await Latest(handle).GetResultAsync<string>());
        });
    }

    [Fact]
    public async Task Signals_and_updates_after_the_point_happen_again()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            var point = await FirstCompletedAsync(handle);
            await handle.SignalAsync(w => w.NoteAsync("a"));
            Assert.Equal("noted", await handle.ExecuteUpdateAsync(w => w.AddAsync("b"), new("the-update")));
            await handle.SignalAsync(w => w.NoteAsync("c"));
            await UntilNotedAsync(handle, "a,b,c");
            await ResetAsync(handle, point);

            await UntilNotedAsync(Latest(handle), "a,b,c");
            Assert.Equal("noted", await Latest(handle).GetUpdateHandle<string>("the-update").GetResultAsync());
            var events = await Latest(handle).EventsAsync();
            Assert.Equal(UpdateAdmittedEventOrigin.Reapply, Assert.Single(events, e => e.EventType == EventType.WorkflowExecutionUpdateAdmitted).WorkflowExecutionUpdateAdmittedEventAttributes.Origin);
            Assert.Null(Assert.Single(events, e => e.EventType == EventType.WorkflowExecutionUpdateAccepted).WorkflowExecutionUpdateAcceptedEventAttributes.AcceptedRequest);
            await ResetAsync(handle, point); // and once more: what history admitted is admitted again
            await UntilNotedAsync(Latest(handle), "a,b,c");
            await Latest(handle).SignalAsync(w => w.FinishAsync());
            Assert.Equal("a,b,c", await Latest(handle).GetResultAsync<string>());
        });
    }

#pragma warning disable CS0612 // The older field has to work too.
    [Theory]
    [InlineData("exclude signals", "b")]
    [InlineData("exclude updates", "a,c")]
    [InlineData("signals", "a,c")]
    [InlineData("none", "")]
    public async Task Only_what_the_caller_wants_happens_again(string what, string expected)
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            var point = await FirstCompletedAsync(handle);
            await handle.SignalAsync(w => w.NoteAsync("a"));
            await handle.ExecuteUpdateAsync(w => w.AddAsync("b"));
            await handle.SignalAsync(w => w.NoteAsync("c"));
            var request = Request(handle, point);
            switch (what)
            {
                case "exclude signals": request.ResetReapplyExcludeTypes.Add(ResetReapplyExcludeType.Signal); break;
                case "exclude updates": request.ResetReapplyExcludeTypes.Add(ResetReapplyExcludeType.Update); break;
                case "signals": request.ResetReapplyType = ResetReapplyType.Signal; break;
                default: request.ResetReapplyType = ResetReapplyType.None; break;
            }
            await server.Client.WorkflowService.ResetWorkflowExecutionAsync(request);
            await Latest(handle).SignalAsync(w => w.FinishAsync());
            Assert.Equal(expected, await Latest(handle).GetResultAsync<string>());
        });
    }
#pragma warning restore CS0612

    [Fact]
    public async Task Brings_along_signals_of_the_runs_as_which_it_continued()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            var point = await FirstCompletedAsync(handle);
            await handle.SignalAsync(w => w.NoteAsync("first run"));
            await handle.SignalAsync(w => w.HopAsync());
            await Wait.UntilAsync(async () => (await Latest(handle).RawAsync()).WorkflowExecutionInfo.Execution.RunId != handle.ResultRunId);
            await Latest(handle).SignalAsync(w => w.NoteAsync("second run"));
            var request = Request(handle, point);
            var newRun = (await server.Client.WorkflowService.ResetWorkflowExecutionAsync(request)).RunId;
            var signals = (await server.Client.GetWorkflowHandle(handle.Id, newRun).EventsAsync())
                .Where(e => e.EventType == EventType.WorkflowExecutionSignaled).Select(e => e.WorkflowExecutionSignaledEventAttributes.SignalName);
            Assert.Equal(["Note", "Hop", "Note"], signals);
            await Latest(handle).TerminateAsync();
        });
    }

    [Fact]
    public async Task A_closed_run_can_be_reset_even_while_a_later_one_is_open()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            var point = await FirstCompletedAsync(handle);
            await handle.SignalAsync(w => w.NoteAsync("once"));
            await handle.SignalAsync(w => w.FinishAsync());
            Assert.Equal("once", await handle.GetResultAsync());
            var other = await StartAsync(queue);
            var request = Request(handle, point);
            request.ResetReapplyExcludeTypes.Add(ResetReapplyExcludeType.Signal);
            await server.Client.WorkflowService.ResetWorkflowExecutionAsync(request);
            Assert.Equal(WorkflowExecutionStatus.Terminated, (await server.Client.GetWorkflowHandle(handle.Id, other.ResultRunId).DescribeAsync()).Status);
            Assert.Equal(WorkflowExecutionStatus.Completed, (await server.Client.GetWorkflowHandle(handle.Id, handle.ResultRunId).DescribeAsync()).Status);
            await Latest(handle).SignalAsync(w => w.NoteAsync("again"));
            await Latest(handle).SignalAsync(w => w.FinishAsync());
            Assert.Equal("again", await Latest(handle).GetResultAsync<string>());
        });
    }

    [Fact]
    public async Task The_same_request_resets_once()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            var request = Request(handle, await FirstCompletedAsync(handle));
            request.WorkflowExecution.RunId = "";
            var first = await server.Client.WorkflowService.ResetWorkflowExecutionAsync(request);
            Assert.Equal(first.RunId, (await server.Client.WorkflowService.ResetWorkflowExecutionAsync(request)).RunId);
            Assert.Equal(first.RunId, (await Latest(handle).RawAsync()).WorkflowExecutionInfo.Execution.RunId);
            await Latest(handle).TerminateAsync();
        });
    }

    [Fact]
    public async Task A_cancellation_is_not_repeated()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            var point = await FirstCompletedAsync(handle);
            await handle.CancelAsync();
            await Failures.OfAsync<CanceledFailureException>(handle);
            await ResetAsync(handle, point);
            Assert.False((await Latest(handle).RawAsync()).WorkflowExtendedInfo.CancelRequested);
            await Latest(handle).SignalAsync(w => w.FinishAsync());
            Assert.Equal("", await Latest(handle).GetResultAsync<string>());
        });
    }

    [Fact]
    public async Task Can_go_back_to_a_task_that_no_worker_had_and_change_options()
    {
        var handle = await StartAsync("nobody-" + Guid.NewGuid());
        var request = Request(handle, 3);
        request.WorkflowExecution.RunId = "";
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => server.Client.WorkflowService.ResetWorkflowExecutionAsync(request));
        // Event 3 does not exist before a worker came: the last event is the scheduled one.
        await using (server.StartWorker((await handle.DescribeAsync()).TaskQueue!, o => o.AddWorkflow<NotingWorkflow>()))
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.WorkflowTaskCompleted));
        request.PostResetOperations.Add(new Temporalio.Api.Workflow.V1.PostResetOperation
        {
            UpdateWorkflowOptions = new() { WorkflowExecutionOptions = new() { Priority = new() { PriorityKey = 2 } }, UpdateMask = new() { Paths = { "priority" } } },
        });
        await server.Client.WorkflowService.ResetWorkflowExecutionAsync(request);
        var events = await Latest(handle).EventsAsync();
        Assert.Equal(
            [EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted, EventType.WorkflowTaskFailed, EventType.WorkflowExecutionOptionsUpdated, EventType.WorkflowTaskScheduled],
            events.Select(e => e.EventType));
        Assert.Equal(2, (await Latest(handle).RawAsync()).WorkflowExecutionInfo.Priority.PriorityKey);
        await Latest(handle).TerminateAsync();
    }

    [Fact]
    public async Task Refuses_what_cannot_be_a_reset()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await StartAsync(queue);
            var point = await FirstCompletedAsync(handle);
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.RequestId = "");
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.WorkflowExecution = null);
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.WorkflowExecution.WorkflowId = "");
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.WorkflowExecution.RunId = "no run id");
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.WorkflowTaskFinishEventId = 1);
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.WorkflowTaskFinishEventId = 2);
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.WorkflowTaskFinishEventId = point + 1);
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.WorkflowTaskFinishEventId = 1000);
            await RefusedAsync(RpcException.StatusCode.InvalidArgument, r => r.PostResetOperations.Add(new Temporalio.Api.Workflow.V1.PostResetOperation { SignalWorkflow = new() { SignalName = "Note" } }));
            await RefusedAsync(RpcException.StatusCode.NotFound, r => r.WorkflowExecution.RunId = Guid.NewGuid().ToString());
            await RefusedAsync(RpcException.StatusCode.NotFound, r => r.WorkflowExecution = new() { WorkflowId = "nobody-" + queue });
            await RefusedAsync(RpcException.StatusCode.NotFound, r => r.Namespace = "no-such-namespace");
            Assert.Equal(WorkflowExecutionStatus.Running, (await handle.DescribeAsync()).Status);
            await handle.TerminateAsync();

            Task RefusedAsync(RpcException.StatusCode code, Action<ResetWorkflowExecutionRequest> spoil)
            {
                var request = Request(handle, point);
                spoil(request);
                return Failures.RefusedAsync(code, () => server.Client.WorkflowService.ResetWorkflowExecutionAsync(request));
            }
        });
    }

    private Task WithWorkerAsync(Func<string, Task> test) => server.WithWorkerAsync(o => o.AddWorkflow<NotingWorkflow>(), test);

    private Task<WorkflowHandle<NotingWorkflow, string>> StartAsync(string queue) =>
        server.Client.StartWorkflowAsync((NotingWorkflow w) => w.RunAsync(), new("reset-" + queue, queue));

    private WorkflowHandle<NotingWorkflow> Latest(WorkflowHandle handle) => server.Client.GetWorkflowHandle<NotingWorkflow>(handle.Id);

    private static Task UntilNotedAsync(WorkflowHandle<NotingWorkflow> handle, string notes) =>
        Wait.UntilAsync(async () => await handle.QueryAsync(w => w.Notes()) == notes);

    private static async Task<long> FirstCompletedAsync(WorkflowHandle handle)
    {
        HistoryEvent? found = null;
        await Wait.UntilAsync(async () => (found = (await handle.EventsAsync()).FirstOrDefault(e => e.EventType == EventType.WorkflowTaskCompleted)) is not null);
        return found!.EventId;
    }

    private static async Task<long> LastCompletedAsync(WorkflowHandle handle) =>
        (await handle.EventsAsync()).Last(e => e.EventType == EventType.WorkflowTaskCompleted).EventId;

    private static ResetWorkflowExecutionRequest Request(WorkflowHandle handle, long point) => new()
    {
        Namespace = handle.Client.Options.Namespace,
        WorkflowExecution = new() { WorkflowId = handle.Id, RunId = handle.ResultRunId },
        WorkflowTaskFinishEventId = point,
        RequestId = Guid.NewGuid().ToString(),
        Reason = "test",
    };

    private async Task<string> ResetAsync(WorkflowHandle handle, long point, string reason = "test")
    {
        var request = Request(handle, point);
        request.WorkflowExecution.RunId = "";
        request.Reason = reason;
        return (await server.Client.WorkflowService.ResetWorkflowExecutionAsync(request)).RunId;
    }

    [Workflow]
    public class NotingWorkflow
    {
        private readonly List<string> notes = [];
        private bool finish;
        private bool hop;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.WaitConditionAsync(() => finish || hop);
            return hop ? throw Workflow.CreateContinueAsNewException((NotingWorkflow w) => w.RunAsync()) : string.Join(",", notes);
        }

        [WorkflowSignal]
        public Task NoteAsync(string note)
        {
            notes.Add(note);
            return Task.CompletedTask;
        }

        [WorkflowSignal]
        public Task FinishAsync()
        {
            finish = true;
            return Task.CompletedTask;
        }

        [WorkflowSignal]
        public Task HopAsync()
        {
            hop = true;
            return Task.CompletedTask;
        }

        [WorkflowUpdate]
        public Task<string> AddAsync(string note)
        {
            notes.Add(note);
            return Task.FromResult("noted");
        }

        [WorkflowQuery]
        public string Notes() => string.Join(",", notes);
    }
}
