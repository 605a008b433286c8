using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Pausing;

public class ActivityExecutionCallTests(SharedServer server)
{
    [Fact]
    public async Task The_calls_that_name_any_activity_control_those_of_workflows()
    {
        var work = new ActivityControlTests.Work { Fails = true, FailsFor = TimeSpan.FromHours(1) };
        await server.WithWorkerAsync(o => o.AddWorkflow<ActivityControlTests.WorkingWorkflow>().AddAllActivities(work), async queue =>
        {
            var (service, ns) = (server.Client.WorkflowService, server.Client.Options.Namespace);
            var handle = await server.Client.StartWorkflowAsync((ActivityControlTests.WorkingWorkflow w) => w.RunAsync(), new("work-" + queue, queue));
            await Wait.UntilAsync(async () => (await handle.RawAsync()).PendingActivities is [{ Attempt: 2, State: PendingActivityState.Scheduled }]);
            var id = (await handle.RawAsync()).PendingActivities[0].ActivityId;
            await service.PauseActivityExecutionAsync(new() { Namespace = ns, WorkflowId = handle.Id, ActivityId = id, Identity = "tester", Reason = "test" });
            var paused = (await handle.RawAsync()).PendingActivities[0];
            Assert.Equal((PendingActivityState.Paused, "tester", "test"), (paused.State, paused.PauseInfo.Manual.Identity, paused.PauseInfo.Manual.Reason));

            var changed = await service.UpdateActivityExecutionOptionsAsync(new()
            {
                Namespace = ns,
                WorkflowId = handle.Id,
                ActivityId = id,
                ActivityOptions = new() { HeartbeatTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(7)) },
                UpdateMask = new() { Paths = { "heartbeat_timeout" } },
            });
            Assert.Equal((7, 60), (changed.ActivityOptions.HeartbeatTimeout.Seconds, changed.ActivityOptions.StartToCloseTimeout.Seconds));
            await service.ResetActivityExecutionAsync(new() { Namespace = ns, WorkflowId = handle.Id, ActivityId = id, KeepPaused = true, RestoreOriginalOptions = true });
            var reset = (await handle.RawAsync()).PendingActivities[0];
            Assert.Equal((1, PendingActivityState.Paused, 50L), (reset.Attempt, reset.State, reset.ActivityOptions.HeartbeatTimeout.Seconds));

            work.Fails = false;
            await service.UnpauseActivityExecutionAsync(new() { Namespace = ns, WorkflowId = handle.Id, ActivityId = id, RunId = handle.ResultRunId });
            await handle.GetResultAsync();
        });
    }

    [Fact]
    public async Task They_refuse_what_they_cannot_find()
    {
        var (service, ns) = (server.Client.WorkflowService, server.Client.Options.Namespace);
        var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("idle-" + Guid.NewGuid(), "nobody"));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => service.PauseActivityExecutionAsync(new() { Namespace = ns, WorkflowId = handle.Id, ActivityId = "none" }));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => service.ResetActivityExecutionAsync(new() { Namespace = ns, WorkflowId = "no-such-workflow", ActivityId = "none" }));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => service.UnpauseActivityExecutionAsync(new() { Namespace = ns, WorkflowId = handle.Id }));
        await handle.TerminateAsync();
    }

    [Fact]
    public async Task Stand_alone_activities_are_not_there()
    {
        Assert.SkipWhen(SharedServer.IsOther, "Another server may have stand-alone activities.");
        var error = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.WorkflowService.PauseActivityExecutionAsync(new() { Namespace = server.Client.Options.Namespace, ActivityId = "alone" }));
        Assert.Equal(RpcException.StatusCode.Unimplemented, error.Code);
        Assert.Contains("PauseActivityExecution of a stand-alone activity", error.Message);
    }
}
