using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.TimeSkipping;

/// <summary>A clock from outside, as a simulation hands it in, is the only one that workflows know.</summary>
public sealed class OwnClockTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2031, 5, 6, 7, 8, 9, TimeSpan.Zero);
    private readonly FakeTimeProvider clock = new(Start);
    private BootstrapServerHost server = null!;
    private ITemporalClient client = null!;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { TimeProvider = clock });
        client = await TemporalClient.ConnectAsync(new(server.Address));
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Timers_fire_by_it()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await client.StartWorkflowAsync((ClockWorkflow w) => w.SleepAsync(TimeSpan.FromDays(400)), new("sleeper", queue));
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Any(e => e.EventType == EventType.TimerStarted));
            clock.Advance(TimeSpan.FromDays(399));
            Assert.DoesNotContain(await handle.EventsAsync(), e => e.EventType == EventType.TimerFired);
            clock.Advance(TimeSpan.FromDays(1));
            Assert.Equal(Start.AddDays(400).UtcDateTime, await handle.GetResultAsync());
        });
    }

    [Fact]
    public async Task Retries_wait_by_it()
    {
        await WithWorkerAsync(async queue =>
        {
            var handle = await client.StartWorkflowAsync((RetryWorkflow w) => w.RunAsync(), new("retries", queue));
            for (var attempt = 2; attempt <= 3; attempt++)
            {
                await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingActivities is [{ State: PendingActivityState.Scheduled } waiting] && waiting.Attempt == attempt);
                clock.Advance(TimeSpan.FromHours(2));
            }
            Assert.Equal(3, await handle.GetResultAsync());
        });
    }

    [Fact]
    public async Task Schedules_act_and_workflows_time_out_by_it()
    {
        var handle = await client.CreateScheduleAsync("daily", new(
            ScheduleActionStartWorkflow.Create((EchoWorkflow w) => w.RunAsync("x"), new("daily", "nobody") { RunTimeout = TimeSpan.FromHours(1) }), new() { CronExpressions = ["30 9 * * *"] }));
        for (var day = 1; day <= 3; day++)
        {
            clock.Advance(TimeSpan.FromDays(1));
            await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions == day);
        }
        var action = (await handle.DescribeAsync()).Info.RecentActions.Last();
        Assert.Equal(new DateTime(2031, 5, 8, 9, 30, 0, DateTimeKind.Utc), action.ScheduledAt);
        clock.Advance(TimeSpan.FromHours(2));
        var started = client.GetWorkflowHandle(((ScheduleActionExecutionStartWorkflow)action.Action).WorkflowId);
        await Wait.UntilAsync(async () => (await started.DescribeAsync()).Status == WorkflowExecutionStatus.TimedOut);
    }

    [Fact]
    public async Task Retention_ends_by_it()
    {
        var closed = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("closed", "nobody"));
        await closed.TerminateAsync();
        clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(Start.UtcDateTime, (await closed.DescribeAsync()).CloseTime);
        clock.Advance(TimeSpan.FromHours(2));
        await Wait.UntilAsync(async () => await Wait.FailsAsync(() => closed.DescribeAsync()));
    }

    private async Task WithWorkerAsync(Func<string, Task> test)
    {
        var options = new TemporalWorkerOptions("own-clock").AddWorkflow<ClockWorkflow>().AddWorkflow<RetryWorkflow>().AddActivity(RetryWorkflow.Attempt);
        using (var worker = new TemporalWorker(client, options))
            await worker.ExecuteAsync(() => test(options.TaskQueue!));
        await Replay.AllOfQueueAsync(client, options);
    }

    [Workflow]
    public class ClockWorkflow
    {
        [WorkflowRun]
        public async Task<DateTime> SleepAsync(TimeSpan time)
        {
            await Workflow.DelayAsync(time);
            return Workflow.UtcNow;
        }
    }

    [Workflow]
    public class RetryWorkflow
    {
        [WorkflowRun]
        public Task<int> RunAsync() => Workflow.ExecuteActivityAsync(
            () => Attempt(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), RetryPolicy = new() { InitialInterval = TimeSpan.FromHours(1) } });

        [Activity]
        public static int Attempt()
        {
            var attempt = ActivityExecutionContext.Current.Info.Attempt;
            return attempt < 3 ? throw new ApplicationFailureException("again") : attempt;
        }
    }
}
