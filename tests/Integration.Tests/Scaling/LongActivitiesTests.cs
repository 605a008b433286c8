using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.Adapters;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Scaling;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Runtime;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.Integration.Tests.Scaling;

/// <summary>
/// ScaleComponent takes away workers of the official SDK in the middle of activities of half an hour, whose clock and whose server's clock the test moves. The test plays
/// the kubelet: a pod that is gone in the cluster tells its worker to stop.
/// </summary>
public sealed class LongActivitiesTests(SandboxCluster cluster)
{
    private const int Pods = 4, Each = 2, Staying = 2, More = 4;

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(30), Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Scaling_in_while_activities_of_half_an_hour_run_causes_no_timeout_and_no_retry()
    {
        var clock = new FakeTimeProvider(new(2031, 5, 6, 7, 8, 9, TimeSpan.Zero));
        await using var orders = await BootstrapServerHost.StartAsync(new() { TimeProvider = clock }, Ct);
        await using var world = await World.CreateAsync(cluster, orders.Address);
        var client = await TemporalClient.ConnectAsync(new(orders.Address));
        using var work = new Work(clock);
        var names = await world.PodsAsync();
        await using var workers = await Workers.StartAsync(orders.Address, names, work);
        var runs = new List<WorkflowHandle<LongWorkflow>>();
        await StartAsync(Pods * Each);
        await UntilQuietAsync(Pods * Each);
        Assert.All(names, name => Assert.Equal(Each, work.StartedBy(name)));
        clock.Advance(TimeSpan.FromMinutes(10));
        await workers.UntilAllSayAsync(client, Each);

        // Pods that had less time to stop than the longest activity takes would cut it off: nobody goes.
        world.SayLongest("60m");
        var kept = await world.ScaleAsync(Staying, drainWithin: "1s");
        Assert.Equal((ScaleOutcome.Returned, Pods), (kept.Outcome, (await world.PodsAsync()).Count));
        Assert.Contains($"All {Pods} workers are in the middle of something ({Pods * Each} activities run)", kept.Summary, StringComparison.Ordinal);

        world.SayLongest("30m");
        Assert.Equal(ScaleOutcome.Scaled, (await world.ScaleAsync(Staying, drainWithin: "1m")).Outcome);
        var leaving = names.Except(await world.PodsAsync()).ToList();
        Assert.Equal(Pods - Staying, leaving.Count);
        await workers.StopAsync(client, leaving);
        // More work comes. It waits for those that stay, which have their hands full.
        await StartAsync(More);
        await UntilQuietAsync(Pods * Each);
        Assert.All(leaving, name => Assert.False(workers.Ended(name).IsCompleted, $"{name} ended before what it had begun."));

        clock.Advance(Long - TimeSpan.FromMinutes(10));
        await Task.WhenAll(runs.Take(Pods * Each).Select(run => run.GetResultAsync())).WaitAsync(Patience, Ct);
        await Task.WhenAll(leaving.Select(workers.Ended)).WaitAsync(Patience, Ct);
        await UntilQuietAsync((Pods * Each) + More);
        Assert.All(leaving, name => Assert.Equal(Each, work.StartedBy(name)));
        clock.Advance(Long);
        await Task.WhenAll(runs.Select(run => run.GetResultAsync())).WaitAsync(Patience, Ct);

        foreach (var run in runs)
        {
            var events = (await run.FetchHistoryAsync()).Events;
            Assert.Equal(1, Assert.Single(events, item => item.EventType == EventType.ActivityTaskStarted).ActivityTaskStartedEventAttributes.Attempt);
            Assert.DoesNotContain(events, item => item.EventType is EventType.ActivityTaskTimedOut or EventType.ActivityTaskFailed or EventType.ActivityTaskCanceled or EventType.WorkflowTaskTimedOut or EventType.WorkflowTaskFailed);
        }

        async Task StartAsync(int count)
        {
            for (var number = 0; number < count; number++)
                runs.Add(await client.StartWorkflowAsync((LongWorkflow workflow) => workflow.RunAsync(), new($"long-{runs.Count}", "orders")));
        }

        // A workflow task that is under way would time out when the clock jumps.
        Task UntilQuietAsync(int started) => Wait.UntilAsync(
            async () => work.Started == started && (await Task.WhenAll(runs.Select(run => client.WorkflowService.DescribeWorkflowExecutionAsync(new() { Namespace = "default", Execution = new() { WorkflowId = run.Id } })))).All(run => run.PendingWorkflowTask is null),
            () => $"{work.Started} of {started} activities have started.", Patience);
    }

