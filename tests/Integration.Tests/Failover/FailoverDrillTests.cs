using Microsoft.Extensions.Logging.Abstractions;
using PlatformOps.Activities;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Failover;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using Temporalio.Worker;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Drills of a real pair: a copy is cloned from its standby, lost or handed over, scored and removed, and the pair itself is only read.</summary>
public sealed class FailoverDrillTests(ITestOutputHelper output)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_drill_practises_on_a_copy_that_is_removed_while_production_works_on()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: true, GuardedPair.Patient);
        await using var ledger = Ledger.Start(pair, writers: 1);
        await ledger.MoreAsync(100);
        var folder = Path.Combine(pair.Files.Folder, "drills");
        var locations = Locations.From(null, null, null);
        await using var server = await BootstrapServers.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes }, Ct);
        var client = await TemporalTarget.Of(server.Address, "a test").ConnectAsync(Ct);
        await using var copies = new DrillCopies(NullLogger.Instance);
        using var activities = new FailoverActivities(new ProvisioningSources(locations.Specification, locations.Catalog), Connections(pair, folder), FailoverPairs.Open, drills: copies);
        using var worker = new TemporalWorker(client, WorkerRegistration.CreateFailoverWorkerOptions(activities, TaskQueues.Drill));
        await worker.ExecuteAsync(
            async () =>
            {
                foreach (var scenario in Enum.GetValues<DrillScenario>())
                {
                    var run = await client.StartWorkflowAsync(
                        nameof(RegionFailover), [new RegionFailoverRequest { Environment = "production", Mode = FailoverRunMode.Drill, Scenario = scenario }], new(RegionFailover.DrillId("production"), TaskQueues.Drill));
                    var report = await run.GetResultAsync<FailoverReport>().WaitAsync(TimeSpan.FromMinutes(5), Ct);
                    output.WriteLine($"{report.Summary} {string.Join(", ", report.Phases.Select(phase => $"{phase.Name} {phase.Seconds:0.0} s"))}; {report.Drill!.Copy?.Detail} {report.Drill.Removed?.Looked}");

                    Assert.True(report.Drill.Passed, report.Summary);
                    Assert.Equal((FailoverOutcome.Completed, GuardedPair.Second, 2), (report.Outcome, report.To, report.Epoch));
                    Assert.InRange(report.Drill.Account!.Acknowledged, 10, int.MaxValue);
                    Assert.Equal((0, 1), (report.Drill.Account.Lost, report.Drill.Account.MaxWritable));
                    Assert.True(report.Drill.Copy!.Bytes > 1_000_000);
                    Assert.Empty(report.Drill.Removed!.Left);
                    Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
                    Assert.Null(copies.Find("production"));
                }
            },
            Ct);

        // Of all this production has seen a clone being read.
        var record = (await pair.Witness.ReadAsync(Ct))!.Record;
        Assert.Equal((1, GuardedPair.First, "guard-init"), (record.Epoch, record.Primary, record.OperationId));
        Assert.Equal((1L, true, true), await pair.LookAsync(GuardedPair.First) is { } node ? (node.Epoch, node.Writable, node.Synchronous == true) : default);
        await ledger.MoreAsync(50);
        await ledger.StopAsync();
        Assert.Equal((1, 0), (ledger.MaxWritable(), await ledger.LostAsync(GuardedPair.First)));
    }

    [Fact]
    public async Task A_worker_without_a_place_for_copies_says_so()
    {
        var locations = Locations.From(null, null, null);
        await using var server = await BootstrapServers.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes }, Ct);
        var client = await TemporalTarget.Of(server.Address, "a test").ConnectAsync(Ct);
        using var activities = new FailoverActivities(new ProvisioningSources(locations.Specification, locations.Catalog), new(), FailoverPairs.Open);
        using var worker = new TemporalWorker(client, WorkerRegistration.CreateFailoverWorkerOptions(activities));
        var failure = await worker.ExecuteAsync(
            async () =>
            {
                var run = await client.StartWorkflowAsync(
                    nameof(RegionFailover), [new RegionFailoverRequest { Environment = "production", Mode = FailoverRunMode.Drill }], new(RegionFailover.DrillId("production"), TaskQueues.Failover));
                return await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(() => run.GetResultAsync<FailoverReport>());
            },
            Ct);

        Assert.Contains("This worker makes no copies of production. Start the drill on the task queue platformops.drill", failure.InnerException!.Message, StringComparison.Ordinal);
    }

    private static PlatformConnections Connections(GuardedPair pair, string folder) => new()
    {
        // What is not there must not be looked for elsewhere.
        Regions = pair.Files.Nodes.ToDictionary(node => node, _ => new RegionConnection { Kubeconfig = "/nowhere", TemporalAddress = "127.0.0.1:1", Aws = new(Endpoint: "http://127.0.0.1:1") }),
        Failover = new Dictionary<string, FailoverAccess>
        {
            ["production"] = new()
            {
                // Nobody acts on these: an address that leads nowhere proves it.
                Nodes = pair.Files.Nodes.ToDictionary(node => node, _ => new FailoverNodeAccess("https://127.0.0.1:1", "127.0.0.1:1")),
                GuardTls = new(pair.Files.Certificates.Authority, pair.Files.Certificates.Certificate(LocalPair.Operator), pair.Files.Certificates.Key(LocalPair.Operator)),
                Drill = new(GuardedPair.Second, pair.Files[GuardedPair.Second].Replication.Listen, pair.Files[GuardedPair.Second].PasswordFile, folder),
            },
        },
    };
}
