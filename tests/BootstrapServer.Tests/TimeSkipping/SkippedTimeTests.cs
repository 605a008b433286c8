using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.TimeSkipping;

/// <summary>Skipped time in process: the calls of the test service, and that time never overtakes what is on its way.</summary>
public sealed class SkippedTimeTests : IAsyncLifetime
{
    private BootstrapServerHost server = null!;
    private ITemporalClient client = null!;

    private TestService Time => client.Connection.TestService;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { SkipTime = true });
        client = await TemporalClient.ConnectAsync(new(server.Address));
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Many_schedules_act_as_often_as_their_years_have_months()
    {
        const int schedules = 25;
        await WithWorkerAsync(async queue =>
        {
            var handles = new List<ScheduleHandle>();
            for (var i = 0; i < schedules; i++)
            {
                // Some at the same moment, some a minute after another.
                handles.Add(await client.CreateScheduleAsync($"monthly-{i}", new(
                    ScheduleActionStartWorkflow.Create((EchoWorkflow w) => w.RunAsync("x"), new($"monthly-{i}", queue)), new() { CronExpressions = [$"{i % 5} 3 1 * *"] })));
            }
            for (var year = 0; year < 2; year++)
            {
                var from = await NowAsync();
                var before = await Task.WhenAll(handles.Select(h => h.DescribeAsync()));
                await PassAsync(TimeSpan.FromDays(366));
                var to = await NowAsync();
                for (var i = 0; i < schedules; i++)
                {
                    var info = (await handles[i].DescribeAsync()).Info;
                    Assert.Equal(Months.Between(from, to, hour: 3, minute: i % 5), info.NumActions - before[i].Info.NumActions);
                    Assert.Equal(0, info.NumActionsSkippedOverlap);
                    Assert.Empty(info.RunningActions);
                }
            }
        });
    }

    [Fact]
    public async Task Children_activities_and_signals_arrive_before_time_goes_on()
    {
        await WithWorkerAsync(async queue =>
        {
            var before = await NowAsync();
            await Time.UnlockTimeSkippingAsync(new());
            Assert.Equal(100, await client.ExecuteWorkflowAsync((HopsWorkflow w) => w.RunAsync(100), new("hops", queue)));
            await Time.LockTimeSkippingAsync(new());
            // A hundred days, and the timeouts of none of the steps between them.
            Assert.InRange((await NowAsync() - before).TotalDays, 100, 100.01);
        });
    }

    [Fact]
    public async Task Deletes_closed_runs_when_thirty_days_were_skipped()
    {
        await client.WorkflowService.RegisterNamespaceAsync(new() { Namespace = "thirty", WorkflowExecutionRetentionPeriod = Duration.FromTimeSpan(TimeSpan.FromDays(30)) });
        var inside = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = "thirty" });
        var closed = await inside.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("closed", "nobody"));
        await closed.TerminateAsync();
        var kept = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("kept", "nobody"));
        await kept.TerminateAsync();
        await PassAsync(TimeSpan.FromDays(29));
        Assert.Equal(1, (await inside.CountWorkflowsAsync("")).Count);
        await PassAsync(TimeSpan.FromDays(2));
        await Wait.UntilAsync(async () => (await inside.CountWorkflowsAsync("")).Count == 0);
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => closed.DescribeAsync());
        // Whoever skips time and said nothing of retention wants to look at what happened.
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await kept.DescribeAsync()).Status);
    }

    [Fact]
    public async Task Goes_on_to_the_timeouts_of_what_nobody_comes_for()
    {
        await Time.UnlockTimeSkippingAsync(new());
        var handle = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("unpolled", "nobody") { RunTimeout = TimeSpan.FromDays(100) });
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());
        Assert.IsType<TimeoutFailureException>(failed.InnerException);
    }

    [Fact]
    public async Task Waits_for_a_worker_that_comes_a_moment_later()
    {
        // The server waits a few seconds for it: what takes long to make is made before.
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions("later").AddWorkflow<EchoWorkflow>());
        await Time.UnlockTimeSkippingAsync(new());
        var handle = await client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("in time"), new("later", "later") { RunTimeout = TimeSpan.FromDays(100) });
        Assert.Equal("in time", await worker.ExecuteAsync(() => handle.GetResultAsync()));
    }

    [Fact]
    public async Task Locks_nest_and_an_unlock_without_a_lock_is_refused()
    {
        await Time.LockTimeSkippingAsync(new());
        await Time.UnlockTimeSkippingAsync(new());
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        // One lock is left, that of the start: an hour is an hour.
        await Assert.ThrowsAnyAsync<Exception>(() => Time.SleepAsync(new() { Duration = Duration.FromTimeSpan(TimeSpan.FromHours(1)) }, new() { CancellationToken = impatient.Token }));
        await Time.UnlockTimeSkippingAsync(new());
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Time.UnlockTimeSkippingAsync(new()));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => PassAsync(TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task Sleeps_for_a_time_until_a_time_and_with_a_lock_that_opens_for_it()
    {
        var start = await NowAsync();
        await PassAsync(TimeSpan.FromDays(3));
        Assert.InRange((await NowAsync() - start).TotalDays, 3, 3.001);
        await Time.UnlockTimeSkippingAsync(new());
        await Time.SleepAsync(new() { Duration = Duration.FromTimeSpan(TimeSpan.FromDays(4)) });
        Assert.InRange((await NowAsync() - start).TotalDays, 7, 7.001);
        await Time.SleepUntilAsync(new() { Timestamp = start.AddDays(30).ToTimestamp() });
        Assert.InRange((await NowAsync() - start).TotalDays, 30, 30.001);
        await Time.SleepUntilAsync(new() { Timestamp = start.ToTimestamp() }); // past: at once
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Time.SleepUntilAsync(new()));
    }

    [Fact]
    public async Task A_server_that_does_not_skip_time_says_so()
    {
        await using var other = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        var plain = await TemporalClient.ConnectAsync(new(other.Address));
        await Failures.RefusedAsync(RpcException.StatusCode.Unimplemented, () => plain.Connection.TestService.GetCurrentTimeAsync(new Empty()));
    }

    private async Task<DateTimeOffset> NowAsync() => (await Time.GetCurrentTimeAsync(new Empty())).Time.ToDateTimeOffset();

    private Task PassAsync(TimeSpan time) => Time.UnlockTimeSkippingWithSleepAsync(new() { Duration = Duration.FromTimeSpan(time) });

    private async Task WithWorkerAsync(Func<string, Task> test)
    {
        var options = new TemporalWorkerOptions("skipped").AddWorkflow<EchoWorkflow>().AddWorkflow<HopsWorkflow>().AddActivity(HopsWorkflow.Hop);
        using (var worker = new TemporalWorker(client, options))
            await worker.ExecuteAsync(() => test(options.TaskQueue!));
        await Replay.AllOfQueueAsync(client, options);
    }

    /// <summary>Each day a child and an activity, with timeouts that a jump of a day would reach.</summary>
    [Workflow]
    public class HopsWorkflow
    {
        [WorkflowRun]
        public async Task<int> RunAsync(int days)
        {
            var hops = 0;
            for (var day = 0; day < days; day++)
            {
                await Workflow.DelayAsync(TimeSpan.FromDays(1));
                _ = Workflow.DelayAsync(TimeSpan.FromDays(1000));
                if (day % 10 == 0)
                    await Workflow.ExecuteChildWorkflowAsync((EchoWorkflow w) => w.RunAsync("child"), new() { RunTimeout = TimeSpan.FromHours(1) });
                hops += await Workflow.ExecuteActivityAsync(() => Hop(), new() { ScheduleToCloseTimeout = TimeSpan.FromHours(1) });
            }
            return hops;
        }

        [Activity]
        public static int Hop() => 1;
    }
}
