using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Pausing;

public class ActivityControlTests(SharedServer server)
{
    [Theory]
    [InlineData("id")]
    [InlineData("type")]
    public async Task A_paused_activity_is_not_tried_until_it_goes_on(string by)
    {
        var work = new Work { Fails = true };
        await WithWorkerAsync(work, async (handle, service, ns) =>
        {
            await Wait.UntilAsync(async () => (await PendingAsync(handle)).Attempt > 1);
            await PauseAsync(handle, by);
            await Wait.UntilAsync(async () => (await PendingAsync(handle)).State == PendingActivityState.Paused);
            var shown = await PendingAsync(handle);
            Assert.True(shown.Paused);
            Assert.Equal(("tester", "test"), (shown.PauseInfo.Manual.Identity, shown.PauseInfo.Manual.Reason));
            Assert.Null(shown.NextAttemptScheduleTime);
            await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TemporalPauseInfo = 'property:activityType=Do' AND WorkflowId = '{handle.Id}'")).Count == 1);
            work.Fails = false;
            await service.UnpauseActivityAsync(by == "id"
                ? new() { Namespace = ns, Execution = new() { WorkflowId = handle.Id }, Id = shown.ActivityId, ResetAttempts = true }
                : new() { Namespace = ns, Execution = new() { WorkflowId = handle.Id }, UnpauseAll = true, ResetAttempts = true });
            await handle.GetResultAsync();
            var started = Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes;
            Assert.Equal(1, started.Attempt);
            Assert.Equal(0, (await server.Client.CountWorkflowsAsync($"TemporalPauseInfo = 'property:activityType=Do' AND WorkflowId = '{handle.Id}'")).Count);
        });
    }

