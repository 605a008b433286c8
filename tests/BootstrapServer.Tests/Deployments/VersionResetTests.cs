using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Deployments;

/// <summary>Where a reset run goes on: its version is what its history up to the reset point says.</summary>
public class VersionResetTests(SharedServer server)
{
    private readonly VersionedWork work = new(server.Client);

    [Fact]
    public async Task A_pinned_run_stays_pinned_and_goes_where_routing_says_when_nothing_is_left_of_it()
    {
        await using var one = work.StartWorker("1");
        await work.RegisteredAsync("1");
        await work.SetCurrentAsync("1");
        var (kept, anew) = (await work.StartWaitingAsync(), await work.StartWaitingAsync());
        foreach (var handle in new[] { kept, anew })
        {
            await VersionedWork.TasksAsync(handle, 1);
            await handle.SignalAsync(w => w.NoteAsync("heard"));
            await VersionedWork.TasksAsync(handle, 2);
        }
        await using var two = work.StartWorker("2");
        await work.RegisteredAsync("2");
        await work.SetCurrentAsync("2");

        await ResetAsync(kept, task: 1);
        await ResetAsync(anew, task: 0);
        Assert.Equal("1", (await kept.RawAsync()).WorkflowExecutionInfo.VersioningInfo.DeploymentVersion.BuildId);
        Assert.Equal(["1"], await EndAsync(kept));
        Assert.Equal(["2"], await EndAsync(anew));
        foreach (var (handle, build) in new[] { (kept, "1"), (anew, "2") })
        {
            var versions = (await handle.RawAsync()).WorkflowExecutionInfo.VersioningInfo;
            Assert.Equal((VersioningBehavior.Pinned, build), (versions.Behavior, versions.DeploymentVersion.BuildId));
            Assert.Null(versions.VersionTransition);
        }
    }

    private async Task ResetAsync(WorkflowHandle handle, int task)
    {
        var completed = (await handle.EventsAsync()).Where(e => e.EventType == EventType.WorkflowTaskCompleted).ToList();
        await work.Service.ResetWorkflowExecutionAsync(new()
        {
            Namespace = "default",
            WorkflowExecution = new() { WorkflowId = handle.Id },
            WorkflowTaskFinishEventId = completed[task].EventId,
            RequestId = Guid.NewGuid().ToString(),
        });
    }

    /// <summary>Lets it end, and says which builds completed the tasks of its latest run, each once.</summary>
    private async Task<IReadOnlyList<string>> EndAsync(WorkflowHandle handle)
    {
        var latest = work.Handle(handle.Id);
        await latest.SignalAsync(w => w.FinishAsync("done"));
        Assert.Equal("done: heard", await latest.GetResultAsync());
        return [.. (await VersionedWork.BuildsOfAsync(latest)).Distinct()];
    }
}
