using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Children;

/// <summary>What a child is started with.</summary>
public class ChildStartTests(SharedServer server)
{
    [Fact]
    public async Task Has_the_summary_and_details_that_its_parent_gave_it_and_no_timeouts_that_nobody_gave()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<DescribingWorkflow>().AddWorkflow<EchoWorkflow>(), async queue =>
        {
            var parent = await server.Client.StartWorkflowAsync((DescribingWorkflow w) => w.RunAsync(), new(id: "describing-" + queue, taskQueue: queue));
            await parent.GetResultAsync();
            var child = server.Client.GetWorkflowHandle($"{parent.Id}-child");
            var description = await child.DescribeAsync();
            Assert.Equal(("summary", "details"), (await description.GetStaticSummaryAsync(), await description.GetStaticDetailsAsync()));
            foreach (var handle in new[] { parent, child })
            {
                var started = (await handle.EventsAsync())[0].WorkflowExecutionStartedEventAttributes;
                Assert.Equal((null, null, 10), (started.WorkflowExecutionTimeout, started.WorkflowRunTimeout, started.WorkflowTaskTimeout.Seconds));
            }
        });
    }

    [Fact]
    public async Task Names_its_root_and_a_workflow_without_parents_leaves_unsaid_that_it_is_its_own()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<DescribingWorkflow>().AddWorkflow<EchoWorkflow>(), async queue =>
        {
            var parent = await server.Client.StartWorkflowAsync((DescribingWorkflow w) => w.RunAsync(), new(id: "root-" + queue, taskQueue: queue));
            await parent.GetResultAsync();
            var child = server.Client.GetWorkflowHandle($"{parent.Id}-child");
            Assert.Null((await parent.EventsAsync())[0].WorkflowExecutionStartedEventAttributes.RootWorkflowExecution);
            Assert.Equal(parent.ResultRunId, (await child.EventsAsync())[0].WorkflowExecutionStartedEventAttributes.RootWorkflowExecution.RunId);
            foreach (var handle in new[] { parent, child })
                Assert.Equal(parent.ResultRunId, (await handle.RawAsync()).WorkflowExecutionInfo.RootExecution.RunId);
        });
    }

    [Workflow]
    public class DescribingWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteChildWorkflowAsync(
            (EchoWorkflow w) => w.RunAsync("x"), new() { Id = $"{Workflow.Info.WorkflowId}-child", StaticSummary = "summary", StaticDetails = "details" });
    }
}
