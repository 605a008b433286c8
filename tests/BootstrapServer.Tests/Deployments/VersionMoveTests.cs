using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using VersioningBehavior = Temporalio.Common.VersioningBehavior;

namespace PlatformOps.BootstrapServer.Tests.Deployments;

/// <summary>Moves from version to version that are not just "the next task goes elsewhere".</summary>
public class VersionMoveTests(SharedServer server)
{
    private readonly VersionedWork work = new(server.Client);

    [Fact]
    public async Task An_activity_that_workers_of_another_version_take_first_waits_until_the_run_has_moved()
    {
        WorkflowHandle<StepwiseWorkflow> handle;
        await using (work.StartWorker("1", VersioningBehavior.AutoUpgrade, activities: false))
        {
            await work.RegisteredAsync("1", queues: 1);
            await work.SetCurrentAsync("1");
            handle = await server.Client.StartWorkflowAsync((StepwiseWorkflow w) => w.RunAsync(), new("steps-" + work.Queue, work.Queue));
            await handle.SignalAsync(w => w.StepAsync("only"));
            await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.ActivityTaskScheduled));
        }
        await using var two = work.StartWorker("2", VersioningBehavior.AutoUpgrade);
        await work.RegisteredAsync("2");
        await work.SetCurrentAsync("2");
        await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.ActivityTaskCompleted));
        var events = await handle.EventsAsync();
        var moved = events.First(e => e.WorkflowTaskCompletedEventAttributes?.DeploymentVersion?.BuildId == "2");
        var started = events.Single(e => e.EventType == EventType.ActivityTaskStarted);
        Assert.True(started.EventTime >= moved.EventTime);
        await handle.SignalAsync(w => w.EndAsync());
        await handle.GetResultAsync();
    }

    [Fact]
    public async Task An_override_while_a_worker_has_the_workflow_task_counts_from_the_next_task_on()
    {
        await using var two = work.StartWorker("2");
        await work.RegisteredAsync("2");
        var options = new Temporalio.Api.Deployment.V1.WorkerDeploymentOptions { DeploymentName = work.Name, BuildId = "1", WorkerVersioningMode = WorkerVersioningMode.Versioned };
        var poll = new Temporalio.Api.WorkflowService.V1.PollWorkflowTaskQueueRequest { Namespace = "default", Identity = "by hand", TaskQueue = new() { Name = work.Queue }, DeploymentOptions = options };
        var polled = work.Service.PollWorkflowTaskQueueAsync(poll);
        await work.RegisteredAsync("1", queues: 1);
        await work.SetCurrentAsync("1");
        var handle = await work.StartWaitingAsync();
        var task = await polled;
        await PinAsync(handle.Id, "2");
        await work.Service.RespondWorkflowTaskCompletedAsync(new()
        {
            Namespace = "default",
            Identity = "by hand",
            TaskToken = task.TaskToken,
            DeploymentOptions = options,
            VersioningBehavior = Temporalio.Api.Enums.V1.VersioningBehavior.Pinned,
            StickyAttributes = new() { WorkerTaskQueue = new() { Name = "sticky-" + work.Queue, Kind = TaskQueueKind.Sticky, NormalName = work.Queue } },
        });
        await handle.SignalAsync(w => w.FinishAsync("done"));
        Assert.StartsWith("done", await handle.GetResultAsync(), StringComparison.Ordinal);
        var builds = await VersionedWork.BuildsOfAsync(handle);
        Assert.Equal("1", builds[0]);
        Assert.All(builds.Skip(1), b => Assert.Equal("2", b));
    }

    [Fact]
    public async Task A_batch_overrides_the_versions_of_many_runs()
    {
        await using var one = work.StartWorker("1");
        await using var two = work.StartWorker("2");
        await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
        await work.SetCurrentAsync("1");
        var handles = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => work.StartWaitingAsync()));
        await Task.WhenAll(handles.Select(h => VersionedWork.TasksAsync(h, 1)));
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TemporalWorkerDeploymentVersion = '{work.Name}:1'")).Count == 3);
        await work.Service.StartBatchOperationAsync(new()
        {
            Namespace = "default",
            JobId = Guid.NewGuid().ToString(),
            Reason = "version 1 is broken",
            VisibilityQuery = $"TemporalWorkerDeploymentVersion = '{work.Name}:1'",
            UpdateWorkflowOptionsOperation = new() { Identity = "operator", WorkflowExecutionOptions = new() { VersioningOverride = Pin("2") }, UpdateMask = new() { Paths = { "versioning_override" } } },
        });
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"BuildIds = 'pinned:{work.Name}:2'")).Count == 3);
        await Task.WhenAll(handles.Select(h => h.SignalAsync(w => w.FinishAsync("done"))));
        await Task.WhenAll(handles.Select(h => h.GetResultAsync()));
        foreach (var handle in handles)
            Assert.Equal("2", (await VersionedWork.BuildsOfAsync(handle))[^1]);
        // Closed runs are found by their version as well.
        await Wait.UntilAsync(async () => (await server.Client.CountWorkflowsAsync($"TemporalWorkerDeploymentVersion = '{work.Name}:2' AND ExecutionStatus = 'Completed'")).Count == 3);
    }

    [Fact]
    public async Task A_query_of_a_workflow_whose_version_drained_without_workers_says_so()
    {
        Assert.SkipWhen(SharedServer.IsOther, "the real server forgets pollers and looks for drained versions after minutes");
        WorkflowHandle<WaitingWorkflow, string> handle;
        await using var two = work.StartWorker("2");
        await using (work.StartWorker("1"))
        {
            await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
            await work.SetCurrentAsync("1");
            handle = await work.StartWaitingAsync();
            await handle.SignalAsync(w => w.FinishAsync("done"));
            await handle.GetResultAsync();
            await work.SetCurrentAsync("2");
            Assert.Empty(await handle.QueryAsync(w => w.Notes()));
        }
        await Wait.UntilAsync(async () => (await work.DescribeVersionAsync("1")).Status == WorkerDeploymentVersionStatus.Drained);
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => handle.QueryAsync(w => w.Notes()));
    }

    [Fact]
    public async Task A_run_that_is_reset_stays_pinned()
    {
        await using var one = work.StartWorker("1");
        await using var two = work.StartWorker("2");
        await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
        await work.SetCurrentAsync("1");
        var handle = await work.StartWaitingAsync();
        await VersionedWork.TasksAsync(handle, 1);
        await handle.SignalAsync(w => w.NoteAsync("a"));
        await VersionedWork.TasksAsync(handle, 2);
        await work.SetCurrentAsync("2");
        await work.Service.ResetWorkflowExecutionAsync(new()
        {
            Namespace = "default",
            WorkflowExecution = new() { WorkflowId = handle.Id },
            RequestId = Guid.NewGuid().ToString(),
            Reason = "again",
            WorkflowTaskFinishEventId = (await handle.EventsAsync()).Last(e => e.EventType == EventType.WorkflowTaskCompleted).EventId,
        });
        var again = server.Client.GetWorkflowHandle<WaitingWorkflow, string>(handle.Id);
        await again.SignalAsync(w => w.FinishAsync("done"));
        Assert.Equal("done: a", await again.GetResultAsync());
        Assert.All(await VersionedWork.BuildsOfAsync(again), b => Assert.Equal("1", b));
    }

    private Task PinAsync(string workflowId, string build) => work.Service.UpdateWorkflowExecutionOptionsAsync(new()
    {
        Namespace = "default",
        WorkflowExecution = new() { WorkflowId = workflowId },
        WorkflowExecutionOptions = new() { VersioningOverride = Pin(build) },
        UpdateMask = new() { Paths = { "versioningOverride" } },
    });

    private VersioningOverride Pin(string build) => new()
    {
        Pinned = new() { Behavior = VersioningOverride.Types.PinnedOverrideBehavior.Pinned, Version = work.Version(build) },
    };
}
