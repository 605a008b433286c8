using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Starting;

public class WorkflowTimeoutTests(SharedServer server)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    [Fact]
    public Task Ends_a_run_that_takes_longer_than_its_run_timeout() => TimesOutAsync(o => o.RunTimeout = Short);

    [Fact]
    public Task Ends_an_execution_that_takes_longer_than_its_execution_timeout() => TimesOutAsync(o => o.ExecutionTimeout = Short);

    [Fact]
    public Task Lets_no_retry_outlive_the_execution_timeout() => TimesOutAsync(o =>
    {
        o.ExecutionTimeout = Short;
        o.RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(10) };
    });

    [Fact]
    public async Task Waits_with_the_first_task_for_the_start_delay()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<EchoWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (EchoWorkflow w) => w.RunAsync("late"), new(id: "delay-" + queue, taskQueue: queue) { StartDelay = Short });
            Assert.Equal("late", await handle.GetResultAsync());
            var events = await handle.EventsAsync();
            Assert.True(events[^1].EventTime.ToDateTime() - events[0].EventTime.ToDateTime() >= Short);
            var described = await handle.DescribeAsync();
            Assert.True(described.ExecutionTime - described.StartTime >= Short);
        });
    }

    private async Task TimesOutAsync(Action<WorkflowOptions> limit)
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var options = new WorkflowOptions(id: "timeout-" + queue, taskQueue: queue);
            limit(options);
            var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), options);
            await Failures.OfAsync<TimeoutFailureException>(handle);
            Assert.Equal(WorkflowExecutionStatus.TimedOut, (await handle.DescribeAsync()).Status);
        });
    }
}
