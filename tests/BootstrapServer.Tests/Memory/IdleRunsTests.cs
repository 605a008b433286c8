using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Memory;

/// <summary>Open runs that wait leave memory, and nobody notices. Here all of them do, each time.</summary>
public sealed class IdleRunsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("idle-").FullName;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_run_that_waits_leaves_memory_and_comes_back_for_whatever_happens_to_it(bool durable) => WithServerAsync(durable, async (host, client, queue) =>
    {
        var handle = await client.StartWorkflowAsync((PatientWorkflow w) => w.RunAsync(), new("patient", queue));
        await LeavesMemoryAsync(host, client, "patient");
        Assert.Equal("started", await handle.QueryAsync(w => w.Seen()));
        await LeavesMemoryAsync(host, client, "patient");
        await handle.SignalAsync(w => w.HearAsync("a signal"));
        await Wait.UntilAsync(async () => await handle.QueryAsync(w => w.Seen()) == "started, a signal");
        await LeavesMemoryAsync(host, client, "patient");
        Assert.Equal(2, await handle.ExecuteUpdateAsync(w => w.CountAsync(), new("the-update")));
        await LeavesMemoryAsync(host, client, "patient");
        // The same update again is answered with the outcome that it had.
        Assert.Equal(2, await handle.ExecuteUpdateAsync(w => w.CountAsync(), new("the-update")));
        await LeavesMemoryAsync(host, client, "patient");
        Assert.Equal("patient", (await handle.DescribeAsync()).Id);
        Assert.Equal(1, (await client.CountWorkflowsAsync("ExecutionStatus = 'Running' AND WorkflowId = 'patient'")).Count);
        await handle.SignalAsync(w => w.HearAsync("the end"));
        Assert.Equal("started, a signal, the end", await handle.GetResultAsync());
        await Replay.OneAsync(await handle.FetchHistoryAsync(), new TemporalWorkerOptions(queue).AddWorkflow<PatientWorkflow>());
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Timers_retries_and_timeouts_wake_a_run_that_left_memory(bool durable) => WithServerAsync(durable, async (host, client, queue) =>
    {
        var timer = await client.StartWorkflowAsync((TimerWorkflow w) => w.RunAsync(), new("timer", queue));
        await LeavesMemoryAsync(host, client, "timer");
        Assert.Equal("awake", await timer.GetResultAsync());

        var retries = await client.StartWorkflowAsync((RetryWorkflow w) => w.RunAsync(), new("retries", queue));
        Assert.Equal("attempt 3", await retries.GetResultAsync());

        var timesOut = await client.StartWorkflowAsync((PatientWorkflow w) => w.RunAsync(), new("times-out", queue) { RunTimeout = TimeSpan.FromSeconds(2) });
        await LeavesMemoryAsync(host, client, "times-out");
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => timesOut.GetResultAsync());
        Assert.IsType<TimeoutFailureException>(failed.InnerException);

        var delayed = await client.StartWorkflowAsync((TimerWorkflow w) => w.RunAsync(), new("delayed", queue) { StartDelay = TimeSpan.FromSeconds(1) });
        await LeavesMemoryAsync(host, client, "delayed");
        Assert.Equal("awake", await delayed.GetResultAsync());
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task An_activity_that_a_worker_has_ends_in_a_run_that_left_memory(bool durable) => WithServerAsync(durable, async (host, client, queue) =>
    {
        var handle = await client.StartWorkflowAsync((ElsewhereWorkflow w) => w.RunAsync(), new("elsewhere", queue));
        await Wait.UntilAsync(() => Task.FromResult(ElsewhereActivities.Tokens.ContainsKey((client.Connection.Options.TargetHost!, "elsewhere"))));
        await LeavesMemoryAsync(host, client, "elsewhere");
        await client.GetAsyncActivityHandle(ElsewhereActivities.Tokens[(client.Connection.Options.TargetHost!, "elsewhere")]).CompleteAsync("from elsewhere");
        Assert.Equal("from elsewhere", await handle.GetResultAsync());
    });

    [Fact]
    public async Task Keeps_as_many_runs_in_memory_as_it_is_told_those_used_last()
    {
        await using var host = await BootstrapServerHost.StartAsync(new() { RunsInMemory = 5 });
        var client = await TemporalClient.ConnectAsync(new(host.Address));
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions("q").AddWorkflow<PatientWorkflow>());
        await worker.ExecuteAsync(async () =>
        {
            for (var i = 0; i < 30; i++)
            {
                var handle = await client.StartWorkflowAsync((PatientWorkflow w) => w.RunAsync(), new($"many-{i}", "q"));
                Assert.Equal("started", await handle.QueryAsync(w => w.Seen()));
            }
            // Each use examines two runs, so that the circle comes down to its size while runs are used.
            await Wait.UntilAsync(async () =>
            {
                await client.GetWorkflowHandle<PatientWorkflow>("many-29").SignalAsync(w => w.HearAsync("again"));
                return Enumerable.Range(0, 30).Count(i => InMemory(host, client, $"many-{i}")) <= 8;
            });
            Assert.True(InMemory(host, client, "many-29"));
        });
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static bool InMemory(BootstrapServerHost host, ITemporalClient client, string workflowId) =>
        host.Engine.FindLatest(host.Engine.Namespaces.Get(client.Options.Namespace), workflowId)!.IsInMemory;

    private static Task LeavesMemoryAsync(BootstrapServerHost host, ITemporalClient client, string workflowId) =>
        Wait.UntilAsync(() => Task.FromResult(!InMemory(host, client, workflowId)));

    private async Task WithServerAsync(bool durable, Func<BootstrapServerHost, ITemporalClient, string, Task> test)
    {
        await using var host = await BootstrapServerHost.StartAsync(new() { RunsInMemory = 0, DatabaseFile = durable ? Path.Combine(folder, "state.db") : null });
        var client = await TemporalClient.ConnectAsync(new(host.Address));
        var options = new TemporalWorkerOptions("q").AddWorkflow<PatientWorkflow>().AddWorkflow<TimerWorkflow>().AddWorkflow<RetryWorkflow>().AddWorkflow<ElsewhereWorkflow>()
            .AddAllActivities(typeof(ElsewhereActivities), null);
        using var worker = new TemporalWorker(client, options);
        await worker.ExecuteAsync(() => test(host, client, "q"));
    }

    [Workflow]
    public class PatientWorkflow
    {
        private readonly List<string> seen = ["started"];

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.WaitConditionAsync(() => seen.Contains("the end"));
            return Seen();
        }

        [WorkflowSignal]
        public Task HearAsync(string what)
        {
            seen.Add(what);
            return Task.CompletedTask;
        }

        [WorkflowUpdate]
        public Task<int> CountAsync() => Task.FromResult(seen.Count);

        [WorkflowQuery]
        public string Seen() => string.Join(", ", seen);
    }

    [Workflow]
    public class TimerWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.DelayAsync(TimeSpan.FromSeconds(1));
            return "awake";
        }
    }

    [Workflow]
    public class RetryWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteActivityAsync(
            () => ElsewhereActivities.Third(), new() { StartToCloseTimeout = TimeSpan.FromSeconds(10), RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(300) } });
    }

    [Workflow]
    public class ElsewhereWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteActivityAsync(() => ElsewhereActivities.Elsewhere(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
    }

    public static class ElsewhereActivities
    {
        /// <summary>By server and workflow, since the tests run beside each other.</summary>
        public static System.Collections.Concurrent.ConcurrentDictionary<(string, string), byte[]> Tokens { get; } = new();

        [Activity]
        public static string Third()
        {
            var attempt = ActivityExecutionContext.Current.Info.Attempt;
            return attempt < 3 ? throw new ApplicationFailureException("again") : $"attempt {attempt}";
        }

        [Activity]
        public static string Elsewhere()
        {
            var context = ActivityExecutionContext.Current;
            Tokens[(context.TemporalClient.Connection.Options.TargetHost!, context.Info.WorkflowId!)] = context.Info.TaskToken;
            throw new CompleteAsyncException();
        }
    }
}
