using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>Failovers have a task queue of their own: what else waits does not delay them.</summary>
public class FailoverQueueTests(CrowdedServer server) : IClassFixture<CrowdedServer>
{
    private const int Queued = 10_000;

    [Fact]
    public async Task Ten_thousand_queued_runbooks_are_overtaken()
    {
        var queue = $"queue-{Guid.NewGuid()}";
        await Parallel.ForEachAsync(Enumerable.Range(0, Queued), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (number, _) => await server.Client.StartWorkflowAsync(
            nameof(ReadLedger), [new ReadEnvironmentLedgerInput { Environment = "development" }], new($"queued-{number}", queue)));
        using var worker = server.CreateWorker(new FakeWorld(Chain), queue);
        await worker.ExecuteAsync(async () =>
        {
            // The worker is at them when the last of all is started.
            await Wait.UntilAsync(EndedAsync, ended => ended > 10, ended => $"{ended} have ended");
            var before = await EndedAsync();
            await using var run = await FailoverRun.StartAsync(server);
            await run.LoseAsync();
            var report = await run.ReportAsync();
            var ended = await EndedAsync();
            TestContext.Current.TestOutputHelper!.WriteLine($"{before} of {Queued} had ended when the failover was started, {ended} when it was over.");

            Assert.Equal(FailoverOutcome.Completed, report.Outcome);
            Assert.InRange(ended, 0, Queued / 2);
        });

        async Task<long> EndedAsync() => (await server.Client.CountWorkflowsAsync($"TaskQueue = '{queue}' AND ExecutionStatus = 'Completed'")).Count;
    }
}

/// <summary>A server that nobody else has to wait for.</summary>
public sealed class CrowdedServer : RunbookServer;
