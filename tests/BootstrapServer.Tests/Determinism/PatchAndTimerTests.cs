using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Determinism;

public class PatchAndTimerTests(SharedServer server)
{
    [Fact]
    public async Task Records_a_patch_as_a_marker_and_as_a_search_attribute()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<PatchedWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((PatchedWorkflow w) => w.RunAsync(), new(id: "patched-" + queue, taskQueue: queue));
            Assert.Equal("new way", await handle.GetResultAsync());
            var types = await handle.TypesAsync();
            Assert.Contains(EventType.MarkerRecorded, types);
            Assert.Contains(EventType.UpsertWorkflowSearchAttributes, types);
            await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TemporalChangeVersion = 'a-patch' AND WorkflowId = '{handle.Id}'")).Count == 1);
        });
    }

    [Fact]
    public async Task Keeps_random_values_over_a_replay()
    {
        await server.WithWorkerAsync(
            o =>
            {
                o.AddWorkflow<RandomWorkflow>();
                o.MaxCachedWorkflows = 0; // every workflow task replays from the start
            },
            async queue =>
            {
                var handle = await server.Client.StartWorkflowAsync((RandomWorkflow w) => w.RunAsync(), new(id: "random-" + queue, taskQueue: queue));
                var first = await handle.QueryAsync(w => w.Drawn());
                await handle.SignalAsync(w => w.GoAsync());
                Assert.Equal(first, await handle.GetResultAsync());
            });
    }

    [Fact]
    public async Task Fires_timers_when_due_and_drops_those_that_are_cancelled()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<TimerWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((TimerWorkflow w) => w.RunAsync(), new(id: "timers-" + queue, taskQueue: queue));
            Assert.Equal("short", await handle.GetResultAsync());
            var events = await handle.EventsAsync();
            Assert.Equal(2, events.Count(e => e.EventType == EventType.TimerStarted));
            Assert.Single(events, e => e.EventType == EventType.TimerCanceled);
            var fired = events.Single(e => e.EventType == EventType.TimerFired);
            var started = events.Single(e => e.EventId == fired.TimerFiredEventAttributes.StartedEventId);
            Assert.True(fired.EventTime.ToDateTime() - started.EventTime.ToDateTime() >= TimeSpan.FromMilliseconds(200));
        });
    }

    [Workflow]
    public class PatchedWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Task.FromResult(Workflow.Patched("a-patch") ? "new way" : "old way");
    }

    [Workflow]
    public class RandomWorkflow
    {
        private string drawn = "";
        private bool go;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            drawn = $"{Workflow.NewGuid()} {Workflow.Random.Next()}";
            await Workflow.WaitConditionAsync(() => go);
            return drawn;
        }

        [WorkflowQuery]
        public string Drawn() => drawn;

        [WorkflowSignal]
        public Task GoAsync()
        {
            go = true;
            return Task.CompletedTask;
        }
    }

    [Workflow]
    public class TimerWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            using var stop = new CancellationTokenSource();
            var longer = Workflow.DelayAsync(TimeSpan.FromHours(1), stop.Token);
            var shorter = Workflow.DelayAsync(TimeSpan.FromMilliseconds(200));
            var first = await Workflow.WhenAnyAsync(longer, shorter);
            stop.Cancel();
            return first == shorter ? "short" : "long";
        }
    }
}
