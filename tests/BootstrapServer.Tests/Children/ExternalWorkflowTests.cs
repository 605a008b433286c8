using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Children;

public class ExternalWorkflowTests(SharedServer server)
{
    [Fact]
    public async Task Signals_another_workflow()
    {
        await server.WithWorkerAsync(Register, async queue =>
        {
            var target = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "target-" + queue, taskQueue: queue));
            Assert.Equal("delivered", await TalkAsync(queue, target.Id, cancel: false));
            Assert.Equal("spoken: ", await target.GetResultAsync());
        });
    }

    [Fact]
    public async Task Cancels_another_workflow()
    {
        await server.WithWorkerAsync(Register, async queue =>
        {
            var target = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "target-" + queue, taskQueue: queue));
            Assert.Equal("delivered", await TalkAsync(queue, target.Id, cancel: true));
            await Failures.OfAsync<CanceledFailureException>(target);
            Assert.Contains(EventType.WorkflowExecutionCancelRequested, await target.TypesAsync());
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Tells_the_sender_that_there_is_no_such_workflow(bool cancel)
    {
        await server.WithWorkerAsync(Register, async queue =>
            Assert.StartsWith("refused", await TalkAsync(queue, "missing-" + queue, cancel), StringComparison.Ordinal));
    }

    private static void Register(TemporalWorkerOptions o) => o.AddWorkflow<TalkingWorkflow>().AddWorkflow<WaitingWorkflow>();

    private Task<string> TalkAsync(string queue, string target, bool cancel) =>
        server.Client.ExecuteWorkflowAsync((TalkingWorkflow w) => w.RunAsync(target, cancel), new(id: "talk-" + queue, taskQueue: queue));

    [Workflow]
    public class TalkingWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync(string target, bool cancel)
        {
            try
            {
                var handle = Workflow.GetExternalWorkflowHandle<WaitingWorkflow>(target);
                await (cancel ? handle.CancelAsync() : handle.SignalAsync(w => w.FinishAsync("spoken")));
                return "delivered";
            }
            catch (ApplicationFailureException e)
            {
                return "refused: " + e.Message;
            }
        }
    }
}
