using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using VersioningBehavior = Temporalio.Common.VersioningBehavior;

namespace PlatformOps.BootstrapServer.Tests.Deployments;

public class VersionRoutingTests(SharedServer server)
{
    private readonly VersionedWork work = new(server.Client);

    [Fact]
    public async Task A_pinned_run_stays_on_its_version_until_that_has_drained()
    {
        await using var one = work.StartWorker("1");
        await using var two = work.StartWorker("2");
        await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
        await work.SetCurrentAsync("1");
        var old = await work.StartWaitingAsync();
        await VersionedWork.TasksAsync(old, 1);
        await work.SetCurrentAsync("2");
        var young = await work.StartWaitingAsync();
        await VersionedWork.TasksAsync(young, 1);

        var info = (await old.RawAsync()).WorkflowExecutionInfo;
        Assert.Equal((Temporalio.Api.Enums.V1.VersioningBehavior.Pinned, work.Version("1")), (info.VersioningInfo.Behavior, info.VersioningInfo.DeploymentVersion));
        Assert.Equal(work.Name, info.WorkerDeploymentName);
        Assert.Equal([old.Id], await FoundAsync($"TemporalWorkerDeploymentVersion = '{work.Name}:1' AND TemporalWorkflowVersioningBehavior = 'Pinned'"));
        Assert.Equal([young.Id], await FoundAsync($"BuildIds = 'pinned:{work.Name}:2'"));
        Assert.Equal(2, (await FoundAsync($"TemporalWorkerDeployment = '{work.Name}'")).Count);
        Assert.Equal(WorkerDeploymentVersionStatus.Draining, (await work.DescribeVersionAsync("1")).Status);

        await old.SignalAsync(w => w.NoteAsync("still here"));
        Assert.Equal(["still here"], await old.QueryAsync(w => w.Notes()));
        await old.SignalAsync(w => w.FinishAsync("done"));
        await young.SignalAsync(w => w.FinishAsync("done"));
        await Task.WhenAll(old.GetResultAsync(), young.GetResultAsync());
        Assert.All(await VersionedWork.BuildsOfAsync(old), b => Assert.Equal("1", b));
        Assert.All(await VersionedWork.BuildsOfAsync(young), b => Assert.Equal("2", b));
        if (SharedServer.IsOther)
            return; // the real server looks every few minutes
        await Wait.UntilAsync(async () => (await work.DescribeVersionAsync("1")).Status == WorkerDeploymentVersionStatus.Drained);
        var drained = (await work.DescribeVersionAsync("1")).DrainageInfo;
        Assert.Equal(VersionDrainageStatus.Drained, drained.Status);
        Assert.NotNull(drained.LastChangedTime);
    }

    [Fact]
    public async Task A_run_that_upgrades_moves_to_the_current_version_with_its_next_task()
    {
        await using var one = work.StartWorker("1", VersioningBehavior.AutoUpgrade);
        await work.RegisteredAsync("1");
        await work.SetCurrentAsync("1");
        var handle = await server.Client.StartWorkflowAsync((StepwiseWorkflow w) => w.RunAsync(), new("steps-" + work.Queue, work.Queue));
        await handle.SignalAsync(w => w.StepAsync("first"));
        await Wait.UntilAsync(async () => (await handle.EventsAsync()).Has(EventType.ActivityTaskCompleted));
        await using var two = work.StartWorker("2", VersioningBehavior.AutoUpgrade);
        await work.RegisteredAsync("2");
        await work.SetCurrentAsync("2");
        await handle.SignalAsync(w => w.StepAsync("second"));
        await Wait.UntilAsync(async () => (await handle.EventsAsync()).Count(e => e.EventType == EventType.ActivityTaskCompleted) == 2);
        await handle.SignalAsync(w => w.EndAsync());
        await handle.GetResultAsync();
        var builds = await VersionedWork.BuildsOfAsync(handle);
        Assert.Equal(("1", "2"), (builds[0], builds[^1]));
        Assert.Equal(builds.Order(), builds);
        Assert.Equal(["1", "2"], (await handle.EventsAsync()).Where(e => e.EventType == EventType.ActivityTaskStarted).Select(e => e.ActivityTaskStartedEventAttributes.Identity));
        var info = (await handle.RawAsync()).WorkflowExecutionInfo.VersioningInfo;
        Assert.Equal((work.Version("2"), null), (info.DeploymentVersion, info.VersionTransition));
    }

