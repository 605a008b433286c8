using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Closing;

public class CallbackTests(SharedServer server)
{
    [Fact]
    public async Task Calls_when_the_chain_ends_and_tries_again_when_it_does_not_arrive()
    {
        await using var receiver = new CallbackReceiver(failures: 1);
        await server.WithWorkerAsync(o => o.AddWorkflow<CalledWorkflow>(), async queue =>
        {
            var (handle, first) = await StartAsync(queue, receiver.Callback("start"));
            await Wait.UntilAsync(async () => (await handle.RawAsync()).Callbacks is [{ State: CallbackState.Standby }]);
            await handle.SignalAsync("Hop", []); // the next run takes the callback over
            await Wait.UntilAsync(async () => (await handle.RawAsync()).WorkflowExecutionInfo.Execution.RunId != first.RunId);
            await handle.SignalAsync("Finish", ["the result"]);
            await Wait.UntilAsync(async () => (await handle.RawAsync()).Callbacks is [{ State: CallbackState.Succeeded, Attempt: 2 }]);
            Assert.Equal(2, receiver.Calls.Count);
            var call = receiver.Calls[1];
            Assert.Equal(("succeeded", "\"the result\"", "application/json", "start"), (call.Headers["Nexus-Operation-State"], call.Body, call.Headers["Content-Type"], call.Headers["my-header"]));
            Assert.Contains(handle.Id, call.Headers["Nexus-Link"], StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("fail", "failed", "told to")]
    [InlineData("terminate", "failed", "operation terminated")]
    [InlineData("cancel", "canceled", "operation canceled")]
    public async Task Says_how_it_ended(string how, string state, string message)
    {
        await using var receiver = new CallbackReceiver();
        await server.WithWorkerAsync(o => o.AddWorkflow<CalledWorkflow>(), async queue =>
        {
            var (handle, _) = await StartAsync(queue, receiver.Callback("start"));
            if (how == "fail")
                await handle.SignalAsync("Finish", ["fail"]);
            else if (how == "terminate")
                await handle.TerminateAsync();
            else
                await handle.CancelAsync();
            await Wait.UntilAsync(() => Task.FromResult(receiver.Calls.Count == 1));
            Assert.Equal(state, receiver.Calls[0].Headers["Nexus-Operation-State"]);
            var failure = System.Text.Json.Nodes.JsonNode.Parse(receiver.Calls[0].Body)!;
            Assert.Equal((message, "temporal.api.failure.v1.Failure"), ((string?)failure["message"], (string?)failure["metadata"]!["type"]));
        });
    }

    [Fact]
    public async Task Gives_up_when_it_is_refused_for_good()
    {
        await using var receiver = new CallbackReceiver(failures: 1, status: 404);
        var (handle, _) = await StartAsync("nobody-" + Guid.NewGuid(), receiver.Callback("start"));
        await handle.TerminateAsync();
        await Wait.UntilAsync(async () => (await handle.RawAsync()).Callbacks is [{ State: CallbackState.Failed, Attempt: 1, LastAttemptFailure: not null }]);
    }

    [Fact]
    public async Task Can_be_attached_to_an_open_workflow_and_is_found_by_request_id()
    {
        await using var receiver = new CallbackReceiver();
        var queue = "nobody-" + Guid.NewGuid();
        var (handle, first) = await StartAsync(queue, receiver.Callback("first"));
        var request = Request(queue, receiver.Callback("second"));
        request.WorkflowIdConflictPolicy = WorkflowIdConflictPolicy.UseExisting;
        request.OnConflictOptions = new() { AttachRequestId = true, AttachCompletionCallbacks = true, AttachLinks = true };
        request.Links.Add(new Link { BatchJob = new() { JobId = "job" } });
        var response = await server.Client.WorkflowService.StartWorkflowExecutionAsync(request);
        Assert.Equal((false, first.RunId), (response.Started, response.RunId));
        Assert.Equal((request.RequestId, EventType.WorkflowExecutionOptionsUpdated), (response.Link.WorkflowEvent.RequestIdRef.RequestId, response.Link.WorkflowEvent.RequestIdRef.EventType));
        await server.Client.WorkflowService.StartWorkflowExecutionAsync(request); // heard twice, attached once

        var shown = await handle.RawAsync();
        Assert.Equal(2, shown.Callbacks.Count);
        Assert.Equal(EventType.WorkflowExecutionStarted, shown.WorkflowExtendedInfo.RequestIdInfos[first.RequestId].EventType);
        var attached = shown.WorkflowExtendedInfo.RequestIdInfos[request.RequestId];
        var item = (await handle.EventsAsync()).Single(e => e.EventId == attached.EventId);
        Assert.Equal(request.RequestId, item.WorkflowExecutionOptionsUpdatedEventAttributes.AttachedRequestId);
        Assert.Equal("job", Assert.Single(item.Links).BatchJob.JobId);
        await handle.TerminateAsync();
        await Wait.UntilAsync(() => Task.FromResult(receiver.Calls.Count == 2));
        Assert.Equal(["first", "second"], receiver.Calls.Select(c => c.Headers["my-header"]).Order());
    }

    [Fact]
    public async Task A_reset_takes_callbacks_along_and_calls_nobody()
    {
        await using var receiver = new CallbackReceiver();
        await server.WithWorkerAsync(o => o.AddWorkflow<CalledWorkflow>(), async queue =>
        {
            var (handle, _) = await StartAsync(queue, receiver.Callback("start"));
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.WorkflowTaskCompleted));
            await server.Client.WorkflowService.ResetWorkflowExecutionAsync(new()
            {
                Namespace = server.Client.Options.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id },
                WorkflowTaskFinishEventId = 4,
                RequestId = Guid.NewGuid().ToString(),
            });
            await handle.SignalAsync("Finish", ["after the reset"]);
            await Wait.UntilAsync(async () => (await handle.RawAsync()).Callbacks is [{ State: CallbackState.Succeeded }]);
            Assert.Equal("\"after the reset\"", Assert.Single(receiver.Calls).Body);
        });
    }

