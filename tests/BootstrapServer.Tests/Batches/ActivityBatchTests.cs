using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using PlatformOps.BootstrapServer.Tests.Pausing;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Batches;

public class ActivityBatchTests(SharedServer server)
{
    [Fact]
    public async Task Changes_resets_and_lets_go_the_activities_of_every_workflow_that_its_query_selects()
    {
        var client = await BatchTests.NamespaceAsync(server);
        var work = new ActivityControlTests.Work { Fails = true, FailsFor = TimeSpan.FromHours(1) };
        await using var worker = new RunningWorker(client, new TemporalWorkerOptions("work").AddWorkflow<ActivityControlTests.WorkingWorkflow>().AddAllActivities(work));
        var busy = new List<WorkflowHandle>();
        for (var i = 0; i < 2; i++)
            busy.Add(await client.StartWorkflowAsync((ActivityControlTests.WorkingWorkflow w) => w.RunAsync(), new($"busy-{i}", "work")));
        await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("idle", "nobody"));
        foreach (var handle in busy)
            await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingActivities is [{ Attempt: 2, State: PendingActivityState.Scheduled }]);
        await BatchTests.ListedAsync(client, "", 3);
        foreach (var handle in busy)
        {
            await client.WorkflowService.PauseActivityExecutionAsync(
                new() { Namespace = client.Options.Namespace, WorkflowId = handle.Id, ActivityId = (await PendingAsync(handle)).ActivityId });
        }

        await AllAsync(new()
        {
            UpdateActivityOptionsOperation = new()
            {
                Type = "Do",
                ActivityOptions = new() { HeartbeatTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(7)) },
                UpdateMask = new() { Paths = { "heartbeat_timeout" } },
            },
        });
        foreach (var handle in busy)
        {
            var changed = await PendingAsync(handle);
            Assert.Equal((7L, 2, PendingActivityState.Paused), (changed.ActivityOptions.HeartbeatTimeout.Seconds, changed.Attempt, changed.State));
        }
        await AllAsync(new() { UpdateActivityOptionsOperation = new() { MatchAll = true, RestoreOriginal = true } });
        await AllAsync(new() { ResetActivitiesOperation = new() { MatchAll = true, KeepPaused = true } });
        foreach (var handle in busy)
        {
            var reset = await PendingAsync(handle);
            Assert.Equal((50L, 1, PendingActivityState.Paused), (reset.ActivityOptions.HeartbeatTimeout.Seconds, reset.Attempt, reset.State));
        }
        work.Fails = false;
        var done = await AllAsync(new() { UnpauseActivitiesOperation = new() { Type = "Do", Identity = "an operator" } });
        Assert.Equal((BatchOperationType.UnpauseActivity, "an operator"), (done.OperationType, done.Identity));
        foreach (var handle in busy)
            await handle.GetResultAsync();

        async Task<DescribeBatchOperationResponse> AllAsync(StartBatchOperationRequest batch)
        {
            batch.VisibilityQuery = "ExecutionStatus = 'Running'";
            var described = await BatchTests.RunAsync(client, batch);
            Assert.Equal((3, 3, 0), (described.TotalOperationCount, described.CompleteOperationCount, described.FailureOperationCount));
            return described;
        }
    }

    private static async Task<PendingActivityInfo> PendingAsync(WorkflowHandle handle) => Assert.Single((await handle.RawAsync()).PendingActivities);
}
