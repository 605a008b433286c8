using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Closing;

public class CancelAndTerminateTests(SharedServer server)
{
    [Fact]
    public async Task Cancels_a_workflow_that_lets_itself_be_cancelled()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<SleepingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue, stubborn: false);
            await handle.CancelAsync();
            await Failures.OfAsync<CanceledFailureException>(handle);
            Assert.Equal(WorkflowExecutionStatus.Canceled, (await handle.DescribeAsync()).Status);
            await handle.CancelAsync(); // one that ended is fine as it is
        });
    }

    [Fact]
    public async Task Lets_a_workflow_answer_a_cancellation_with_a_result()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<SleepingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue, stubborn: true);
            await handle.CancelAsync();
            await handle.CancelAsync();
            Assert.Equal("cleaned up", await handle.GetResultAsync());
            Assert.Single(await handle.TypesAsync(), EventType.WorkflowExecutionCancelRequested);
        });
    }

    [Fact]
    public async Task Terminates_at_once_with_the_reason()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<SleepingWorkflow>(), async queue =>
        {
            var handle = await StartAsync(queue, stubborn: true);
            await handle.TerminateAsync("enough");
            var terminated = await Failures.OfAsync<TerminatedFailureException>(handle);
            Assert.Equal("enough", terminated.Message);
            await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => handle.TerminateAsync());
            await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => server.Client.GetWorkflowHandle("missing-" + queue).CancelAsync());
        });
    }

    [Fact]
    public async Task Leaves_another_chain_of_runs_of_the_same_id_alone()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<SleepingWorkflow>(), async queue =>
        {
            var old = await StartAsync(queue, stubborn: false);
            await old.TerminateAsync();
            var current = await StartAsync(queue, stubborn: false);
            await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => server.Client.GetWorkflowHandle(old.Id, firstExecutionRunId: old.FirstExecutionRunId).TerminateAsync());
            Assert.Equal(WorkflowExecutionStatus.Running, (await current.DescribeAsync()).Status);
        });
    }

    private Task<WorkflowHandle<SleepingWorkflow, string>> StartAsync(string queue, bool stubborn) =>
        server.Client.StartWorkflowAsync((SleepingWorkflow w) => w.RunAsync(stubborn), new(id: "cancel-" + queue, taskQueue: queue));

    [Workflow]
    public class SleepingWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync(bool stubborn)
        {
            try
            {
                await Workflow.DelayAsync(TimeSpan.FromHours(1));
                return "slept";
            }
            catch (OperationCanceledException) when (stubborn)
            {
                return "cleaned up";
            }
        }
    }
}
