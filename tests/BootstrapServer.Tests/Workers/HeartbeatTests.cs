using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Worker.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Workers;

public class HeartbeatTests(SharedServer server)
{
    private readonly string queue = "queue-" + Guid.NewGuid();

    [Fact]
    public async Task Lists_counts_and_describes_workers_as_they_report_themselves()
    {
        await RecordAsync("one", "1.0", WorkerStatus.Running);
        await RecordAsync("two", "2.0", WorkerStatus.Running);
        Assert.Equal(["one", "two"], await FoundAsync($"TaskQueue = '{queue}'"));
        Assert.Equal(["two"], await FoundAsync($"TaskQueue = '{queue}' AND SdkVersion != '1.0'"));
        Assert.Equal(["one"], await FoundAsync($"TaskQueue = '{queue}' AND WorkerIdentity STARTS_WITH 'on' AND StartTime < '{DateTime.UtcNow.AddMinutes(1):O}'"));
        Assert.Equal(2, (await server.Client.WorkflowService.CountWorkersAsync(new() { Namespace = "default", Query = $"TaskQueue = '{queue}'" })).Count);
        var described = await server.Client.WorkflowService.DescribeWorkerAsync(new() { Namespace = "default", WorkerInstanceKey = "one" + queue });
        Assert.Equal("one", described.WorkerInfo.WorkerHeartbeat.WorkerIdentity);
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => server.Client.WorkflowService.DescribeWorkerAsync(new() { Namespace = "default", WorkerInstanceKey = "nobody" }));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => FoundAsync("Colour = 'red'"));
    }

    [Fact]
    public async Task A_goodbye_ends_the_workers_waiting_polls_and_leaves_its_last_words()
    {
        var (leaving, staying) = (PollAsync("leaving"), PollAsync("staying"));
        await Wait.UntilAsync(async () => (await server.Client.WorkflowService.DescribeTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = queue } })).Pollers.Count == 2);
        await server.Client.WorkflowService.ShutdownWorkerAsync(new()
        {
            Namespace = "default",
            Identity = "leaving",
            WorkerInstanceKey = "leaving" + queue,
            TaskQueue = queue,
            TaskQueueTypes = { TaskQueueType.Workflow },
            WorkerHeartbeat = Heartbeat("leaving", "1.0", WorkerStatus.Shutdown),
        });
        Assert.True((await leaving).TaskToken.IsEmpty);
        Assert.True((await PollAsync("leaving")).TaskToken.IsEmpty);
        Assert.False(staying.IsCompleted);
        Assert.Equal(["leaving"], await FoundAsync($"TaskQueue = '{queue}' AND WorkerStatus = 'Shutdown'"));
        await server.Client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new(id: "goodbye-" + queue, taskQueue: queue));
        Assert.Equal("goodbye-" + queue, (await staying).WorkflowExecution.WorkflowId);
    }

    [Fact]
    public async Task A_worker_that_stops_does_not_wait_for_its_polls_to_run_out()
    {
        System.Diagnostics.Stopwatch watch;
        await using (server.StartWorker(queue, o => o.AddWorkflow<EchoWorkflow>()))
        {
            await Wait.UntilAsync(async () => (await server.Client.WorkflowService.DescribeTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = queue } })).Pollers.Count > 0);
            watch = System.Diagnostics.Stopwatch.StartNew();
        }
        // Its polls run for a minute.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(55), $"It took {watch.Elapsed}.");
    }

    private async Task<IReadOnlyList<string>> FoundAsync(string query) =>
        [.. (await server.Client.WorkflowService.ListWorkersAsync(new() { Namespace = "default", Query = query })).Workers.Select(w => w.WorkerIdentity).Order()];

    private Task RecordAsync(string name, string sdk, WorkerStatus status) => server.Client.WorkflowService.RecordWorkerHeartbeatAsync(new()
    {
        Namespace = "default",
        Identity = name,
        WorkerHeartbeat = { Heartbeat(name, sdk, status) },
    });

    private WorkerHeartbeat Heartbeat(string name, string sdk, WorkerStatus status) => new()
    {
        WorkerInstanceKey = name + queue,
        WorkerIdentity = name,
        TaskQueue = queue,
        SdkName = "temporal-dotnet",
        SdkVersion = sdk,
        Status = status,
        StartTime = Timestamp.FromDateTime(DateTime.UtcNow),
        HeartbeatTime = Timestamp.FromDateTime(DateTime.UtcNow),
    };

    private Task<PollWorkflowTaskQueueResponse> PollAsync(string name) => server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new()
    {
        Namespace = "default",
        Identity = name,
        WorkerInstanceKey = name + queue,
        TaskQueue = new() { Name = queue },
    });
}
