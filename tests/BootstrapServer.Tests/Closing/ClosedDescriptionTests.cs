using PlatformOps.BootstrapServer.Tests.Deployments;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Tests.Closing;

/// <summary>What a description says of a run that has ended.</summary>
public class ClosedDescriptionTests(SharedServer server)
{
    [Fact]
    public async Task Says_when_it_ended_how_long_it_took_and_how_much_it_was_as_lists_do()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var delay = TimeSpan.FromMilliseconds(300);
            var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("closed-" + queue, queue) { StartDelay = delay, RunTimeout = TimeSpan.FromHours(1) });
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.WorkflowTaskCompleted));
            var open = (await handle.RawAsync()).WorkflowExecutionInfo;
            Assert.Equal((null, null), (open.CloseTime, open.ExecutionDuration));
            await handle.SignalAsync(w => w.FinishAsync("done"));
            await handle.GetResultAsync();

            var described = await handle.RawAsync();
            var (info, events) = (described.WorkflowExecutionInfo, await handle.EventsAsync());
            Assert.Equal(events[^1].EventTime, info.CloseTime);
            Assert.Equal(delay, info.ExecutionTime.ToDateTimeOffset() - info.StartTime.ToDateTimeOffset());
            Assert.Equal(info.CloseTime - info.ExecutionTime, info.ExecutionDuration);
            Assert.Equal((events.Count, queue), (info.HistoryLength, info.TaskQueue));
            Assert.True(info.HistorySizeBytes > open.HistorySizeBytes && info.StateTransitionCount > open.StateTransitionCount);
            Assert.Equal((handle.Id, handle.ResultRunId, handle.ResultRunId), (info.RootExecution.WorkflowId, info.RootExecution.RunId, info.FirstRunId));
            Assert.Equal(info.ExecutionTime.ToDateTimeOffset().AddHours(1), described.WorkflowExtendedInfo.RunExpirationTime.ToDateTimeOffset());
            Assert.Equal((null, 0, 0), (described.PendingWorkflowTask, described.PendingActivities.Count, described.PendingChildren.Count));
            WorkflowExecutionInfo? listed = null;
            await Wait.UntilAsync(async () => (listed = (await server.Client.WorkflowService.ListWorkflowExecutionsAsync(new()
            {
                Namespace = server.Client.Options.Namespace,
                Query = $"WorkflowId = '{handle.Id}' AND ExecutionStatus = 'Completed'",
            })).Executions.SingleOrDefault()) is not null);
            Assert.Equal(
                (info.CloseTime, info.ExecutionDuration, info.HistoryLength, info.HistorySizeBytes, info.StateTransitionCount, info.RootExecution),
                (listed!.CloseTime, listed.ExecutionDuration, listed.HistoryLength, listed.HistorySizeBytes, listed.StateTransitionCount, listed.RootExecution));
        });
    }

    [Fact]
    public async Task A_run_expires_with_its_execution_at_the_latest()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<ContinuingWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (ContinuingWorkflow w) => w.RunAsync(0), new("expiring-" + queue, queue) { RunTimeout = TimeSpan.FromHours(1), ExecutionTimeout = TimeSpan.FromHours(1) });
            await handle.SignalAsync(w => w.GoAsync());
            await handle.GetResultAsync();
            var described = await handle.RawAsync();
            Assert.NotEqual(handle.ResultRunId, described.WorkflowExecutionInfo.Execution.RunId);
            Assert.Equal(handle.ResultRunId, described.WorkflowExecutionInfo.FirstRunId);
            Assert.Equal(described.WorkflowExtendedInfo.ExecutionExpirationTime, described.WorkflowExtendedInfo.RunExpirationTime);
        });
    }
}
