using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>What was created, by the run that created it and by listing.</summary>
public class LedgerTests(RunbookServer server)
{
    [Fact]
    public async Task Tells_of_a_run_what_it_created_while_it_goes_on_and_after()
    {
        var world = new FakeWorld(Chain);
        var health = world.Hold("health frontend@us-east-1");
        await using var run = await server.ProvisionAsync(world, new() { OperationId = "op-ledger" });
        await health.ReachedAsync();
        await run.UntilAsync("redis", StepState.Done);
        Assert.Equal([Address("postgresql"), Address("redis")], (await LedgerAsync(run)).Select(entry => entry.Address));
        health.Open();
        await run.ReportAsync();

        Assert.Equal([Address("postgresql"), Address("frontend"), Address("redis")], (await LedgerAsync(run)).Select(entry => entry.Address));
        Assert.All(await LedgerAsync(run), entry => Assert.Equal(("op-ledger", "removed by DecommissionEnvironment"), (entry.OperationId, entry.Compensation)));
    }

    [Fact]
    public async Task Lists_page_by_page_what_exists()
    {
        var id = $"development-{Guid.NewGuid():N}";
        await using var run = await RunningRunbook<LedgerReport>.StartAsync(
            server, new FakeWorld(Chain).Populate(), nameof(ReadLedger), ReadLedger.WorkflowId(id), new ReadEnvironmentLedgerInput { Environment = id });

        var report = await run.ReportAsync();

        Assert.Equal((3, 3), (report.Objects, report.Costs[CostClass.Compute]));
        Assert.Equal(report.Entries, await run.QueryAsync<IReadOnlyList<LedgerEntry>>("ledger"));
        Assert.Equal(["ledger", "ledger"], run.World.Events);
    }

    private static Task<IReadOnlyList<LedgerEntry>> LedgerAsync(ProvisioningRun run) => run.Handle.QueryAsync(workflow => workflow.Ledger()).WaitAsync(Wait.Patience);
}
