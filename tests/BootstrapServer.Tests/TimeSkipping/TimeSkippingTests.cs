using PlatformOps.BootstrapServer.Tests.Durability;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;
using Temporalio.Testing;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.TimeSkipping;

/// <summary>The SDK's own test environment, with this server's executable in place of the test server that it would download.</summary>
public class TimeSkippingTests
{
    [Fact]
    public Task Lives_through_years_in_seconds() => WithEnvironmentAsync(async (env, queue) =>
    {
        var before = await env.GetCurrentTimeAsync();
        Assert.Equal(36, await env.Client.ExecuteWorkflowAsync((YearsWorkflow w) => w.RunAsync(36), new(id: "years", taskQueue: queue)));
        Assert.InRange((await env.GetCurrentTimeAsync() - before).TotalDays, 36 * 30, (36 * 30) + 1);
    });

    [Fact]
    public Task Keeps_the_wall_clocks_time_while_nobody_waits_for_a_result() => WithEnvironmentAsync(async (env, queue) =>
    {
        var handle = await env.Client.StartWorkflowAsync((YearsWorkflow w) => w.RunAsync(1), new(id: "held", taskQueue: queue));
        Assert.Equal(0, await handle.QueryAsync(w => w.Passed()));
        await env.DelayAsync(TimeSpan.FromDays(29));
        Assert.Equal(0, await handle.QueryAsync(w => w.Passed()));
        await env.DelayAsync(TimeSpan.FromDays(2));
        await Wait.UntilAsync(async () => await handle.QueryAsync(w => w.Passed()) == 1);
    });

    [Fact]
    public Task Skips_waits_between_attempts_but_not_a_running_activity() => WithEnvironmentAsync(async (env, queue) =>
    {
        var before = await env.GetCurrentTimeAsync();
        Assert.Equal("attempt 5", await env.Client.ExecuteWorkflowAsync((PatientWorkflow w) => w.RunAsync(), new(id: "patient", taskQueue: queue)));
        // 1 + 2 + 4 + 8 hours between the attempts; the attempts themselves take real time, and none of them times out.
        Assert.InRange((await env.GetCurrentTimeAsync() - before).TotalHours, 15, 15.5);
    });

