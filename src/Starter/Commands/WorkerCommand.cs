using System.CommandLine;
using System.Net;
using PlatformOps.Activities;
using PlatformOps.Activities.Backups;
using PlatformOps.Activities.Certificates;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Activities.Scaling;
using PlatformOps.Activities.Secrets;
using PlatformOps.Adapters;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Failover;
using PlatformOps.Starter.Schedules;
using PlatformOps.Starter.Up;
using PlatformOps.Workflows;

namespace PlatformOps.Starter.Commands;

internal static class WorkerCommand
{
    /// <summary>How long activities may take to come to a safe point before they are cancelled; another worker then tries them again.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var queue = new Option<string>("--task-queue") { Description = $"Where to poll. [default: that of the running `up`, else {TaskQueues.Default}]", HelpName = "NAME" };
        var connections = new Option<string>("--connections")
        {
            Description = "How the platform's clusters are reached (JSON). [default: that of the running `up`, else KUBECONFIG or the cluster that it runs in]",
            HelpName = "FILE",
        };
        var regions = new Option<string[]>("--region")
        {
            Description = "Where this worker stands: it observes databases from there. [default: every region of a database that the connections name]",
            HelpName = "NAME...",
            AllowMultipleArgumentsPerToken = true,
        };
        var metrics = new Option<string>("--metrics")
        {
            Description = "Where Prometheus may read the worker's metrics (GET /metrics), for example 127.0.0.1:9464. [default: nowhere]",
            HelpName = "HOST:PORT",
        };
        var health = new Option<string>("--health")
        {
            Description = "Where Kubernetes may ask how the worker is (GET /healthz, /readyz), for example 0.0.0.0:8080. [default: nowhere]",
            HelpName = "HOST:PORT",
        };
        var domain = new Option<WorkerDomain?>("--domain")
        {
            Description = "Do one part of the work, with the credentials of that part, beside workers that do the rest: Runbooks, Provisioning, Rotation, Backup, Scaling, Failover. [default: everything]",
            HelpName = "DOMAIN",
        };
        var grace = new Option<int>("--grace")
        {
            Description = "How many seconds activities may go on when the worker is told to end; then they are cancelled, and another worker tries them again.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => (int)Grace.TotalSeconds,
        };
        return new CliCommand(
            "worker",
            "Carry runbooks out: poll a Temporal server until Ctrl-C. The server is that of TEMPORAL_*, else that of the `up` that runs on --data.",
            new Example("worker", "for the `up --no-worker` that runs here"),
            new Example("worker --connections platform.json --specification platform/", "with TEMPORAL_ADDRESS set: in production"),
            new Example("worker --domain Rotation --connections rotation.json", "only what replaces secrets and certificates, beside workers of the other domains"))
        {
            queue, connections, regions, metrics, health, domain, grace,
        }
        .Runs(async (invocation, ct) =>
        {
            if (invocation.Get(metrics) is { } address)
                SdkRuntime.MetricsAddress = Address("metrics", address).ToString();
            var asked = invocation.Get(health) is { } given ? Address("health", given) : null;
            var target = TemporalTarget.Find(invocation.Locations.Data);
            var taskQueue = invocation.Get(queue) ?? target.Instance?.TaskQueue ?? TaskQueues.Default;
            var sources = Sources(invocation, target.Instance);
            var leases = new LeaseReports(SdkRuntime.Instance.MetricMeter, new TimedLog(TimeProvider.System, invocation.Verbose), TimeProvider.System, again: TimeSpan.FromMinutes(1));
            var reached = Connections(invocation.Get(connections), invocation.Locations.Data, target.Instance) with { OnLease = leases.Hear };
            var only = invocation.Get(domain);
            var patience = invocation.Get(grace) is >= 0 and var seconds
                ? TimeSpan.FromSeconds(seconds)
                : throw new CommandFailure(ExitCode.Invalid, $"The grace {invocation.Get(grace)} cannot be used.", "Seconds are expected, 0 or more.", "Write for example --grace 20.");
            var polled = only is { } one ? WorkerDomains.QueueOf(one, taskQueue) : taskQueue;
            var client = await target.ConnectAsync(ct);
            await using var activities = new ProvisioningActivities(sources, reached);
            using var log = new ServerLog(invocation.Verbose);
            var drills = reached.Failover.Values.Any(database => database.Drill is not null);
            await using var copies = new DrillCopies(log.CreateLogger("drill"));
            using var secrets = new SecretActivities(sources, reached);
            using var certificates = new CertificateActivities(sources, reached);
            using var backups = new BackupActivities(sources, reached);
            using var scaling = new ScalingActivities(sources, reached);
            using var failovers = new FailoverActivities(sources, reached, FailoverPairs.Opener(reached), drills: drills ? copies : null);
            var here = invocation.Get(regions) is { Length: > 0 } named ? named : [.. reached.Failover.Values.SelectMany(database => database.Nodes.Keys).Distinct()];
            invocation.Terminal.Line($"Worker{(only is null ? "" : $" for {only}")}: polls {polled} on {target.Address}, namespace {client.Options.Namespace} (from: {target.Source}).");
            invocation.Terminal.Line($"  specification: {sources.SpecificationFolder}   catalog: {sources.CatalogFolder}");
            invocation.Terminal.Line("Ctrl-C ends it; what it leaves unfinished is taken up by the next worker.");
            invocation.Terminal.Result(new { taskQueue = polled, domain = only, target.Address, client.Options.Namespace, specification = sources.SpecificationFolder, catalog = sources.CatalogFolder });
            await using var answers = asked is null ? null : await WorkerHealth.StartAsync(asked, client, ct);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var watching = SdkRuntime.MetricsAddress is null ? Task.CompletedTask : new ScheduleMetrics(new(client), SdkRuntime.Instance.MetricMeter).WatchAsync(TimeProvider.System, ended.Token);
            await RunbookWorker.RunAsync(client, activities, secrets, certificates, backups, scaling, failovers, taskQueue, here, drills, patience, ct, answers, only);
            await ended.CancelAsync();
            await watching;
            return ExitCode.Success;
        });
    }

    /// <summary>What was typed, else what the running <c>up</c> was started with: its runs are planned from that.</summary>
    private static ProvisioningSources Sources(Invocation invocation, RunningInstance? instance) => new(
        instance is null || invocation.Has(GlobalOptions.Specification) ? invocation.Locations.Specification : instance.Specification,
        instance is null || invocation.Has(GlobalOptions.Catalog) ? invocation.Locations.Catalog : instance.Catalog);

    private static IPEndPoint Address(string option, string given) => IPEndPoint.TryParse(given, out var address) && address.Port > 0
        ? address
        : throw new CommandFailure(ExitCode.Invalid, $"The {option} address \"{given}\" cannot be used.", "An address and a port are expected.", $"Write for example --{option} 127.0.0.1:9464.");

    internal static PlatformConnections Connections(string? file, string data, RunningInstance? instance)
    {
        file ??= instance is null ? null : DataDirectory.ConnectionsOf(data);
        if (file is null)
            return new PlatformConnections();
        try
        {
            return PlatformConnections.Load(file);
        }
        catch (AdapterException failure)
        {
            throw new CommandFailure(
                ExitCode.Invalid, $"The connections file {file} cannot be used.", failure.Message,
                "See docs/cli.md for its form.", failure);
        }
    }
}
