using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Starting;

/// <summary>When a run's first workflow task comes, and to whom.</summary>
public class FirstTaskTests(SharedServer server)
{
    [Fact]
    public async Task Comes_with_the_answer_when_the_caller_has_a_worker()
    {
        var request = Request();
        request.RequestEagerExecution = true;
        // Not with the SDK's client: it asks for the task only when its process has a worker.
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress($"http://{server.Address}");
        var started = await channel.CallAsync<StartWorkflowExecutionResponse>(RawCalls.WorkflowService, "StartWorkflowExecution", request);
        Assert.Equal(request.WorkflowId, started.EagerWorkflowTask.WorkflowExecution.WorkflowId);
        Assert.Equal(
            [EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted], started.EagerWorkflowTask.History.Events.Select(e => e.EventType));
        Assert.True(started.EagerWorkflowTask.History.Events[0].WorkflowExecutionStartedEventAttributes.EagerExecutionAccepted);
        await server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(new()
        {
            Namespace = "default",
            TaskToken = started.EagerWorkflowTask.TaskToken,
            Commands = { new Temporalio.Api.Command.V1.Command { CommandType = CommandType.CompleteWorkflowExecution, CompleteWorkflowExecutionCommandAttributes = new() } },
        });
        Assert.Equal(WorkflowExecutionStatus.Completed, (await server.Client.GetWorkflowHandle(request.WorkflowId).DescribeAsync()).Status);
    }

    [Fact]
    public async Task Comes_by_the_queue_when_it_is_delayed_although_the_caller_has_a_worker()
    {
        var request = Request();
        request.RequestEagerExecution = true;
        request.WorkflowStartDelay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200));
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress($"http://{server.Address}");
        var started = await channel.CallAsync<StartWorkflowExecutionResponse>(RawCalls.WorkflowService, "StartWorkflowExecution", request);
        Assert.Null(started.EagerWorkflowTask);
        var task = await server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", TaskQueue = request.TaskQueue });
        Assert.False(task.History.Events[0].WorkflowExecutionStartedEventAttributes.EagerExecutionAccepted);
        await server.Client.GetWorkflowHandle(request.WorkflowId).TerminateAsync();
    }

    [Fact]
    public async Task Waits_for_the_delay_over_a_signal_and_comes_at_once_with_a_cancellation()
    {
        var request = Request();
        request.WorkflowStartDelay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1));
        await server.Client.WorkflowService.StartWorkflowExecutionAsync(request);
        var handle = server.Client.GetWorkflowHandle(request.WorkflowId);
        await handle.SignalAsync("any", []);
        Assert.Equal([EventType.WorkflowExecutionStarted, EventType.WorkflowExecutionSignaled], (await handle.EventsAsync()).Select(e => e.EventType));
        await handle.CancelAsync();
        Assert.Equal(
            [EventType.WorkflowExecutionStarted, EventType.WorkflowExecutionSignaled, EventType.WorkflowExecutionCancelRequested, EventType.WorkflowTaskScheduled],
            (await handle.EventsAsync()).Select(e => e.EventType));
        await handle.TerminateAsync();
    }

    [Fact]
    public async Task A_cancellation_is_noted_once()
    {
        var request = Request();
        await server.Client.WorkflowService.StartWorkflowExecutionAsync(request);
        var cancel = new RequestCancelWorkflowExecutionRequest { Namespace = "default", WorkflowExecution = new() { WorkflowId = request.WorkflowId }, RequestId = Guid.NewGuid().ToString(), Reason = "enough" };
        await server.Client.WorkflowService.RequestCancelWorkflowExecutionAsync(cancel);
        await server.Client.WorkflowService.RequestCancelWorkflowExecutionAsync(cancel);
        cancel.RequestId = Guid.NewGuid().ToString();
        await server.Client.WorkflowService.RequestCancelWorkflowExecutionAsync(cancel);
        var handle = server.Client.GetWorkflowHandle(request.WorkflowId);
        Assert.Equal("enough", Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.WorkflowExecutionCancelRequested).WorkflowExecutionCancelRequestedEventAttributes.Cause);
        await handle.TerminateAsync();
        await server.Client.WorkflowService.RequestCancelWorkflowExecutionAsync(cancel);
    }

    [Fact]
    public async Task The_official_client_and_worker_use_it()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<EchoWorkflow>(), async queue =>
        {
            var options = new WorkflowOptions(id: "eager-" + queue, taskQueue: queue) { RequestEagerStart = true };
            var handle = await server.Client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("eager"), options);
            Assert.Equal("eager", await handle.GetResultAsync());
            Assert.True((await handle.EventsAsync())[0].WorkflowExecutionStartedEventAttributes.EagerExecutionAccepted);
        });
    }

    private static StartWorkflowExecutionRequest Request() => new()
    {
        Namespace = "default",
        WorkflowId = "first-" + Guid.NewGuid(),
        WorkflowType = new() { Name = "Any" },
        TaskQueue = new() { Name = "queue-" + Guid.NewGuid() },
        RequestId = Guid.NewGuid().ToString(),
    };
}