    [Fact]
    public Task Skips_to_the_timeout_of_a_workflow() => WithEnvironmentAsync(async (env, queue) =>
    {
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => env.Client.ExecuteWorkflowAsync(
            (YearsWorkflow w) => w.RunAsync(12), new(id: "too-long", taskQueue: queue) { RunTimeout = TimeSpan.FromDays(100) }));
        Assert.IsType<TimeoutFailureException>(failed.InnerException);
    });

    [Fact]
    public Task Lets_a_schedule_act_a_year_long() => WithEnvironmentAsync(async (env, queue) =>
    {
        var handle = await env.Client.CreateScheduleAsync("monthly", new(
            ScheduleActionStartWorkflow.Create((YearsWorkflow w) => w.RunAsync(0), new(id: "monthly", taskQueue: queue)), new() { CronExpressions = ["0 3 1 * *"] }));
        var from = await env.GetCurrentTimeAsync();
        await env.DelayAsync(TimeSpan.FromDays(366));
        Assert.Equal(Months.Between(from, await env.GetCurrentTimeAsync(), hour: 3), (await handle.DescribeAsync()).Info.NumActions);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task An_activity_may_let_time_go_while_a_client_waits_for_the_result(bool mayBeSilent) => WithEnvironmentAsync(async (env, queue) =>
    {
        SleepyActivities.Environment = env;
        var before = await env.GetCurrentTimeAsync();
        var result = env.Client.ExecuteWorkflowAsync((SleepyWorkflow w) => w.RunAsync(mayBeSilent), new(id: "sleepy", taskQueue: queue));
        if (mayBeSilent)
        {
            Assert.Equal("slept", await result);
        }
        else
        {
            var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => result);
            var timeout = Assert.IsType<TimeoutFailureException>(failed.InnerException!.InnerException);
            Assert.Equal(Temporalio.Api.Enums.V1.TimeoutType.Heartbeat, timeout.TimeoutType);
        }
        Assert.True((await env.GetCurrentTimeAsync() - before).TotalHours >= (mayBeSilent ? 24 : 1));
    });

    [Fact]
    public void Reads_the_command_line_of_a_dev_server()
    {
        string[] arguments = ["server", "start-dev", "-p", "99", "--headless", "--namespace=one", "-n", "two", "-f", "x.db", "--log-level", "warn", "--search-attribute", "A=keyword"];
        var options = ServerArguments.Parse(arguments);
        Assert.Equal((99, "x.db", false), (options.Port, options.DatabaseFile, options.SkipTime));
        Assert.Equal(["default", "one", "two"], options.Namespaces);
        Assert.Equal(Temporalio.Api.Enums.V1.IndexedValueType.Keyword, options.SearchAttributes["A"]);
        Assert.True(ServerArguments.Parse(["7233"]).SkipTime);
        Assert.Contains("--colour", Assert.Throws<FormatException>(() => ServerArguments.Parse(["server", "start-dev", "--colour", "red"])).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => ServerArguments.Parse(["server", "start-dev", "--port"]));
    }

    [Fact]
    public async Task Runs_as_the_dev_server_of_the_sdk()
    {
        await using var env = await Harness.StartAsync(() => WorkflowEnvironment.StartLocalAsync(new()
        {
            Namespace = "of-the-test",
            DevServerOptions = new() { ExistingPath = ServerProcess.Executable },
            SearchAttributes = [Temporalio.Common.SearchAttributeKey.CreateKeyword("OfTheTest")],
        }));
        Assert.False(env.SupportsTimeSkipping);
        var options = new TemporalWorkerOptions("q").AddWorkflow<EchoWorkflow>();
        using var worker = new TemporalWorker(env.Client, options);
        await worker.ExecuteAsync(async () =>
            Assert.Equal("x", await env.Client.ExecuteWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new(id: "dev", taskQueue: "q"))));
        Assert.True((await env.Client.OperatorService.ListSearchAttributesAsync(new() { Namespace = "of-the-test" })).CustomAttributes.ContainsKey("OfTheTest"));
    }

    private static async Task WithEnvironmentAsync(Func<WorkflowEnvironment, string, Task> test)
    {
        await using var env = await Harness.StartAsync(() => WorkflowEnvironment.StartTimeSkippingAsync(new() { TestServer = new() { ExistingPath = ServerProcess.Executable } }));
        var options = new TemporalWorkerOptions("skipping").AddWorkflow<YearsWorkflow>().AddWorkflow<PatientWorkflow>().AddWorkflow<SleepyWorkflow>()
            .AddAllActivities(typeof(SlowActivities), null).AddAllActivities(typeof(SleepyActivities), null);
        using var worker = new TemporalWorker(env.Client, options);
        await worker.ExecuteAsync(() => test(env, options.TaskQueue!));
    }

    [Workflow]
    public class YearsWorkflow
    {
        private int passed;

        [WorkflowRun]
        public async Task<int> RunAsync(int months)
        {
            while (passed < months)
            {
                await Workflow.DelayAsync(TimeSpan.FromDays(30));
                passed++;
            }
            return passed;
        }

        [WorkflowQuery]
        public int Passed() => passed;
    }

    [Workflow]
    public class PatientWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            // A timer of another branch must not let time run past an activity that works.
            _ = Workflow.DelayAsync(TimeSpan.FromDays(365));
            return await Workflow.ExecuteActivityAsync(
                () => SlowActivities.WorkAsync(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), RetryPolicy = new() { InitialInterval = TimeSpan.FromHours(1) } });
        }
    }

    [Workflow]
    public class SleepyWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync(bool mayBeSilent) => Workflow.ExecuteActivityAsync(
            () => SleepyActivities.SleepAsync(),
            new() { StartToCloseTimeout = TimeSpan.FromDays(2), HeartbeatTimeout = mayBeSilent ? null : TimeSpan.FromHours(1), RetryPolicy = new() { MaximumAttempts = 1 } });
    }

    public static class SleepyActivities
    {
        public static WorkflowEnvironment? Environment { get; set; }

        [Activity]
        public static async Task<string> SleepAsync()
        {
            await Environment!.DelayAsync(TimeSpan.FromDays(1));
            return "slept";
        }
    }

    public static class SlowActivities
    {
        [Activity]
        public static async Task<string> WorkAsync()
        {
            await Task.Delay(100, ActivityExecutionContext.Current.CancellationToken);
            var attempt = ActivityExecutionContext.Current.Info.Attempt;
            return attempt < 5 ? throw new ApplicationFailureException("again") : $"attempt {attempt}";
        }
    }
}
