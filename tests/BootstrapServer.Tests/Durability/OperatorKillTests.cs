using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using PlatformOps.BootstrapServer.Tests.Pausing;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Durability;

/// <summary>What operators did to workflows is still so after a kill.</summary>
public sealed class OperatorKillTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kill-").FullName;

    [Fact]
    public async Task Resets_pauses_and_callbacks_survive_a_kill()
    {
        var port = StablePort.Next();
        string runId;
        using (var server = await StartAsync())
        {
            var client = await TemporalClient.ConnectAsync(new(server.Address));
            var reset = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("reset", "work"));
            await using (Worker(client))
            {
                await Wait.UntilAsync(async () => (await reset.EventsAsync()).Has(EventType.WorkflowTaskCompleted));
                await reset.SignalAsync(w => w.NoteAsync("kept"));
                await Wait.UntilAsync(async () => (await reset.QueryAsync(w => w.Notes())).Count == 1);
            }
            var paused = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("paused", "work"));
            await client.WorkflowService.PauseWorkflowExecutionAsync(new() { Namespace = "default", WorkflowId = paused.Id, Reason = "before the kill" });
            await client.WorkflowService.StartWorkflowExecutionAsync(new()
            {
                Namespace = "default",
                WorkflowId = "called",
                WorkflowType = new() { Name = "WaitingWorkflow" },
                TaskQueue = new() { Name = "nobody" },
                RequestId = "the-request",
                CompletionCallbacks = { CallbackReceiver.To(port, "x") },
            });
            await client.GetWorkflowHandle("called").TerminateAsync();
            runId = (await client.WorkflowService.ResetWorkflowExecutionAsync(new()
            {
                Namespace = "default",
                WorkflowExecution = new() { WorkflowId = reset.Id },
                WorkflowTaskFinishEventId = 4,
                RequestId = "the-reset",
            })).RunId;
            server.Kill();
        }

        await using var receiver = new CallbackReceiver(port: port);
        using var again = await StartAsync();
        var found = await TemporalClient.ConnectAsync(new(again.Address));
        Assert.Equal(runId, (await found.GetWorkflowHandle("reset").DescribeAsync()).RunId);
        Assert.Equal("before the kill", (await found.GetWorkflowHandle("paused").RawAsync()).WorkflowExtendedInfo.PauseInfo.Reason);
        Assert.Equal(runId, (await found.WorkflowService.ResetWorkflowExecutionAsync(new()
        {
            Namespace = "default",
            WorkflowExecution = new() { WorkflowId = "reset" },
            WorkflowTaskFinishEventId = 4,
            RequestId = "the-reset",
        })).RunId);
        await Wait.UntilAsync(async () => (await found.GetWorkflowHandle("called").RawAsync()).Callbacks is [{ State: CallbackState.Succeeded }]);
        Assert.NotEmpty(receiver.Calls);
        await using (Worker(found))
        {
            await found.GetWorkflowHandle<WaitingWorkflow>("reset").SignalAsync(w => w.FinishAsync("done"));
            Assert.Equal("done: kept", await found.GetWorkflowHandle("reset").GetResultAsync<string>());
            await found.WorkflowService.UnpauseWorkflowExecutionAsync(new() { Namespace = "default", WorkflowId = "paused" });
            await found.GetWorkflowHandle<WaitingWorkflow>("paused").SignalAsync(w => w.FinishAsync("done"));
            Assert.Equal("done: ", await found.GetWorkflowHandle("paused").GetResultAsync<string>());
        }
    }

    [Fact]
    public async Task Paused_reset_and_changed_activities_survive_a_kill()
    {
        var work = new ActivityControlTests.Work { Fails = true, FailsFor = TimeSpan.FromHours(1) };
        using (var server = await StartAsync())
        {
            var client = await TemporalClient.ConnectAsync(new(server.Address));
            await using (Worker(client, work))
            {
                foreach (var id in new[] { "paused", "let-go" })
                {
                    var handle = await client.StartWorkflowAsync((ActivityControlTests.WorkingWorkflow w) => w.RunAsync(), new(id, "work"));
                    await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingActivities is [{ Attempt: 2, State: PendingActivityState.Scheduled }]);
                }
            }
            var service = client.WorkflowService;
            foreach (var id in new[] { "paused", "let-go" })
            {
                await service.UpdateActivityOptionsAsync(new()
                {
                    Namespace = "default",
                    Execution = new() { WorkflowId = id },
                    Type = "Do",
                    ActivityOptions = new() { HeartbeatTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(7)) },
                    UpdateMask = new() { Paths = { "heartbeat_timeout" } },
                });
                await service.PauseActivityAsync(new() { Namespace = "default", Execution = new() { WorkflowId = id }, Type = "Do", Reason = "before the kill" });
                await service.ResetActivityAsync(new() { Namespace = "default", Execution = new() { WorkflowId = id }, Type = "Do", KeepPaused = true });
            }
            await service.UnpauseActivityAsync(new() { Namespace = "default", Execution = new() { WorkflowId = "let-go" }, Type = "Do" });
            server.Kill();
        }

        work.Fails = false;
        using var again = await StartAsync();
        var found = await TemporalClient.ConnectAsync(new(again.Address));
        await using (Worker(found, work))
        {
            await found.GetWorkflowHandle("let-go").GetResultAsync();
            var shown = Assert.Single((await found.GetWorkflowHandle("paused").RawAsync()).PendingActivities);
            Assert.Equal((PendingActivityState.Paused, 1, 7L), (shown.State, shown.Attempt, shown.ActivityOptions.HeartbeatTimeout.Seconds));
            Assert.Equal("before the kill", shown.PauseInfo.Manual.Reason);
            await found.WorkflowService.UnpauseActivityAsync(new() { Namespace = "default", Execution = new() { WorkflowId = "paused" }, Type = "Do" });
            await found.GetWorkflowHandle("paused").GetResultAsync();
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static RunningWorker Worker(ITemporalClient client, ActivityControlTests.Work work) =>
        new(client, new Temporalio.Worker.TemporalWorkerOptions("work").AddWorkflow<ActivityControlTests.WorkingWorkflow>().AddAllActivities(work));

    private static RunningWorker Worker(ITemporalClient client) => new(client, new Temporalio.Worker.TemporalWorkerOptions("work").AddWorkflow<WaitingWorkflow>());

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync("server", "start-dev", "--port", "0", "--db-filename", Path.Combine(folder, "state.db"));
}
