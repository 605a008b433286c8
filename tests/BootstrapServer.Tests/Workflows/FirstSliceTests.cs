using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Workflows;

public class FirstSliceTests(SharedServer server)
{
    [Fact]
    public async Task Runs_a_workflow_with_activity_timer_signal_and_query()
    {
        await server.WithWorkerAsync(
            o => o.AddWorkflow<GreetingWorkflow>().AddAllActivities(typeof(GreetingActivities), null),
            async queue =>
            {
                var handle = await server.Client.StartWorkflowAsync(
                    (GreetingWorkflow w) => w.RunAsync("Ada"), new(id: "greet-" + Guid.NewGuid(), taskQueue: queue));
                await handle.SignalAsync(w => w.ContinueAsync());
                Assert.Equal("Hello, Ada!", await handle.GetResultAsync());
                Assert.Equal("done", await handle.QueryAsync(w => w.Phase()));
            });
    }

    [Workflow]
    public class GreetingWorkflow
    {
        private bool goOn;
        private string phase = "started";

        [WorkflowRun]
        public async Task<string> RunAsync(string name)
        {
            var greeting = await Workflow.ExecuteActivityAsync(
                () => GreetingActivities.Greet(name), new() { StartToCloseTimeout = TimeSpan.FromSeconds(10) });
            phase = "waiting";
            await Workflow.WaitConditionAsync(() => goOn);
            await Workflow.DelayAsync(TimeSpan.FromMilliseconds(50));
            phase = "done";
            return greeting;
        }

        [WorkflowSignal]
        public Task ContinueAsync()
        {
            goOn = true;
            return Task.CompletedTask;
        }

        [WorkflowQuery]
        public string Phase() => phase;
    }

    public static class GreetingActivities
    {
        [Activity]
        public static string Greet(string name) => $"Hello, {name}!";
    }
}
