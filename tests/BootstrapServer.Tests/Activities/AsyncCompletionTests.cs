using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Activities;

public class AsyncCompletionTests(SharedServer server)
{
    [Fact]
    public Task Completes_by_token() => WithStartedAsync(async (handle, token) =>
    {
        await server.Client.GetAsyncActivityHandle(token).CompleteAsync("by token");
        Assert.Equal("by token", await handle.GetResultAsync());
    });

    [Fact]
    public Task Completes_by_id_after_heartbeats() => WithStartedAsync(async (handle, _) =>
    {
        var activity = server.Client.GetAsyncActivityHandle(handle.Id, handle.ResultRunId!, "the-activity");
        await activity.HeartbeatAsync(new() { Details = ["halfway"] });
        var pending = Assert.Single((await handle.RawAsync()).PendingActivities);
        Assert.Equal("\"halfway\"", pending.HeartbeatDetails.Payloads_[0].Data.ToStringUtf8());
        await activity.CompleteAsync("by id");
        Assert.Equal("by id", await handle.GetResultAsync());
        await Assert.ThrowsAsync<RpcException>(() => activity.CompleteAsync("again"));
    });

    [Fact]
    public Task Fails_by_token() => WithStartedAsync(async (handle, token) =>
    {
        await server.Client.GetAsyncActivityHandle(token).FailAsync(new ApplicationFailureException("cannot", nonRetryable: true));
        Assert.Equal("cannot", (await Failures.OfAsync<ActivityFailureException>(handle)).InnerException!.Message);
    });

    [Fact]
    public Task Confirms_a_cancellation() => WithStartedAsync(async (handle, token) =>
    {
        var activity = server.Client.GetAsyncActivityHandle(token);
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => activity.ReportCancellationAsync());
        await handle.CancelAsync();
        await Wait.UntilAsync(async () =>
        {
            try
            {
                await activity.HeartbeatAsync();
                return false;
            }
            catch (AsyncActivityCanceledException)
            {
                return true;
            }
        });
        await activity.ReportCancellationAsync();
        await Failures.OfAsync<CanceledFailureException>(handle);
    });

    private async Task WithStartedAsync(Func<WorkflowHandle<WaitForOthersWorkflow, string>, byte[], Task> test)
    {
        var activity = new HandedOverActivity();
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitForOthersWorkflow>().AddAllActivities(activity), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((WaitForOthersWorkflow w) => w.RunAsync(), new(id: "async-" + queue, taskQueue: queue));
            await test(handle, await activity.Token.Task);
        });
    }

    [Workflow]
    public class WaitForOthersWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteActivityAsync((HandedOverActivity a) => a.Begin(), new()
        {
            ActivityId = "the-activity",
            StartToCloseTimeout = TimeSpan.FromMinutes(1),
            CancellationType = ActivityCancellationType.WaitCancellationCompleted,
        });
    }

    public class HandedOverActivity
    {
        public TaskCompletionSource<byte[]> Token { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        [Activity]
        public string Begin()
        {
            Token.TrySetResult(ActivityExecutionContext.Current.Info.TaskToken);
            throw new CompleteAsyncException();
        }
    }
}
