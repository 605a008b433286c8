using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Resetting;

public class AutoResetPointTests(SharedServer server)
{
    [Fact]
    public async Task Shows_where_each_build_completed_its_first_task_also_after_continuing_as_new()
    {
        var queue = "queue-" + Guid.NewGuid();
        WorkflowHandle<HoppingWorkflow> handle;
        await using (server.StartWorker(queue, o => Configure(o, "build-1")))
        {
            handle = await server.Client.StartWorkflowAsync((HoppingWorkflow w) => w.RunAsync(), new("points-" + queue, queue));
            await Wait.UntilAsync(async () => (await PointsAsync(handle)).Count == 1);
        }
        await handle.SignalAsync(w => w.HopAsync());
        await using (server.StartWorker(queue, o => Configure(o, "build-2")))
            await Wait.UntilAsync(async () => (await PointsAsync(handle)).Count == 2 && (await handle.RawAsync()).WorkflowExecutionInfo.Execution.RunId != handle.ResultRunId);

        var points = await PointsAsync(handle);
        Assert.Equal(["build-1", "build-2"], points.Select(p => p.BuildId));
        Assert.All(points, p => Assert.Equal((handle.ResultRunId, true), (p.RunId, p.Resettable)));
        var first = server.Client.GetWorkflowHandle(handle.Id, handle.ResultRunId);
        var completed = (await first.EventsAsync()).Where(e => e.EventType == EventType.WorkflowTaskCompleted).Select(e => e.EventId);
        Assert.Equal(completed.Order(), points.Select(p => p.FirstWorkflowTaskCompletedId).Order());
        Assert.All(points, p => Assert.NotNull(p.ExpireTime));
        await server.Client.GetWorkflowHandle(handle.Id).TerminateAsync();
    }

#pragma warning disable CS0618 // How a worker names its build without being versioned.
    private static void Configure(TemporalWorkerOptions options, string build)
    {
        options.BuildId = build;
        options.AddWorkflow<HoppingWorkflow>();
    }
#pragma warning restore CS0618

    private static async Task<IReadOnlyList<Temporalio.Api.Workflow.V1.ResetPointInfo>> PointsAsync(WorkflowHandle handle) =>
        (await handle.Client.GetWorkflowHandle(handle.Id).RawAsync()).WorkflowExecutionInfo.AutoResetPoints.Points;

    [Workflow]
    public class HoppingWorkflow
    {
        private bool hop;

        [WorkflowRun]
        public async Task RunAsync()
        {
            await Workflow.WaitConditionAsync(() => hop);
            throw Workflow.CreateContinueAsNewException((HoppingWorkflow w) => w.RunAsync());
        }

        [WorkflowSignal]
        public Task HopAsync()
        {
            hop = true;
            return Task.CompletedTask;
        }
    }
}
