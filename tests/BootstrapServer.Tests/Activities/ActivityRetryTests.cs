using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Activities;

public class ActivityRetryTests(SharedServer server)
{
    [Fact]
    public async Task Hands_heartbeat_details_to_the_next_attempt()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((RetryingWorkflow w) => w.RunAsync("progress", 5), new(id: "progress-" + queue, taskQueue: queue));
            Assert.Equal("10,20,30", await handle.GetResultAsync());
            var started = Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes;
            Assert.Equal(3, started.Attempt);
            Assert.Equal("attempt 2", started.LastFailure.Message);
        });
    }

    [Theory]
    [InlineData("always", 3, RetryState.MaximumAttemptsReached, 3)]
    [InlineData("final", 5, RetryState.NonRetryableFailure, 1)]
    [InlineData("named", 5, RetryState.NonRetryableFailure, 1)]
    public async Task Gives_up_as_policy_and_failure_say(string how, int attempts, RetryState state, int made)
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((RetryingWorkflow w) => w.RunAsync(how, attempts), new(id: "give-up-" + queue, taskQueue: queue));
            Assert.Equal((int)state, (int)(await Failures.OfAsync<ActivityFailureException>(handle)).RetryState);
            var started = Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes;
            Assert.Equal(made, started.Attempt);
        });
    }

    [Fact]
    public async Task Waits_as_long_as_the_failure_asks_for()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((RetryingWorkflow w) => w.RunAsync("delayed", 5), new(id: "delay-" + queue, taskQueue: queue));
            await handle.GetResultAsync();
            var events = await handle.EventsAsync();
            var scheduled = events.Single(e => e.EventType == EventType.ActivityTaskScheduled).EventTime.ToDateTime();
            Assert.True(events.Single(e => e.EventType == EventType.ActivityTaskStarted).EventTime.ToDateTime() - scheduled >= TimeSpan.FromSeconds(1));
        });
    }

    [Fact]
    public async Task Shows_a_waiting_attempt_in_the_description()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((RetryingWorkflow w) => w.RunAsync("slow", 5), new(id: "waiting-" + queue, taskQueue: queue));
            await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingActivities is [{ Attempt: 2, LastFailure.Message: "come back later" }]);
            await handle.TerminateAsync();
        });
    }

    private Task WithWorkerAsync(Func<string, Task> test) =>
        server.WithWorkerAsync(o => o.AddWorkflow<RetryingWorkflow>().AddAllActivities(typeof(RetryActivities), null), test);

    [Workflow]
    public class RetryingWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync(string how, int attempts) => Workflow.ExecuteActivityAsync(() => RetryActivities.WorkAsync(how), new()
        {
            StartToCloseTimeout = TimeSpan.FromMinutes(1),
            RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(10), MaximumAttempts = attempts, NonRetryableErrorTypes = ["Named"] },
        });
    }

    public static class RetryActivities
    {
        [Activity]
        public static async Task<string> WorkAsync(string how)
        {
            var context = ActivityExecutionContext.Current;
            var attempt = context.Info.Attempt;
            switch (how)
            {
                case "final":
                    throw new ApplicationFailureException("no use", nonRetryable: true);
                case "named":
                    throw new ApplicationFailureException("no use", "Named");
                case "always":
                    throw new ApplicationFailureException("again");
                case "slow":
                    throw new ApplicationFailureException("come back later", nextRetryDelay: TimeSpan.FromHours(1));
                case "delayed" when attempt == 1:
                    throw new ApplicationFailureException("in a second", nextRetryDelay: TimeSpan.FromSeconds(1));
                case "progress":
                    var before = context.Info.HeartbeatDetails.Count > 0 ? await context.Info.HeartbeatDetailAtAsync<string>(0) + "," : "";
                    context.Heartbeat($"{before}{attempt * 10}");
                    return attempt < 3 ? throw new ApplicationFailureException($"attempt {attempt}") : $"{before}30";
                default:
                    return how;
            }
        }
    }
}
