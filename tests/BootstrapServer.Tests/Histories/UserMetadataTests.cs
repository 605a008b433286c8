using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Histories;

public class UserMetadataTests(SharedServer server)
{
    [Fact]
    public async Task History_shows_the_summary_of_each_thing_that_has_one()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<SummarizingWorkflow>().AddWorkflow<EchoWorkflow>().AddAllActivities(typeof(StockActivities), null), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (SummarizingWorkflow w) => w.RunAsync(), new("summaries-" + queue, queue) { StaticSummary = "the start", StaticDetails = "its details" });
            await handle.GetResultAsync();
            var events = await handle.EventsAsync();
            Assert.Equal(
                [
                    (EventType.WorkflowExecutionStarted, "the start", "its details"),
                    (EventType.TimerStarted, "the timer", ""),
                    (EventType.ActivityTaskScheduled, "the activity", ""),
                    (EventType.StartChildWorkflowExecutionInitiated, "the child", "details of the child"),
                ],
                events.Where(e => e.UserMetadata is not null).Select(e => (e.EventType, Text(e.UserMetadata.Summary), Text(e.UserMetadata.Details))));
            var child = (await server.Client.GetWorkflowHandle(handle.Id + "-child").EventsAsync())[0];
            Assert.Equal(("the child", "details of the child"), (Text(child.UserMetadata.Summary), Text(child.UserMetadata.Details)));
            var shown = (await handle.RawAsync()).ExecutionConfig.UserMetadata;
            Assert.Equal(("the start", "its details"), (Text(shown.Summary), Text(shown.Details)));
        });
    }

    private static string Text(Temporalio.Api.Common.V1.Payload? payload) => payload?.Data.ToStringUtf8().Trim('"') ?? "";

    [Workflow]
    public class SummarizingWorkflow
    {
        [WorkflowRun]
        public async Task RunAsync()
        {
            await Workflow.DelayWithOptionsAsync(new(TimeSpan.FromMilliseconds(10), "the timer"));
            await Workflow.ExecuteActivityAsync(() => StockActivities.Echo("x"), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), Summary = "the activity" });
            await Workflow.ExecuteChildWorkflowAsync(
                (EchoWorkflow w) => w.RunAsync("x"),
                new() { Id = Workflow.Info.WorkflowId + "-child", StaticSummary = "the child", StaticDetails = "details of the child" });
        }
    }
}
