using PlatformOps.Activities.Backups;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Backups;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Testing;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A Temporal whose databases were restored does nothing before people have seen what it would do.</summary>
public sealed class TemporalFenceTests : IAsyncLifetime
{
    private const string Queue = "orders";

    private BootstrapServerHost server = null!;
    private TemporalClient client = null!;
    private BackupActivities activities = null!;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(new(), TestContext.Current.CancellationToken);
        client = await TemporalClient.ConnectAsync(new(server.Address));
        activities = Activities(server.Address);
        foreach (var id in new[] { "hourly", "nightly" })
            await client.CreateScheduleAsync(id, new(ScheduleActionStartWorkflow.Create("Order", [], new($"of-{id}", Queue)), new() { Intervals = [new(TimeSpan.FromHours(1))] }) { State = new() { Paused = id == "nightly" } });
        foreach (var id in new[] { "open", "closed" })
            await client.StartWorkflowAsync("Order", [], new(id, Queue));
        await client.GetWorkflowHandle("closed").TerminateAsync();
    }

    public async ValueTask DisposeAsync()
    {
        activities.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Its_schedules_are_paused_and_its_runs_are_read_whole()
    {
        var fenced = await FenceAsync();
        Assert.Empty(fenced.Wrong);
        Assert.Equal("default in us-east-1: 1 open executions, which nobody works on; 2 schedules, all paused, 1 of them before. 2 executions were described and 5 events of their histories read.", Assert.Single(fenced.Right));
        var paused = await client.GetScheduleHandle("hourly").DescribeAsync();
        Assert.Equal((true, "Paused by op: it is of a restored database. Look what it would do, then unpause it."), (paused.Schedule.State.Paused, paused.Schedule.State.Note));
        // The same again finds it done.
        Assert.Contains("2 schedules, all paused, 2 of them before", Assert.Single((await FenceAsync()).Right), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_works_on_its_runs_already_is_named()
    {
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions(Queue) { Identity = "worker-1" }.AddWorkflow<Order>());
        await worker.ExecuteAsync(async () =>
        {
            FencedTemporal? fenced = null;
            await Wait.UntilAsync(async () => (fenced = await FenceAsync()).Wrong.Count > 0, () => string.Join(' ', fenced!.Right));
            Assert.StartsWith("worker-1 asked orders of default in us-east-1 for work", Assert.Single(fenced!.Wrong), StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Schedules_that_nobody_describes_are_paused_all_the_same(bool silent)
    {
        await client.GetScheduleHandle("nightly").PauseAsync("Until the audit is over.");
        // Without Temporal's own workers: the query for a schedule is refused, or nobody takes it.
        await using var front = await QuietFrontend.StartAsync(server.Address, "DescribeSchedule", silent);
        using var through = Activities(front.Address);
        var said = Assert.Single((await new ActivityEnvironment().RunAsync(() => through.FenceTemporalAsync(new("development", "op")))).Right);
        Assert.Contains("2 schedules, all paused, 1 of them before. 2 of them could not be described, as long as Temporal's own workers do not run", said, StringComparison.Ordinal);
        // One that waits in vain is not followed by another.
        Assert.Equal(1, front.Kept);
        foreach (var (id, note) in new[] { ("hourly", "Paused by op: it is of a restored database. Look what it would do, then unpause it."), ("nightly", "Until the audit is over.") })
        {
            var paused = await client.GetScheduleHandle(id).DescribeAsync();
            Assert.Equal((true, note), (paused.Schedule.State.Paused, paused.Schedule.State.Note));
        }
    }

    private Task<FencedTemporal> FenceAsync() => new ActivityEnvironment().RunAsync(() => activities.FenceTemporalAsync(new("development", "op")));

    private static BackupActivities Activities(string address)
    {
        var locations = Locations.From(null, null, null);
        return new(
            new ProvisioningSources(locations.Specification, locations.Catalog),
            new() { Regions = new Dictionary<string, RegionConnection> { ["us-east-1"] = new() { Kubeconfig = "/nowhere", TemporalAddress = address, Aws = new(Endpoint: "http://127.0.0.1:1") } } });
    }

    [Workflow]
    public sealed class Order
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.WaitConditionAsync(() => false);
    }
}
