using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.WorkflowTasks;

public class WorkflowTaskTests(SharedServer server)
{
    private static readonly Temporalio.Common.SearchAttributeKey<IReadOnlyCollection<string>> Problems = Temporalio.Common.SearchAttributeKey.CreateKeywordList("TemporalReportedProblems");

    [Fact]
    public async Task Finishes_a_workflow_whose_code_threw_once_it_is_fixed()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((BrokenWorkflow w) => w.RunAsync(), new(id: "broken-" + queue, taskQueue: queue) { TaskTimeout = TimeSpan.FromSeconds(4) });
        await using (server.StartWorker(queue, o => o.AddWorkflow<BrokenWorkflow>()))
        {
            await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingWorkflowTask is { Attempt: > 1 });
            Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.WorkflowTaskFailed);
        }
        await using (server.StartWorker(queue, o => o.AddWorkflow<FixedWorkflow>()))
            Assert.Equal("fixed", await handle.GetResultAsync<string>());
    }

    [Fact]
    public async Task Finishes_a_workflow_that_was_not_deterministic_once_it_is()
    {
        var queue = "queue-" + Guid.NewGuid();
        WorkflowHandle handle;
        await using (server.StartWorker(queue, o => o.AddWorkflow<TimerFirstWorkflow>()))
        {
            handle = await server.Client.StartWorkflowAsync((TimerFirstWorkflow w) => w.RunAsync(), new(id: "changed-" + queue, taskQueue: queue));
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.TimerStarted));
        }
        await using (server.StartWorker(queue, o => o.AddWorkflow<NoTimerWorkflow>()))
        {
            await handle.SignalAsync("Go", []);
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Any(
                e => e.WorkflowTaskFailedEventAttributes?.Cause == WorkflowTaskFailedCause.NonDeterministicError));
        }
        await using (server.StartWorker(queue, o => o.AddWorkflow<TimerFirstWorkflow>()))
            Assert.Equal("timer first", await handle.GetResultAsync<string>());
    }

    /// <summary>As the real server does from version 1.30 on, with its default of five in a row.</summary>
    [Fact]
    public async Task Finds_a_workflow_whose_tasks_keep_failing_and_not_any_more_when_one_completes()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("mended"), new(id: "problems-" + queue, taskQueue: queue));
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            Assert.Empty((await handle.DescribeAsync()).TypedSearchAttributes.ContainsKey(Problems) ? ["found"] : Array.Empty<string>());
            var taken = await PollAsync(queue);
            await server.Client.WorkflowService.RespondWorkflowTaskFailedAsync(new()
            {
                Namespace = "default",
                TaskToken = taken.TaskToken,
                Cause = attempt == 1 ? WorkflowTaskFailedCause.NonDeterministicError : WorkflowTaskFailedCause.WorkflowWorkerUnhandledFailure,
                Identity = "ghost",
            });
        }

        // Those after the first are not in history, and do not change what is said.
        Assert.Equal(["category=WorkflowTaskFailed", "cause=WorkflowTaskFailedCauseNonDeterministicError"], (await handle.DescribeAsync()).TypedSearchAttributes.Get(Problems));
        var found = $"TemporalReportedProblems = 'category=WorkflowTaskFailed' AND TemporalReportedProblems IS NOT NULL AND WorkflowId = '{handle.Id}'";
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync(found)).Count == 1);
        await using (server.StartWorker(queue, o => o.AddWorkflow<EchoWorkflow>()))
            Assert.Equal("mended", await handle.GetResultAsync());
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync(found)).Count == 0);
    }

    [Fact]
    public async Task Gives_the_task_of_a_worker_that_died_to_another()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("survived"), new(id: "died-" + queue, taskQueue: queue) { TaskTimeout = TimeSpan.FromSeconds(1) });
        var taken = await PollAsync(queue);
        Assert.Equal(handle.Id, taken.WorkflowExecution.WorkflowId);
        await using (server.StartWorker(queue, o => o.AddWorkflow<EchoWorkflow>()))
            Assert.Equal("survived", await handle.GetResultAsync());
        Assert.Equal(
            TimeoutType.StartToClose,
            (await handle.EventsAsync()).Single(e => e.EventType == EventType.WorkflowTaskTimedOut).WorkflowTaskTimedOutEventAttributes.TimeoutType);
        await Failures.RefusedAsync(Temporalio.Exceptions.RpcException.StatusCode.NotFound, () => server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(
            new RespondWorkflowTaskCompletedRequest { Namespace = "default", TaskToken = taken.TaskToken, Identity = "ghost" }));
    }

    [Fact]
    public async Task Takes_a_task_back_from_a_sticky_queue_that_nobody_polls_any_more()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "sticky-" + queue, taskQueue: queue));
        var first = await PollAsync(queue);
        var sticky = "sticky-" + queue;
        await server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(new RespondWorkflowTaskCompletedRequest
        {
            Namespace = "default",
            TaskToken = first.TaskToken,
            Identity = "ghost",
            StickyAttributes = new()
            {
                WorkerTaskQueue = new() { Name = sticky, Kind = TaskQueueKind.Sticky, NormalName = queue },
                ScheduleToStartTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
            },
        });
        // The ghost polls its sticky queue once, gets nothing, and is never seen again.
        var polled = await Wait.InTimeAsync(() => server.Client.WorkflowService.PollWorkflowTaskQueueAsync(
            new() { Namespace = "default", Identity = "ghost", TaskQueue = new() { Name = sticky, Kind = TaskQueueKind.Sticky, NormalName = queue } },
            new() { Timeout = TimeSpan.FromSeconds(2) }));
        Assert.True(polled is null or { TaskToken.IsEmpty: true });
        await handle.SignalAsync(w => w.FinishAsync("done"));
        await using (server.StartWorker(queue, o => o.AddWorkflow<WaitingWorkflow>()))
            Assert.Equal("done: ", await handle.GetResultAsync());
        Assert.Equal(
            TimeoutType.ScheduleToStart,
            (await handle.EventsAsync()).Single(e => e.EventType == EventType.WorkflowTaskTimedOut).WorkflowTaskTimedOutEventAttributes.TimeoutType);
    }

    [Fact]
    public async Task Sends_only_what_is_new_to_the_worker_that_has_the_workflow_cached()
    {
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "cached-" + queue, taskQueue: queue));
        var first = await PollAsync(queue);
        Assert.Equal(1, first.History.Events[0].EventId);
        await server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(new RespondWorkflowTaskCompletedRequest
        {
            Namespace = "default",
            TaskToken = first.TaskToken,
            Identity = "one",
            StickyAttributes = new() { WorkerTaskQueue = new() { Name = "cache-" + queue, Kind = TaskQueueKind.Sticky, NormalName = queue } },
        });
        Temporalio.Api.TaskQueue.V1.TaskQueue cached = new() { Name = "cache-" + queue, Kind = TaskQueueKind.Sticky, NormalName = queue };
        var next = server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", Identity = "one", TaskQueue = cached });
        // Without its worker's poll the task would go to the normal queue.
        await Wait.UntilAsync(async () => (await server.Client.WorkflowService.DescribeTaskQueueAsync(
            new() { Namespace = "default", TaskQueue = cached, TaskQueueType = TaskQueueType.Workflow })).Pollers.Count > 0);
        await handle.SignalAsync(w => w.NoteAsync("x"));
        Assert.Equal([4L, 5L, 6L, 7L], (await next).History.Events.Select(e => e.EventId));
        Assert.Equal(3, (await next).PreviousStartedEventId);
        await handle.TerminateAsync();
    }

    [Fact]
    public async Task Runs_workflows_that_no_worker_caches()
    {
        await server.WithWorkerAsync(
            o =>
            {
                o.AddWorkflow<WaitingWorkflow>();
                o.MaxCachedWorkflows = 0;
            },
            async queue =>
            {
                var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "uncached-" + queue, taskQueue: queue));
                for (var i = 0; i < 5; i++)
                {
                    await handle.SignalAsync(w => w.NoteAsync("x"));
                    Assert.Equal(i + 1, (await handle.QueryAsync(w => w.Notes())).Count);
                }
                await handle.SignalAsync(w => w.FinishAsync("done"));
                Assert.Equal("done: x,x,x,x,x", await handle.GetResultAsync());
            });
    }

    [Fact]
    public async Task Says_that_a_workflow_needs_nexus_and_does_not_try_again_at_once()
    {
        Assert.SkipWhen(SharedServer.IsOther, "other servers implement Nexus");
        var queue = "queue-" + Guid.NewGuid();
        var handle = await server.Client.StartWorkflowAsync((NexusWorkflow w) => w.RunAsync(), new(id: "nexus-" + queue, taskQueue: queue) { TaskTimeout = TimeSpan.FromSeconds(4) });
        await using (server.StartWorker(queue, o => o.AddWorkflow<NexusWorkflow>()))
            await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingWorkflowTask is { Attempt: > 2 });
        var first = (await handle.EventsAsync()).Single(e => e.EventType == EventType.WorkflowTaskFailed);
        var failed = first.WorkflowTaskFailedEventAttributes;
        // The second attempt had to time out, four seconds after it began, before there was a third.
        Assert.True((await handle.RawAsync()).PendingWorkflowTask.ScheduledTime.ToDateTime() - first.EventTime.ToDateTime() >= TimeSpan.FromSeconds(4));
        Assert.Equal(WorkflowTaskFailedCause.BadScheduleNexusOperationAttributes, failed.Cause);
        Assert.Equal("BadScheduleNexusOperationAttributes: endpoint \"payments\" not found: this server does not implement Nexus, and command ScheduleNexusOperation needs it", failed.Failure.Message);
        await handle.TerminateAsync();
    }

    private Task<PollWorkflowTaskQueueResponse> PollAsync(string queue) =>
        server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", Identity = "ghost", TaskQueue = new() { Name = queue } });

    [Workflow("Breakable")]
    public class BrokenWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => throw new InvalidOperationException("a bug");
    }

    [Workflow("Breakable")]
    public class FixedWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Task.FromResult("fixed");
    }

    [Workflow]
    public class NexusWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() =>
            Workflow.CreateNexusWorkflowClient("Payments", "payments").ExecuteNexusOperationAsync<string>("pay", "12 euros");
    }

    [Workflow("Changing")]
    public class TimerFirstWorkflow
    {
        private bool go;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.DelayAsync(TimeSpan.FromMilliseconds(10));
            await Workflow.WaitConditionAsync(() => go);
            return "timer first";
        }

        [WorkflowSignal("Go")]
        public Task GoAsync()
        {
            go = true;
            return Task.CompletedTask;
        }
    }

    [Workflow("Changing")]
    public class NoTimerWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Task.FromResult("no timer");

        [WorkflowSignal("Go")]
        public Task GoAsync() => Task.CompletedTask;
    }
}