    /// <summary>A cluster with the workers' Deployment, and a Temporal with the runbooks.</summary>
    private sealed class World : IAsyncDisposable
    {
        private const string Scaling = "\nscaling: {workload: Deployment/web, tasks: {namespace: default, queue: orders, longest: LONGEST} }\n";

        private readonly Cli cli = new();
        private readonly TestPlatform platform;
        private readonly KubectlLike kubectl;
        private readonly string component;
        private BootstrapServerHost server = null!;
        private TemporalClient client = null!;
        private RunningCli runbooks = null!;

        private World(TestCluster cluster, TestPlatform platform)
        {
            (this.platform, kubectl) = (platform, new(cluster));
            platform.Scale(1, 8);
            platform.Specify($"{{replicas: {Pods}}}");
            component = platform.Read("catalog/app/component.yaml").Replace("health:", "health:\n  - temporalFrontend: {service: web, port: 7233}", StringComparison.Ordinal);
            platform.Write("catalog/app/web.yaml", platform.Read("catalog/app/web.yaml").Replace("      containers:", "      terminationGracePeriodSeconds: 2700\n      containers:", StringComparison.Ordinal));
            SayLongest("30m");
        }

        public static async Task<World> CreateAsync(SandboxCluster cluster, string temporal)
        {
            var world = new World(cluster, await TestPlatform.CreateAsync(cluster));
            var connections = Path.Combine(world.cli.Home, "connections.json");
            new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = new() { Kubeconfig = cluster.Kubeconfig(world.platform.Proxy.Address, world.platform.Proxy.Token), TemporalAddress = temporal } } }.Save(connections);
            world.server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes }, Ct);
            world.cli["TEMPORAL_ADDRESS"] = world.server.Address;
            world.runbooks = world.cli.Start("worker", "--connections", connections, "--specification", world.platform.SpecificationFolder, "--catalog", Path.Combine(world.platform.SpecificationFolder, "../catalog"));
            world.client = await TemporalClient.ConnectAsync(new(world.server.Address) { DataConverter = PlatformOpsDataConverter.Instance });
            await world.platform.ProvisionAsync();
            await Wait.UntilAsync(async () => (await world.PodsAsync()).Count == Pods, () => "The pods were to become ready.");
            return world;
        }

        /// <summary>What the catalog says of the longest activity.</summary>
        public void SayLongest(string longest) => platform.Write("catalog/app/component.yaml", component + Scaling.Replace("LONGEST", longest, StringComparison.Ordinal));

        public async Task<ScaleReport> ScaleAsync(int replicas, string drainWithin)
        {
            var input = new ScaleComponentInput { Environment = platform.Environment, Component = "app", Region = TestPlatform.Region, Replicas = replicas, Reason = "night", DrainWithin = drainWithin };
            var run = await client.StartWorkflowAsync(nameof(ScaleComponent), [input], new(ScaleComponent.WorkflowId(platform.Environment, "app", TestPlatform.Region), TaskQueues.Default));
            return await run.GetResultAsync<ScaleReport>().WaitAsync(Patience, Ct);
        }

        /// <summary>Those that are ready and not about to go.</summary>
        public async Task<IReadOnlyList<string>> PodsAsync() =>
            [.. (await kubectl.GetAsync($"/api/v1/namespaces/{platform.Space}/pods"))!["items"]!.AsArray().OfType<JsonObject>()
                .Where(pod => pod["metadata"]!["deletionTimestamp"] is null && pod["status"]?["conditions"]?.AsArray().Any(condition => ((string?)condition!["type"], (string?)condition["status"]) is ("Ready", "True")) == true)
                .Select(pod => (string)pod["metadata"]!["name"]!)];

        public async ValueTask DisposeAsync()
        {
            runbooks.Dispose();
            await server.DisposeAsync();
            kubectl.Dispose();
            await platform.DisposeAsync();
            cli.Dispose();
        }
    }

    /// <summary>A worker in each pod, which has forty minutes to end what it has begun.</summary>
    private sealed class Workers : IAsyncDisposable
    {
        private readonly Dictionary<string, (TemporalWorker Worker, CancellationTokenSource Stop, Task Ended)> all = [];
        private readonly Work work;

        private Workers(Work work) => this.work = work;

        public static async Task<Workers> StartAsync(string address, IEnumerable<string> pods, Work work)
        {
            var workers = new Workers(work);
            var runtime = new TemporalRuntime(new() { WorkerHeartbeatInterval = TimeSpan.FromSeconds(1) });
            foreach (var pod in pods)
            {
                var client = await TemporalClient.ConnectAsync(new(address) { Runtime = runtime, Identity = pod });
                var worker = new TemporalWorker(client, new TemporalWorkerOptions("orders") { MaxConcurrentActivities = Each, GracefulShutdownTimeout = TimeSpan.FromMinutes(40) }
                    .AddWorkflow<LongWorkflow>().AddActivity(ActivityDefinition.Create("Long", typeof(Task), [], 0, _ => work.DoAsync(pod))));
                var stop = new CancellationTokenSource();
                workers.all[pod] = (worker, stop, worker.ExecuteAsync(stop.Token).ContinueWith(_ => { }, TaskScheduler.Default));
            }

            return workers;
        }

        public Task Ended(string pod) => all[pod].Ended;

        /// <summary>In a cluster the host's name, by which the product goes, is the pod's. Here all are on one host, and what each says of itself is said again under its pod's.</summary>
        public async Task UntilAllSayAsync(ITemporalClient client, int activities)
        {
            foreach (var pod in all.Keys)
            {
                await Wait.UntilAsync(async () => (await HeartbeatAsync(client, pod))?.ActivityTaskSlotsInfo?.CurrentUsedSlots == activities, () => $"{pod} was to say that it does {activities} activities.");
                var said = (await HeartbeatAsync(client, pod))!.Clone();
                (said.WorkerInstanceKey, said.WorkerIdentity, said.HostInfo.HostName) = (pod, $"{pod} in a cluster", pod);
                await client.WorkflowService.RecordWorkerHeartbeatAsync(new() { Namespace = "default", WorkerHeartbeat = { said } });
            }
        }

        /// <summary>As the kubelet does. A workflow task that meets a worker before it has said goodbye is lost in it, until it times out; so it is with every server.</summary>
        public async Task StopAsync(ITemporalClient client, IReadOnlyList<string> pods)
        {
            foreach (var pod in pods)
                await all[pod].Stop.CancelAsync();
            foreach (var pod in pods)
                await Wait.UntilAsync(async () => (await HeartbeatAsync(client, pod))?.Status is WorkerStatus.ShuttingDown or WorkerStatus.Shutdown, () => $"{pod} was to say goodbye.");
        }

        public async ValueTask DisposeAsync()
        {
            // What still runs would keep its worker from ending.
            work.Dispose();
            foreach (var (worker, stop, ended) in all.Values)
            {
                await stop.CancelAsync();
                await ended;
                worker.Dispose();
                stop.Dispose();
            }
        }

        private static async Task<Temporalio.Api.Worker.V1.WorkerHeartbeat?> HeartbeatAsync(ITemporalClient client, string pod)
        {
            var found = (await client.WorkflowService.ListWorkersAsync(new() { Namespace = "default", PageSize = 100, Query = $"WorkerIdentity = '{pod}'" })).Workers;
            return found.Count == 0 ? null : (await client.WorkflowService.DescribeWorkerAsync(new() { Namespace = "default", WorkerInstanceKey = found[0].WorkerInstanceKey })).WorkerInfo.WorkerHeartbeat;
        }
    }

    /// <summary>Takes half an hour of the clock, or until it is disposed.</summary>
    private sealed class Work(TimeProvider clock) : IDisposable
    {
        private readonly ConcurrentQueue<string> started = [];
        private readonly CancellationTokenSource off = new();

        public int Started => started.Count;

        public int StartedBy(string pod) => started.Count(name => name == pod);

        public Task DoAsync(string pod)
        {
            var done = Task.Delay(Long, clock, off.Token);
            started.Enqueue(pod);
            return done;
        }

        public void Dispose() => off.Cancel();
    }

    [Workflow]
    public sealed class LongWorkflow
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.ExecuteActivityAsync("Long", [], new() { StartToCloseTimeout = Long + TimeSpan.FromMinutes(1) });
    }
}