    [Fact]
    public async Task A_ramp_takes_a_share_of_the_workflows_always_the_same_ones()
    {
        await using var one = work.StartWorker("1");
        await using var two = work.StartWorker("2");
        await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
        await work.SetCurrentAsync("1");
        await work.SetRampingAsync("2", 50);
        var versioning = (await work.Service.DescribeTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = work.Queue } })).VersioningInfo;
        Assert.Equal((work.Version("1"), work.Version("2"), 50), (versioning.CurrentDeploymentVersion, versioning.RampingDeploymentVersion, versioning.RampingVersionPercentage));
        var first = await EchoAllAsync();
        Assert.Contains("1", first);
        Assert.Contains("2", first);
        Assert.Equal(first, await EchoAllAsync());
        await work.SetRampingAsync("2", 100);
        Assert.All(await EchoAllAsync(), b => Assert.Equal("2", b));
        await work.SetRampingAsync(null, 0);
        Assert.All(await EchoAllAsync(), b => Assert.Equal("1", b));
    }

    [Fact]
    public async Task An_override_moves_a_pinned_run_and_without_it_the_run_goes_back()
    {
        await using var one = work.StartWorker("1");
        await using var two = work.StartWorker("2");
        await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
        await work.SetCurrentAsync("1");
        var handle = await work.StartWaitingAsync();
        await VersionedWork.TasksAsync(handle, 1);
        var set = await OverrideAsync(handle, new() { Pinned = new() { Behavior = Temporalio.Api.Workflow.V1.VersioningOverride.Types.PinnedOverrideBehavior.Pinned, Version = work.Version("2") } });
        Assert.Equal(work.Version("2"), set.WorkflowExecutionOptions.VersioningOverride.Pinned.Version);
        await handle.SignalAsync(w => w.NoteAsync("a"));
        await VersionedWork.TasksAsync(handle, 2);
        Assert.Equal(["1", "2"], await VersionedWork.BuildsOfAsync(handle));
        Assert.Equal(work.Version("2"), (await handle.RawAsync()).WorkflowExecutionInfo.VersioningInfo.VersioningOverride.Pinned.Version);
        await OverrideAsync(handle, null);
        await handle.SignalAsync(w => w.FinishAsync("done"));
        await handle.GetResultAsync();
        var updated = (await handle.EventsAsync()).Where(e => e.EventType == EventType.WorkflowExecutionOptionsUpdated).Select(e => e.WorkflowExecutionOptionsUpdatedEventAttributes).ToList();
        Assert.Equal([(false, "operator"), (true, "operator")], updated.Select(u => (u.UnsetVersioningOverride, u.Identity)));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => OverrideAsync(handle, null));
    }

    [Fact]
    public async Task A_start_may_name_its_version_and_must_name_one_that_serves_the_queue()
    {
        await using var one = work.StartWorker("1");
        await using var two = work.StartWorker("2");
        await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
        await work.SetCurrentAsync("1");
        var handle = await work.StartWaitingAsync(given: new Temporalio.Common.VersioningOverride.Pinned(new(work.Name, "2")));
        await handle.SignalAsync(w => w.FinishAsync("done"));
        await handle.GetResultAsync();
        Assert.All(await VersionedWork.BuildsOfAsync(handle), b => Assert.Equal("2", b));
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => work.StartWaitingAsync(given: new Temporalio.Common.VersioningOverride.Pinned(new(work.Name, "3"))));
    }

    [Fact]
    public async Task Children_and_runs_that_continue_a_pinned_one_stay_on_its_version()
    {
        await using var one = work.StartWorker("1");
        await using var two = work.StartWorker("2");
        await Task.WhenAll(work.RegisteredAsync("1"), work.RegisteredAsync("2"));
        await work.SetCurrentAsync("1");
        var family = await server.Client.StartWorkflowAsync((FamilyWorkflow w) => w.RunAsync(), new("family-" + work.Queue, work.Queue));
        var continuing = await server.Client.StartWorkflowAsync((ContinuingWorkflow w) => w.RunAsync(0), new("continuing-" + work.Queue, work.Queue));
        await Task.WhenAll(VersionedWork.TasksAsync(family, 1), VersionedWork.TasksAsync(continuing, 1));
        await work.SetCurrentAsync("2");
        await family.SignalAsync(w => w.GoAsync());
        await continuing.SignalAsync(w => w.GoAsync());
        Assert.Equal("child", await family.GetResultAsync());
        Assert.Equal("continued", await continuing.GetResultAsync());
        var child = server.Client.GetWorkflowHandle(family.Id + "-child");
        var second = server.Client.GetWorkflowHandle(continuing.Id);
        Assert.Equal(["1"], await VersionedWork.BuildsOfAsync(child));
        Assert.Equal(["1"], await VersionedWork.BuildsOfAsync(second));
        Assert.Equal(work.Version("1"), (await child.EventsAsync())[0].WorkflowExecutionStartedEventAttributes.InheritedPinnedVersion);
        var firstTask = (await (continuing with { RunId = continuing.FirstExecutionRunId }).EventsAsync()).Last(e => e.EventType == EventType.WorkflowTaskStarted);
        Assert.True(firstTask.WorkflowTaskStartedEventAttributes.TargetWorkerDeploymentVersionChanged);
    }

    [Fact]
    public async Task Runs_without_version_wait_for_workers_without_until_a_version_becomes_current()
    {
        await using (work.StartWorker("1"))
        {
            await work.RegisteredAsync("1");
            var handle = await work.StartWaitingAsync();
            await using (work.StartWorker(null))
                await VersionedWork.TasksAsync(handle, 1);
            Assert.Equal(["none"], await VersionedWork.BuildsOfAsync(handle));
            await handle.SignalAsync(w => w.NoteAsync("nobody hears this yet"));
            await work.SetCurrentAsync("1");
            await VersionedWork.TasksAsync(handle, 2);
            Assert.Equal(["none", "1"], await VersionedWork.BuildsOfAsync(handle));
            await handle.TerminateAsync();
        }
    }

    private async Task<IReadOnlyList<string>> FoundAsync(string query)
    {
        var ids = new List<string>();
        await foreach (var found in server.Client.ListWorkflowsAsync($"TaskQueue = '{work.Queue}' AND {query}"))
            ids.Add(found.Id);
        return ids;
    }

    /// <summary>Runs twenty workflows, always of the same ids, and tells which build each ran on.</summary>
    private async Task<List<string>> EchoAllAsync()
    {
        var builds = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            var handle = await server.Client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new($"echo-{i}", work.Queue) { IdReusePolicy = WorkflowIdReusePolicy.AllowDuplicate });
            await handle.GetResultAsync();
            builds.Add((await VersionedWork.BuildsOfAsync(handle))[0]);
        }
        return builds;
    }

    private Task<Temporalio.Api.WorkflowService.V1.UpdateWorkflowExecutionOptionsResponse> OverrideAsync(WorkflowHandle handle, Temporalio.Api.Workflow.V1.VersioningOverride? given) =>
        work.Service.UpdateWorkflowExecutionOptionsAsync(new()
        {
            Namespace = "default",
            Identity = "operator",
            WorkflowExecution = new() { WorkflowId = handle.Id },
            WorkflowExecutionOptions = new() { VersioningOverride = given },
            UpdateMask = new() { Paths = { "versioning_override" } },
        });
}
