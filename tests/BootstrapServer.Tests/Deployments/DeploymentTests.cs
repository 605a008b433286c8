using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Deployments;

public class DeploymentTests(SharedServer server)
{
    private readonly VersionedWork work = new(server.Client);

    [Fact]
    public async Task Workers_that_poll_register_their_version_and_its_queues()
    {
        await using var one = work.StartWorker("1");
        await work.RegisteredAsync("1");
        var version = await work.DescribeVersionAsync("1");
        Assert.Equal(WorkerDeploymentVersionStatus.Inactive, version.Status);
        Assert.Equal([(work.Queue, TaskQueueType.Workflow), (work.Queue, TaskQueueType.Activity)], version.TaskQueueInfos.Select(q => (q.Name, q.Type)).Order());
        Assert.Contains(await ListedAsync(), d => d == work.Name);
        var info = (await work.DescribeAsync()).WorkerDeploymentInfo;
        Assert.Null(info.RoutingConfig.CurrentDeploymentVersion);
        Assert.Equal("1", Assert.Single(info.VersionSummaries).DeploymentVersion.BuildId);
    }

    [Fact]
    public async Task Routing_changes_carry_a_token_and_the_name_of_who_made_them()
    {
        await using var one = work.StartWorker("1");
        await work.RegisteredAsync("1");
        var before = (await work.DescribeAsync()).ConflictToken;
        var first = await work.SetCurrentAsync("1");
        Assert.NotEqual(before, first.ConflictToken);
        Assert.Equal(first.ConflictToken, (await work.SetCurrentAsync("1")).ConflictToken); // no change
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => work.Service.SetWorkerDeploymentCurrentVersionAsync(
            new() { Namespace = "default", DeploymentName = work.Name, Identity = "operator", ConflictToken = before }));
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => work.SetRampingAsync("1", 10)); // it is current
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => work.SetCurrentAsync("2"));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => work.SetRampingAsync("1", 101));
        var info = (await work.DescribeAsync()).WorkerDeploymentInfo;
        Assert.Equal(("operator", work.Version("1")), (info.LastModifierIdentity, info.RoutingConfig.CurrentDeploymentVersion));
        Assert.Equal((1, WorkerDeploymentVersionStatus.Current), (info.RoutingConfig.RevisionNumber, info.VersionSummaries[0].Status));
    }

    [Fact]
    public async Task A_version_that_nobody_polls_yet_can_be_made_current_when_asked_for()
    {
        await work.Service.SetWorkerDeploymentCurrentVersionAsync(new() { Namespace = "default", DeploymentName = work.Name, BuildId = "9", AllowNoPollers = true, Identity = "operator" });
        Assert.Equal(WorkerDeploymentVersionStatus.Current, (await work.DescribeVersionAsync("9")).Status);
        var handle = await work.StartWaitingAsync();
        await using var nine = work.StartWorker("9");
        await VersionedWork.TasksAsync(handle, 1);
        Assert.Equal(["9"], await VersionedWork.BuildsOfAsync(handle));
        await handle.TerminateAsync();
    }

    [Fact]
    public async Task A_manager_alone_changes_routing()
    {
        await using var one = work.StartWorker("1");
        await work.RegisteredAsync("1");
        await work.Service.SetWorkerDeploymentManagerAsync(new() { Namespace = "default", DeploymentName = work.Name, Identity = "boss", Self = true });
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => work.SetCurrentAsync("1"));
        Assert.Equal("boss", (await work.DescribeAsync()).WorkerDeploymentInfo.ManagerIdentity);
        await work.Service.SetWorkerDeploymentManagerAsync(new() { Namespace = "default", DeploymentName = work.Name, Identity = "operator", ManagerIdentity = "operator" });
        await work.SetCurrentAsync("1");
    }

    [Fact]
    public async Task Only_versions_that_nothing_needs_can_be_deleted_and_then_their_deployment()
    {
        await using (work.StartWorker("1"))
        {
            await work.RegisteredAsync("1");
            await RefusedDeleteAsync("1"); // it has pollers
            await work.SetCurrentAsync("1");
            await RefusedDeleteAsync("1"); // it is current
        }
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => work.Service.DeleteWorkerDeploymentAsync(new() { Namespace = "default", DeploymentName = work.Name }));
        await work.Service.CreateWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = work.Version("2"), RequestId = "create" });
        await work.Service.CreateWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = work.Version("2"), RequestId = "create" });
        await Failures.RefusedAsync(RpcException.StatusCode.AlreadyExists, () => work.Service.CreateWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = work.Version("2"), RequestId = "again" }));
        Assert.Equal(WorkerDeploymentVersionStatus.Created, (await work.DescribeVersionAsync("2")).Status);
        await work.Service.DeleteWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = work.Version("2") });
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => work.DescribeVersionAsync("2"));
    }

    [Fact]
    public async Task Versions_keep_what_their_owners_note_on_them()
    {
        await work.Service.CreateWorkerDeploymentAsync(new() { Namespace = "default", DeploymentName = work.Name, RequestId = "one", Identity = "operator" });
        await Failures.RefusedAsync(RpcException.StatusCode.AlreadyExists, () => work.Service.CreateWorkerDeploymentAsync(new() { Namespace = "default", DeploymentName = work.Name, RequestId = "two" }));
        await work.Service.CreateWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = work.Version("1") });
        var note = new Temporalio.Api.Common.V1.Payload { Data = Google.Protobuf.ByteString.CopyFromUtf8("\"abc123\"") };
        await work.Service.UpdateWorkerDeploymentVersionMetadataAsync(new() { Namespace = "default", DeploymentVersion = work.Version("1"), UpsertEntries = { ["commit"] = note, ["other"] = note } });
        await work.Service.UpdateWorkerDeploymentVersionMetadataAsync(new() { Namespace = "default", DeploymentVersion = work.Version("1"), RemoveEntries = { "other" } });
        Assert.Equal("commit", Assert.Single((await work.DescribeVersionAsync("1")).Metadata.Entries).Key);
        await work.Service.DeleteWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = work.Version("1") });
        await work.Service.DeleteWorkerDeploymentAsync(new() { Namespace = "default", DeploymentName = work.Name });
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, work.DescribeAsync);
    }

    [Fact]
    public async Task A_restart_keeps_deployments_and_where_runs_are_pinned()
    {
        var folder = Directory.CreateTempSubdirectory("deployments-").FullName;
        var options = new BootstrapServerOptions { DatabaseFile = Path.Combine(folder, "state.db") };
        var id = "kept";
        VersionedWork kept;
        await using (var host = await BootstrapServerHost.StartAsync(options, TestContext.Current.CancellationToken))
        {
            kept = new VersionedWork(await TemporalClient.ConnectAsync(new(host.Address)));
            await using var one = kept.StartWorker("1");
            await using var two = kept.StartWorker("2");
            await Task.WhenAll(kept.RegisteredAsync("1"), kept.RegisteredAsync("2"));
            await kept.SetCurrentAsync("1");
            await VersionedWork.TasksAsync(await kept.StartWaitingAsync(id), 1);
            await kept.SetCurrentAsync("2");
        }
        await using (var host = await BootstrapServerHost.StartAsync(options, TestContext.Current.CancellationToken))
        {
            var again = kept.On(await TemporalClient.ConnectAsync(new(host.Address)));
            Assert.Equal(WorkerDeploymentVersionStatus.Draining, (await again.DescribeVersionAsync("1")).Status);
            Assert.Equal(again.Version("2"), (await again.DescribeAsync()).WorkerDeploymentInfo.RoutingConfig.CurrentDeploymentVersion);
            await using var two = again.StartWorker("2");
            await using var one = again.StartWorker("1");
            var handle = again.Handle(id);
            await handle.SignalAsync(w => w.FinishAsync("done"));
            Assert.StartsWith("done", await handle.GetResultAsync(), StringComparison.Ordinal);
            Assert.All(await VersionedWork.BuildsOfAsync(handle), b => Assert.Equal("1", b));
            await Wait.UntilAsync(async () => (await again.DescribeVersionAsync("1")).Status == WorkerDeploymentVersionStatus.Drained);
        }
        Directory.Delete(folder, recursive: true);
    }

    private Task RefusedDeleteAsync(string build) => Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () =>
        work.Service.DeleteWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = work.Version(build) }));

    private async Task<List<string>> ListedAsync()
    {
        var names = new List<string>();
        var token = Google.Protobuf.ByteString.Empty;
        do
        {
            var page = await work.Service.ListWorkerDeploymentsAsync(new() { Namespace = "default", PageSize = 3, NextPageToken = token });
            names.AddRange(page.WorkerDeployments.Select(d => d.Name));
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        return names;
    }
}
