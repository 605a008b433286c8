using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Workflows;
using WorkflowExecution = Temporalio.Api.Common.V1.WorkflowExecution;

namespace PlatformOps.BootstrapServer.Tests.Messages;

/// <summary>Links that callers send are in the events they cause; links that answers carry lead to these events.</summary>
public class LinkTests(SharedServer server)
{
    private readonly Link link = new() { BatchJob = new() { JobId = "job" } };

    [Fact]
    public async Task Events_keep_the_links_of_the_calls_that_caused_them()
    {
        var (service, ns) = (server.Client.WorkflowService, server.Client.Options.Namespace);
        var id = "linked-" + Guid.NewGuid();
        var execution = new WorkflowExecution { WorkflowId = id };
        await service.StartWorkflowExecutionAsync(new()
        {
            Namespace = ns,
            WorkflowId = id,
            WorkflowType = new() { Name = "LinkedWorkflow" },
            TaskQueue = new() { Name = "nobody-" + id },
            RequestId = "start",
            Links = { link },
        });
        await service.SignalWorkflowExecutionAsync(new() { Namespace = ns, WorkflowExecution = execution, SignalName = "x", RequestId = "signal", Links = { link } });
        await service.RequestCancelWorkflowExecutionAsync(new() { Namespace = ns, WorkflowExecution = execution, RequestId = "cancel", Links = { link } });
        await service.TerminateWorkflowExecutionAsync(new() { Namespace = ns, WorkflowExecution = execution, Links = { link } });
        var linked = (await server.Client.GetWorkflowHandle(id).EventsAsync()).Where(e => e.Links.Count > 0).ToList();
        Assert.Equal(
            [EventType.WorkflowExecutionStarted, EventType.WorkflowExecutionSignaled, EventType.WorkflowExecutionCancelRequested, EventType.WorkflowExecutionTerminated],
            linked.Select(e => e.EventType));
        Assert.All(linked, e => Assert.Equal(link, Assert.Single(e.Links)));
    }

    [Fact]
    public async Task Answers_lead_to_the_events_that_their_calls_caused()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<LinkedWorkflow>(), async queue =>
        {
            var (service, ns) = (server.Client.WorkflowService, server.Client.Options.Namespace);
            var handle = await server.Client.StartWorkflowAsync((LinkedWorkflow w) => w.RunAsync(), new("linked-" + queue, queue));
            var execution = new WorkflowExecution { WorkflowId = handle.Id };
            var signalled = await service.SignalWorkflowExecutionAsync(new() { Namespace = ns, WorkflowExecution = execution, SignalName = "Heard", RequestId = "signal" });
            var updated = await service.UpdateWorkflowExecutionAsync(new()
            {
                Namespace = ns,
                WorkflowExecution = execution,
                WaitPolicy = new() { LifecycleStage = UpdateWorkflowExecutionLifecycleStage.Completed },
                Request = new() { Meta = new() { UpdateId = "the-update" }, Input = new() { Name = "Set" }, RequestId = "update" },
            });
            Assert.Equal("signal", (await FollowAsync(handle, signalled.Link)).WorkflowExecutionSignaledEventAttributes.RequestId);
            Assert.Equal("the-update", (await FollowAsync(handle, updated.Link)).WorkflowExecutionUpdateAcceptedEventAttributes.ProtocolInstanceId);
            await handle.TerminateAsync();
        });
    }

    /// <summary>As a client does: the link names a request, the description says which event it caused.</summary>
    private static async Task<HistoryEvent> FollowAsync(WorkflowHandle handle, Link link)
    {
        var reference = link.WorkflowEvent.RequestIdRef;
        Assert.Equal(handle.Id, link.WorkflowEvent.WorkflowId);
        var caused = (await handle.RawAsync()).WorkflowExtendedInfo.RequestIdInfos[reference.RequestId];
        Assert.Equal(reference.EventType, caused.EventType);
        var item = (await handle.EventsAsync()).Single(e => e.EventId == caused.EventId);
        Assert.Equal(reference.EventType, item.EventType);
        return item;
    }

    [Workflow]
    public class LinkedWorkflow
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.WaitConditionAsync(() => false);

        [WorkflowSignal]
        public Task HeardAsync() => Task.CompletedTask;

        [WorkflowUpdate]
        public Task SetAsync() => Task.CompletedTask;
    }
}
