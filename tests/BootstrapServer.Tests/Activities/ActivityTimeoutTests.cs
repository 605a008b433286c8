using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Activities;

public class ActivityTimeoutTests(SharedServer server)
{
    [Fact]
    public Task Times_out_between_start_and_close() => TimesOutAsync(new() { StartToCloseTimeout = Short, RetryPolicy = Once }, TimeoutType.StartToClose);

    [Fact]
    public Task Times_out_between_schedule_and_close_over_all_attempts() =>
        TimesOutAsync(new() { ScheduleToCloseTimeout = Short, StartToCloseTimeout = Short / 4 }, TimeoutType.ScheduleToClose);

    [Fact]
    public Task Times_out_when_nobody_takes_it() => TimesOutAsync(
        new() { ScheduleToStartTimeout = Short, StartToCloseTimeout = TimeSpan.FromMinutes(1), TaskQueue = "nobody-" + Guid.NewGuid() }, TimeoutType.ScheduleToStart);

    [Fact]
    public Task Times_out_without_heartbeats() =>
        TimesOutAsync(new() { HeartbeatTimeout = Short / 2, StartToCloseTimeout = TimeSpan.FromMinutes(1), RetryPolicy = Once }, TimeoutType.Heartbeat);

    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    private static Temporalio.Common.RetryPolicy Once => new() { MaximumAttempts = 1 };

    private async Task TimesOutAsync(ActivityOptions options, TimeoutType expected)
    {
        await server.WithWorkerAsync(
            o =>
            {
                o.AddWorkflow<OneActivityWorkflow>().AddAllActivities(typeof(StuckActivities), null);
                o.GracefulShutdownTimeout = TimeSpan.Zero;
            },
            async queue =>
            {
                var asked = new Asked(options.StartToCloseTimeout, options.ScheduleToCloseTimeout, options.ScheduleToStartTimeout, options.HeartbeatTimeout, options.TaskQueue, options.RetryPolicy?.MaximumAttempts ?? 0);
                var handle = await server.Client.StartWorkflowAsync((OneActivityWorkflow w) => w.RunAsync(asked), new(id: "activity-timeout-" + queue, taskQueue: queue));
                var failed = await Failures.OfAsync<ActivityFailureException>(handle);
                Assert.Equal(expected, Assert.IsType<TimeoutFailureException>(failed.InnerException).TimeoutType);
                Assert.Contains(EventType.ActivityTaskTimedOut, await handle.TypesAsync());
            });
    }

    public record Asked(TimeSpan? StartToClose, TimeSpan? ScheduleToClose, TimeSpan? ScheduleToStart, TimeSpan? Heartbeat, string? Queue, int Attempts);

    [Workflow]
    public class OneActivityWorkflow
    {
        [WorkflowRun]
        public Task RunAsync(Asked asked) => Workflow.ExecuteActivityAsync(() => StuckActivities.SleepAsync(), new()
        {
            StartToCloseTimeout = asked.StartToClose,
            ScheduleToCloseTimeout = asked.ScheduleToClose,
            ScheduleToStartTimeout = asked.ScheduleToStart,
            HeartbeatTimeout = asked.Heartbeat,
            TaskQueue = asked.Queue,
            RetryPolicy = new() { MaximumAttempts = asked.Attempts },
        });
    }

    public static class StuckActivities
    {
        [Activity]
        public static Task SleepAsync() => Task.Delay(Timeout.Infinite, ActivityExecutionContext.Current.WorkerShutdownToken);
    }
}
