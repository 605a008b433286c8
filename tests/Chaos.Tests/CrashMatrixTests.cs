using PlatformOps.Activities;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Specifications;
using PlatformOps.Starter.Up;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Testing;
using Temporalio.Worker;

namespace PlatformOps.Chaos.Tests;

/// <summary>The reference platform's production environment, provisioned by workers that are killed at every side effect.</summary>
public sealed class CrashMatrixTests : IDisposable
{
    private const string Environment = "production";

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-chaos-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(KillPoints.BeforeAndAfterEffect)]
    [InlineData(KillPoints.AfterCompletion)]
    public async Task There_is_exactly_one_of_everything_whenever_workers_die(KillPoints points)
    {
        var ct = TestContext.Current.CancellationToken;
        var locations = Locations.From(Path.Combine(folder, "data"), Specification(), null);
        using var data = DataDirectory.Take(locations.Data);
        await using var stack = await UpStack.StartAsync(
            new UpOptions(Environment, Port: 0, PortIsWish: false, TimeScale: 0, Seed: 1, Worker: false, Once: true, Approve: false, Reset: false),
            Validation.Of(locations).Specification!, data, locations, verbose: false, ct);
        var killer = new EffectKiller(points);
        // What dies at an effect in AWS is the Integration suite's CloudCrashTests: a bucket takes many calls, and each has its own.
        foreach (var region in stack.Regions)
        {
            foreach (var fault in killer.Faults)
                region.Inject(fault);
        }


        var sources = new ProvisioningSources(locations.Specification, locations.Catalog);
        var connections = PlatformConnections.Load(data.Connections);
        var activities = new KilledActivities(() => new ProvisioningActivities(sources, connections), killer);
        using var worker = new TemporalWorker(stack.Client, WorkerRegistration.CreateWorkerOptions(activities));
        await worker.ExecuteAsync(
            async () =>
            {
                var first = await ProvisionAsync(stack.Client);
                var report = await ReportAsync(first);
                var created = (await first.QueryAsync(workflow => workflow.Objects())).Where(item => item.Result == ObjectResult.Created).Select(item => item.Address).ToList();
                var planned = (await first.QueryAsync(workflow => workflow.Plan()))!.Components.SelectMany(component => component.Objects).Where(item => item.Action == PlannedAction.Create).Select(item => item.Address).ToList();

                Assert.Equal((ProvisioningOutcome.Healthy, ""), (report.Outcome, report.Outcome == ProvisioningOutcome.Healthy ? "" : report.Summary));
                Assert.Equal(killer.Effects * (points == KillPoints.BeforeAndAfterEffect ? 2 : 1), killer.Kills);
                Assert.Equal(Sorted(planned), Sorted(created));
                Assert.Equal(Sorted(created), Sorted((await ListedAsync(sources, connections, report.OperationId)).Objects));
                var inClusters = new List<ResourceAddress>();
                foreach (var region in stack.Regions)
                    inClusters.AddRange(await EverythingOurs.ListAsync(region, ct));
                Assert.Equal(Sorted(planned.Where(address => InCluster(address.ApiVersion))), Sorted(inClusters));

                var effects = killer.Effects;
                Assert.Equal(ProvisioningOutcome.Healthy, (await ReportAsync(await ProvisionAsync(stack.Client))).Outcome);
                Assert.Equal(effects, killer.Effects);
            },
            ct);
    }

    private static Task<WorkflowHandle<ProvisionEnvironment, ProvisioningReport>> ProvisionAsync(ITemporalClient client) => client.StartWorkflowAsync(
        (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = Environment }),
        new(ProvisionEnvironment.WorkflowId(Environment), Workflows.TaskQueues.Default));

    /// <summary>The run's end; that it waits for a person is a failure.</summary>
    private static async Task<ProvisioningReport> ReportAsync(WorkflowHandle<ProvisionEnvironment, ProvisioningReport> run)
    {
        var result = run.GetResultAsync();
        while (!result.IsCompleted)
        {
            var status = await run.QueryAsync(workflow => workflow.Status());
            Assert.True(status.Phase != RunbookPhase.Parked, status.Summary);
            await Task.WhenAny(result, Task.Delay(TimeSpan.FromMilliseconds(500)));
        }

        return await result;
    }

    private static async Task<CreatedObjects> ListedAsync(ProvisioningSources sources, PlatformConnections connections, string operationId)
    {
        await using var activities = new ProvisioningActivities(sources, connections);
        return await new ActivityEnvironment().RunAsync(() => activities.ListCreatedAsync(new(Environment, operationId)));
    }

    private static IReadOnlyList<string> Sorted(IEnumerable<ResourceAddress> addresses) => [.. addresses.Select(address => $"{address.ApiVersion} {address}").Order(StringComparer.Ordinal)];

    private static bool InCluster(string apiVersion) => !apiVersion.Contains(".platformops.io/", StringComparison.Ordinal);

    /// <summary>The reference platform, without a person to approve, and one step at a time: so that it is known whose call is killed.</summary>
    private string Specification()
    {
        var reference = Locations.From(null, null, null).Specification;
        var copy = Path.Combine(folder, "specification");
        foreach (var file in Directory.EnumerateFiles(reference, "*.yaml", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(reference, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllText(target, File.ReadAllText(file)
                .Replace("approvals: 1", "approvals: 0", StringComparison.Ordinal).Replace("maxParallel: 4", "maxParallel: 1", StringComparison.Ordinal));
        }

        return copy;
    }
}