    [Fact]
    public async Task Refuses_callbacks_that_cannot_be()
    {
        var queue = "nobody-" + Guid.NewGuid();
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, new Callback { Nexus = new() { Url = "ftp://somewhere/" } });
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, new Callback { Nexus = new() { Url = "http://somewhere/" + new string('x', 1000) } });
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, new Callback { Nexus = new() { Url = "http://somewhere/", Header = { ["a"] = new string('x', 9000) } } });
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, [.. Enumerable.Range(0, 33).Select(_ => new Callback { Nexus = new() { Url = "http://somewhere/" } })]);

        Task RefusedAsync(RpcException.StatusCode code, params Callback[] callbacks) =>
            Failures.RefusedAsync(code, () => server.Client.WorkflowService.StartWorkflowExecutionAsync(Request(queue, callbacks)));
    }

    private async Task<(WorkflowHandle Handle, (string RunId, string RequestId) Start)> StartAsync(string queue, Callback callback)
    {
        var request = Request(queue, callback);
        var response = await server.Client.WorkflowService.StartWorkflowExecutionAsync(request);
        return (server.Client.GetWorkflowHandle(request.WorkflowId), (response.RunId, request.RequestId));
    }

    private StartWorkflowExecutionRequest Request(string queue, params Callback[] callbacks) => new()
    {
        Namespace = server.Client.Options.Namespace,
        WorkflowId = "called-" + queue,
        WorkflowType = new() { Name = "CalledWorkflow" },
        TaskQueue = new() { Name = queue },
        RequestId = Guid.NewGuid().ToString(),
        CompletionCallbacks = { callbacks },
    };

    [Workflow]
    public class CalledWorkflow
    {
        private string? end;
        private bool hop;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.WaitConditionAsync(() => end is not null || hop);
            if (hop)
                throw Workflow.CreateContinueAsNewException((CalledWorkflow w) => w.RunAsync());
            return end == "fail" ? throw new ApplicationFailureException("told to") : end!;
        }

        [WorkflowSignal]
        public Task FinishAsync(string how)
        {
            end = how;
            return Task.CompletedTask;
        }

        [WorkflowSignal]
        public Task HopAsync()
        {
            hop = true;
            return Task.CompletedTask;
        }
    }
}
