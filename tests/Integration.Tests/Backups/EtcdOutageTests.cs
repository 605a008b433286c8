using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Backups;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows.Backups;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A real etcd that is away for a moment while a real worker backs its cluster up.</summary>
public sealed class EtcdOutageTests(SandboxAws aws)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_set_is_whole_although_etcd_was_away_when_it_was_asked_first()
    {
        await using var world = await EtcdWorld.StartAsync(aws);
        world.Declare(etcd: true);
        await using var server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        var client = await TemporalClient.ConnectAsync(TemporalTarget.Of(server.Address, "the test").Options);
        using var cli = new Cli();
        cli["TEMPORAL_ADDRESS"] = server.Address;
        world.Worker.Save(world.PathOf("worker.json"));
        world.Link.Break();
        using var worker = cli.Start("worker", "--connections", world.PathOf("worker.json"), "--specification", world.Platform.SpecificationFolder, "--catalog", world.PathOf("catalog"));

        var run = await client.StartWorkflowAsync(
            (BackUpClusterState runbook) => runbook.RunAsync(new BackUpInput { Environment = world.Store.Environment, Store = world.Store.Store, OperationId = "set-1" }), new(BackUpStore.WorkflowId(world.Store.Environment, world.Store.Store), "platformops"));
        await Wait.UntilAsync(
            async () => (await client.WorkflowService.DescribeWorkflowExecutionAsync(new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = run.Id } })).PendingActivities.Any(pending => pending.ActivityType.Name == "SnapshotEtcd" && pending.LastFailure?.Message.Contains("does not answer", StringComparison.Ordinal) == true),
            () => worker.Written, Patience);
        // Nothing of a set without its snapshot is there to be taken for one.
        Assert.Empty(await world.Objects.ListAsync($"{world.Store.Environment}/sets/state/", TestContext.Current.CancellationToken));
        world.Link.Restore();

        var made = await run.GetResultAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal((BackupOutcome.Complete, null), (made.Outcome, made.Set.Reason));
        Assert.Equal(1, made.Set.Etcd?.Keys);
        Assert.Empty(made.Findings);
    }
}
