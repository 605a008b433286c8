using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Histories;

public class HistoryTests(SharedServer server)
{
    [Fact]
    public async Task Waits_for_the_next_event()
    {
        var handle = await StartIdleAsync();
        var first = await ReadAsync(handle.Id, wait: true);
        Assert.Equal([EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled], first.History.Events.Select(e => e.EventType));
        var next = ReadAsync(handle.Id, wait: true, token: first.NextPageToken);
        await handle.SignalAsync(w => w.NoteAsync("x"));
        Assert.Equal([EventType.WorkflowExecutionSignaled], (await next).History.Events.Select(e => e.EventType));
        await handle.TerminateAsync();
        var last = await ReadAsync(handle.Id, wait: true, token: (await next).NextPageToken);
        Assert.Equal(EventType.WorkflowExecutionTerminated, Assert.Single(last.History.Events).EventType);
        Assert.True(last.NextPageToken.IsEmpty);
    }

    [Fact]
    public async Task Waits_for_the_closing_event_alone()
    {
        var handle = await StartIdleAsync();
        var waiting = ReadAsync(handle.Id, wait: true, filter: HistoryEventFilterType.CloseEvent);
        await handle.SignalAsync(w => w.NoteAsync("x"));
        Assert.False(waiting.IsCompleted);
        await handle.TerminateAsync();
        Assert.Equal(EventType.WorkflowExecutionTerminated, Assert.Single((await waiting).History.Events).EventType);
    }

    [Fact]
    public async Task Pages_forwards_and_backwards()
    {
        var handle = await StartIdleAsync();
        for (var i = 0; i < 9; i++)
            await handle.SignalAsync(w => w.NoteAsync("x"));
        var forwards = new List<long>();
        for (var token = Google.Protobuf.ByteString.Empty; ;)
        {
            var page = await ReadAsync(handle.Id, token: token, size: 4);
            forwards.AddRange(page.History.Events.Select(e => e.EventId));
            if ((token = page.NextPageToken).IsEmpty)
                break;
        }
        var backwards = new List<long>();
        for (var token = Google.Protobuf.ByteString.Empty; ;)
        {
            var page = await server.Client.WorkflowService.GetWorkflowExecutionHistoryReverseAsync(new()
            {
                Namespace = "default",
                Execution = new() { WorkflowId = handle.Id },
                NextPageToken = token,
                MaximumPageSize = 4,
            });
            backwards.AddRange(page.History.Events.Select(e => e.EventId));
            if ((token = page.NextPageToken).IsEmpty)
                break;
        }
        Assert.Equal(Enumerable.Range(1, 11).Select(n => (long)n), forwards);
        Assert.Equal(forwards.AsEnumerable().Reverse(), backwards);
        await handle.TerminateAsync();
    }

    [Fact]
    public async Task Has_the_events_of_the_real_server_in_their_order()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<EchoWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new(id: "order-" + queue, taskQueue: queue));
            await handle.GetResultAsync();
            Assert.Equal(
                [EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted, EventType.WorkflowTaskCompleted, EventType.WorkflowExecutionCompleted],
                (await handle.EventsAsync()).Select(e => e.EventType));
        });
    }

    private Task<WorkflowHandle<WaitingWorkflow, string>> StartIdleAsync() => server.Client.StartWorkflowAsync(
        (WaitingWorkflow w) => w.RunAsync(), new(id: "history-" + Guid.NewGuid(), taskQueue: "nobody-" + Guid.NewGuid()));

    private Task<GetWorkflowExecutionHistoryResponse> ReadAsync(
        string id, bool wait = false, Google.Protobuf.ByteString? token = null, int size = 0, HistoryEventFilterType filter = HistoryEventFilterType.AllEvent) =>
        server.Client.WorkflowService.GetWorkflowExecutionHistoryAsync(new()
        {
            Namespace = "default",
            Execution = new() { WorkflowId = id },
            WaitNewEvent = wait,
            NextPageToken = token ?? Google.Protobuf.ByteString.Empty,
            MaximumPageSize = size,
            HistoryEventFilterType = filter,
        });
}
