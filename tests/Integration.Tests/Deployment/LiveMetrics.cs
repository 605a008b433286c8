using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PlatformOps.Activities.Backups;
using PlatformOps.Activities.Certificates;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Scaling;
using PlatformOps.Activities.Secrets;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Schedules;
using PlatformOps.BootstrapServer;
using PlatformOps.Guard.Api;
using PlatformOps.Guard.Postgres;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Alerts;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Scaling;
using PlatformOps.Starter.Alerts;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Demos;
using PlatformOps.Starter.Schedules;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Secrets;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Runtime;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>The names of the metrics of a worker, an alert receiver and a guard: what the code leaves of sample facts at the SDK's own exporter, and what real runs leave there.</summary>
public sealed class LiveMetrics : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    internal HashSet<string> Names { get; } = [];

    public async ValueTask InitializeAsync()
    {
        var address = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"127.0.0.1:{LocalPorts.Take()}");
        var runtime = new TemporalRuntime(new() { Telemetry = new() { Metrics = new(new PrometheusOptions(address)) } });
        await using var server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        var client = await TemporalClient.ConnectAsync(new(server.Address) { DataConverter = PlatformOpsDataConverter.Instance, Runtime = runtime });
        await RunAsync(client);
        Record(runtime.MetricMeter);
        await client.CreateScheduleAsync("drift/production", new(ScheduleActionStartWorkflow.Create(nameof(DetectDrift), [new DetectDriftInput { Environment = "production" }], new("drift/production", "nothing")), new()) { State = new() { Paused = true } });
        using var enough = new CancellationTokenSource();
        var watching = new ScheduleMetrics(new TemporalSchedules(client), runtime.MetricMeter).WatchAsync(TimeProvider.System, enough.Token);
        using var http = new HttpClient();
        var text = "";
        await Wait.UntilAsync(
            async () => (text = await http.GetStringAsync(new Uri($"http://{address}/metrics"))).Contains("platformops_schedule_next_run_seconds", StringComparison.Ordinal), () => "The schedule is in no metric.", TimeSpan.FromMinutes(3));
        await enough.CancelAsync();
        await watching;
        Add(text);
        Add(await OfReceiverAsync());
        var node = new DatabaseNode { Name = "us-east-1", Role = NodeRole.Primary, Writable = true, Fenced = false, Epoch = 7, Timeline = 3, ReceivedLsn = 12, Streaming = true, Synchronous = true, LastMarker = Now };
        var view = new ServerView(Recovering: false, 3, 12, 12, Streaming: true, Synchronous: true, Marker: Now, 7, StandbyLacks: 0);
        Add(GuardMetrics.Write("production", node, view, TimeSpan.FromSeconds(1), 4, Now));
        Add(GuardMetrics.Write("production", node with { Role = NodeRole.Standby }, view with { Recovering = true }, TimeSpan.Zero, 0));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A runbook that finds nothing to work on and fails, with the activity's failure, and a workflow whose activity ends well.</summary>
    private static async Task RunAsync(TemporalClient client)
    {
        var nowhere = Directory.CreateTempSubdirectory("platformops-nowhere-").FullName;
        using var secrets = new SecretActivities(new(nowhere, nowhere), new PlatformConnections { Regions = new Dictionary<string, RegionConnection>() });
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions("metrics").AddWorkflow<RotateSecrets>().AddAllActivities<ISecretActivities>(secrets).AddWorkflow<Well>().AddActivity(Well.Nothing));
        await worker.ExecuteAsync(async () =>
        {
            await client.ExecuteWorkflowAsync((Well workflow) => workflow.RunAsync(), new("well", "metrics"));
            var failing = await client.StartWorkflowAsync((RotateSecrets workflow) => workflow.RunAsync(new RotateSecretsInput { Environment = "nowhere" }), new("secrets/nowhere", "metrics"));
            await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(() => failing.GetResultAsync());
            await Assert.ThrowsAnyAsync<Temporalio.Exceptions.RpcException>(() => client.GetWorkflowHandle("nobody").SignalAsync("nothing", []));
        }, TestContext.Current.CancellationToken);
        Directory.Delete(nowhere, recursive: true);
    }

    private static void Record(Temporalio.Common.MetricMeter meter)
    {
        CertificateMetrics.Record(meter,
        [
            new(new("production", "us-east-1", "web"), "platform", "security/web", FoundOwner.Ours, Now, Now, Due: true, Unfinished: false),
            new(new("production", "us-east-1", "edge/www"), "", "www", FoundOwner.External, null, null, Due: false, Unfinished: false) { Problem = CertificateProblem.NoHandshake, LookedAt = Now },
        ]);
        new LeaseReports(meter, NullLogger.Instance, TimeProvider.System, TimeSpan.FromMinutes(1)).Hear(new("us-east-1", "token", "approle", new(TimeSpan.FromHours(1), Now, "Vault is sealed.")));
        SecretMetrics.Record(meter, [new(new("production", "us-east-1", "shop"), "shop", "shop", 1, Now, TimeSpan.FromDays(30), Due: false, Unfinished: false)], Now);
        ReadinessMetrics.Record(meter, "production", new([new("witness", true, "It is renewed.")]), Now);
        var store = new BackupDefinition
        {
            Name = "state",
            Store = StoreKind.KubernetesState,
            Schedules = [],
            Retention = TimeSpan.FromDays(14),
            MinimumSets = 1,
            Rpo = TimeSpan.FromHours(24),
            Rto = TimeSpan.FromHours(1),
            VerifyEvery = TimeSpan.FromDays(7),
            Grace = TimeSpan.FromDays(1),
        };
        var set = new BackupSet
        {
            Id = "one",
            Environment = "production",
            Region = "us-east-1",
            Store = "state",
            Kind = StoreKind.KubernetesState,
            Method = BackupMethod.Full,
            Outcome = BackupOutcome.Complete,
            StartedAt = Now,
            FinishedAt = Now,
            Proof = new(Proved: true, Now, "verify", [], TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2)),
        };
        BackupMetrics.Record(meter, new("production", "state"), store, [set], Now);
        var how = new ScalingDefinition("replicas", new("Deployment", "web", "shop"), [new("cpu", SignalKind.Average, "", 70, "%")], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5), 100, 25);
        ScalingMetrics.Record(meter, "production",
        [
            new(new("web", "us-east-1", "replicas", null, how, new(1, 10), 2), new(2, 2, [new("cpu", 50, Now)], null, Now), "uid", [], new(), null, new(0, 1, false, TimeSpan.FromHours(1)), null),
        ]);
    }

    private static async Task<string> OfReceiverAsync()
    {
        var metrics = new AlertMetrics();
        var alert = new Alert { Key = "one", Name = "Something", Status = AlertStatus.Firing, Labels = new Dictionary<string, string>(), Source = "alertmanager" };
        metrics.Received(alert);
        metrics.PassedOn(new("database", "production", "RegionFailover"));
        metrics.Unrouted(alert);
        metrics.NotAccepted();
        using var text = new MemoryStream();
        await metrics.WriteAsync(text, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private void Add(string text) => Names.UnionWith(text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.IndexOfAny(['{', ' '])]));

    [Workflow]
    public sealed class Well
    {
        [Activity]
        public static void Nothing()
        {
            // That it ends is all.
        }

        [WorkflowRun]
        public Task RunAsync() => Workflow.ExecuteActivityAsync(() => Nothing(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
    }
}