    [Fact]
    public async Task A_running_attempt_hears_of_its_pause_and_waits_after_it_failed()
    {
        var work = new Work { Heartbeats = true };
        await WithWorkerAsync(work, async (handle, service, ns) =>
        {
            await Wait.UntilAsync(async () => (await PendingAsync(handle)).LastHeartbeatTime is not null);
            await PauseAsync(handle, "id");
            await PauseAsync(handle, "id"); // the same request again
            await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => PauseAsync(handle, "id", "another request"));
            await Wait.UntilAsync(() => Task.FromResult(work.Paused == 1));
            await Wait.UntilAsync(async () => (await PendingAsync(handle)) is { State: PendingActivityState.Paused, Attempt: 2 });
            work.Heartbeats = false;
            await service.UnpauseActivityAsync(new() { Namespace = ns, Execution = new() { WorkflowId = handle.Id }, Type = "Do", Jitter = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(300)) });
            await handle.GetResultAsync();
        });
    }

    [Fact]
    public async Task A_reset_begins_with_the_first_attempt_at_once()
    {
        var work = new Work { Fails = true, FailsFor = TimeSpan.FromHours(1) };
        await WithWorkerAsync(work, async (handle, service, ns) =>
        {
            await Wait.UntilAsync(async () => (await PendingAsync(handle)) is { Attempt: 2, NextAttemptScheduleTime: not null });
            work.Fails = false;
            await service.ResetActivityAsync(new() { Namespace = ns, Execution = new() { WorkflowId = handle.Id }, MatchAll = true, ResetHeartbeat = true });
            await handle.GetResultAsync();
            var started = Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes;
            Assert.Equal(1, started.Attempt);
        });
    }

    [Fact]
    public async Task A_running_attempt_hears_of_its_reset_and_the_next_one_is_the_first()
    {
        var work = new Work { Heartbeats = true };
        await WithWorkerAsync(work, async (handle, service, ns) =>
        {
            await Wait.UntilAsync(async () => (await PendingAsync(handle)).LastHeartbeatTime is not null);
            await service.ResetActivityAsync(new() { Namespace = ns, Execution = new() { WorkflowId = handle.Id }, Type = "Do", ResetHeartbeat = true });
            await Wait.UntilAsync(() => Task.FromResult(work.Reset == 1));
            work.Heartbeats = false;
            await handle.GetResultAsync();
            Assert.Equal(0, work.LastHeartbeatDetails);
            Assert.Equal(1, Assert.Single(await handle.EventsAsync(), e => e.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes.Attempt);
        });
    }

    [Fact]
    public async Task A_reset_can_leave_it_paused_and_restores_options()
    {
        var work = new Work { Fails = true, FailsFor = TimeSpan.FromHours(1) };
        await WithWorkerAsync(work, async (handle, service, ns) =>
        {
            await Wait.UntilAsync(async () => (await PendingAsync(handle)).Attempt == 2);
            await service.UpdateActivityOptionsAsync(new()
            {
                Namespace = ns,
                Execution = new() { WorkflowId = handle.Id },
                Type = "Do",
                ActivityOptions = new() { HeartbeatTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(7)) },
                UpdateMask = new() { Paths = { "heartbeat_timeout" } },
            });
            Assert.Equal(7, (await PendingAsync(handle)).ActivityOptions.HeartbeatTimeout.Seconds);
            await PauseAsync(handle, "type");
            await service.ResetActivityAsync(new() { Namespace = ns, Execution = new() { WorkflowId = handle.Id }, Type = "Do", KeepPaused = true, RestoreOriginalOptions = true });
            var shown = await PendingAsync(handle);
            Assert.Equal((1, PendingActivityState.Paused, 50L), (shown.Attempt, shown.State, shown.ActivityOptions.HeartbeatTimeout.Seconds));
            await handle.TerminateAsync();
        });
    }

    [Fact]
    public async Task Options_can_be_changed_and_restored()
    {
        var work = new Work { Fails = true, FailsFor = null };
        await WithWorkerAsync(work, async (handle, service, ns) =>
        {
            await Wait.UntilAsync(async () => (await PendingAsync(handle)).Attempt > 1);
            var answer = await service.UpdateActivityOptionsAsync(new()
            {
                Namespace = ns,
                Execution = new() { WorkflowId = handle.Id },
                Id = (await PendingAsync(handle)).ActivityId,
                ActivityOptions = new()
                {
                    TaskQueue = new() { Name = "elsewhere-" + handle.Id },
                    RetryPolicy = new() { MaximumAttempts = 1000, InitialInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(9)) },
                    Priority = new() { PriorityKey = 4 },
                    StartToCloseTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
                },
                UpdateMask = new() { Paths = { "taskQueue.name", "retry_policy.maximum_attempts", "priority.priority_key" } },
            });
            Assert.Equal(("elsewhere-" + handle.Id, 1000, 4), (answer.ActivityOptions.TaskQueue.Name, answer.ActivityOptions.RetryPolicy.MaximumAttempts, answer.ActivityOptions.Priority.PriorityKey));
            Assert.Equal(60, answer.ActivityOptions.StartToCloseTimeout.Seconds);
            Assert.True(answer.ActivityOptions.RetryPolicy.InitialInterval.ToTimeSpan() < TimeSpan.FromSeconds(1));
            Assert.Equal(1000, (await PendingAsync(handle)).MaximumAttempts);
            await service.UpdateActivityOptionsAsync(new() { Namespace = ns, Execution = new() { WorkflowId = handle.Id }, MatchAll = true, RestoreOriginal = true });
            Assert.NotEqual(1000, (await PendingAsync(handle)).MaximumAttempts);
            work.Fails = false;
            await handle.GetResultAsync();
        });
    }

    [Fact]
    public async Task Refuses_what_makes_no_sense()
    {
        var work = new Work { Fails = true, FailsFor = TimeSpan.FromHours(1) };
        await WithWorkerAsync(work, async (handle, service, ns) =>
        {
            var execution = new Temporalio.Api.Common.V1.WorkflowExecution { WorkflowId = handle.Id };
            await Wait.UntilAsync(async () => (await PendingAsync(handle)).Attempt == 2);
            await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => service.PauseActivityAsync(new() { Namespace = ns, Execution = execution }));
            await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => service.PauseActivityAsync(new() { Namespace = ns, Id = "x" }));
            await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => service.PauseActivityAsync(new() { Namespace = ns, Execution = execution, Id = "no such id" }));
            await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => service.UnpauseActivityAsync(new() { Namespace = ns, Execution = execution, Type = "NoSuchType" }));
            await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => service.ResetActivityAsync(new() { Namespace = ns, Execution = new() { WorkflowId = "no-such-workflow" }, MatchAll = true }));
            await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => service.UpdateActivityOptionsAsync(new() { Namespace = ns, Execution = execution, Type = "Do", ActivityOptions = new() }));
            await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => service.UpdateActivityOptionsAsync(
                new() { Namespace = ns, Execution = execution, Type = "Do", ActivityOptions = new(), UpdateMask = new() { Paths = { "retry_policy" } } }));
            await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => service.UpdateActivityOptionsAsync(
                new() { Namespace = ns, Execution = execution, Type = "Do", ActivityOptions = new(), RestoreOriginal = true, UpdateMask = new() { Paths = { "retry_policy" } } }));
            await handle.TerminateAsync();
            await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => service.PauseActivityAsync(new() { Namespace = ns, Execution = execution, Type = "Do" }));
        });
    }

    private async Task WithWorkerAsync(Work work, Func<WorkflowHandle, WorkflowService, string, Task> test) =>
        await server.WithWorkerAsync(o => HeartbeatSettings.Prompt(o).AddWorkflow<WorkingWorkflow>().AddAllActivities(work), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((WorkingWorkflow w) => w.RunAsync(), new("work-" + queue, queue));
            await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingActivities.Count == 1);
            await test(handle, server.Client.WorkflowService, server.Client.Options.Namespace);
        });

    private static async Task<PendingActivityInfo> PendingAsync(WorkflowHandle handle) => Assert.Single((await handle.RawAsync()).PendingActivities);

    private async Task PauseAsync(WorkflowHandle handle, string by, string requestId = "the request")
    {
        var request = new Temporalio.Api.WorkflowService.V1.PauseActivityRequest
        {
            Namespace = server.Client.Options.Namespace,
            Execution = new() { WorkflowId = handle.Id },
            Identity = "tester",
            Reason = "test",
            RequestId = requestId,
        };
        if (by == "id")
            request.Id = (await PendingAsync(handle)).ActivityId;
        else
            request.Type = "Do";
        await server.Client.WorkflowService.PauseActivityAsync(request);
    }

    [Workflow]
    public class WorkingWorkflow
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.ExecuteActivityAsync((Work w) => w.DoAsync(), new()
        {
            StartToCloseTimeout = TimeSpan.FromSeconds(60),
            HeartbeatTimeout = TimeSpan.FromSeconds(50),
            RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(50), MaximumInterval = TimeSpan.FromMilliseconds(50) },
        });
    }

    public class Work
    {
        private volatile bool fails;
        private volatile bool heartbeats;
        private int paused;
        private int reset;

        public bool Fails { get => fails; set => fails = value; }

        public bool Heartbeats { get => heartbeats; set => heartbeats = value; }

        /// <summary>How many attempts heard that they are paused.</summary>
        public int Paused => Volatile.Read(ref paused);

        public int Reset => Volatile.Read(ref reset);

        public TimeSpan? FailsFor { get; set; }

        public int LastHeartbeatDetails { get; private set; } = -1;

        [Activity]
        public async Task DoAsync()
        {
            var context = ActivityExecutionContext.Current;
            LastHeartbeatDetails = context.Info.HeartbeatDetails.Count;
            if (Fails)
                throw new ApplicationFailureException("not now", nextRetryDelay: FailsFor);
            while (Heartbeats)
            {
                context.Heartbeat("alive");
                if (context.CancellationToken.IsCancellationRequested)
                {
                    if (context.CancellationDetails?.IsPaused == true)
                        Interlocked.Increment(ref paused);
                    if (context.CancellationDetails?.IsReset == true)
                        Interlocked.Increment(ref reset);
                    throw new ApplicationFailureException("told to stop");
                }
                await Task.Delay(50);
            }
        }
    }
}
