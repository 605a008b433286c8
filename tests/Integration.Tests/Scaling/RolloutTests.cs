using PlatformOps.Adapters;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Connection;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.Integration.Tests.Scaling;

/// <summary>A version of workers is rolled out on a real server, with real workers of both versions and new runs all the time.</summary>
public sealed class RolloutTests : IAsyncLifetime
{
    private const string Deployment = "business-workers", Queue = "orders";

    private static readonly string[] Rollout = ["rollout", "development", Deployment, "--region", "us-east-1", "--output", "json", "--build-id"];

    private readonly Cli cli = new();
    private BootstrapServerHost server = null!;
    private TemporalClient client = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes, Namespaces = ["default", "orders"] }, Ct);
        client = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = "orders" });
        cli["TEMPORAL_ADDRESS"] = server.Address;
    }

    public async ValueTask DisposeAsync()
    {
        cli.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_version_that_fails_at_ten_percent_is_taken_back_one_that_does_well_gets_all_and_pinned_runs_stay_where_they_are()
    {
        var connections = Path.Combine(cli.Home, "connections.json");
        new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { ["us-east-1"] = new() { Kubeconfig = "/nowhere", TemporalAddress = server.Address } } }.Save(connections);
        var root = Alerts.Tools.Root;
        using var runbooks = cli.Start("worker", "--connections", connections, "--specification", Path.Combine(root, "examples/reference"), "--catalog", Path.Combine(root, "k8s/components"));
        await using var one = new Version(client, "1");
        await Wait.UntilAsync(async () => await IsCurrentAsync("1"), () => "Version 1 does not become current.");
        var pinned = await client.StartWorkflowAsync((OrderWorkflow order) => order.RunAsync(true), new("pinned", Queue));
        await Wait.UntilAsync(async () => await pinned.QueryAsync(order => order.Build()) == "1", () => "Nobody works on the pinned run.");
        await using var load = new Load(client);

        await using var two = new Version(client, "2", fails: true);
        var failed = await cli.RunAsync([.. Rollout, "2", "--percentages", "10", "--step-for", "1s", "--at-least", "5"]);
        Assert.Equal(8, failed.ExitCode);
        var report = failed.Json.GetProperty("report");
        Assert.Equal("returned", report.GetProperty("outcome").GetString());
        Assert.Contains("more than 5% worse. All new runs go to 1 again", report.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Equal(("1", (string?)null), await RouteAsync());
        Assert.Equal("1", await pinned.QueryAsync(order => order.Build()));

        await using var three = new Version(client, "3");
        var done = await cli.RunAsync([.. Rollout, "3", "--percentages", "50", "--step-for", "1s", "--at-least", "2", "--keep", "0"]);
        Assert.True(done.ExitCode == 0, done.Error + done.Output);
        report = done.Json.GetProperty("report");
        Assert.Equal(("rolledOut", 2), (report.GetProperty("outcome").GetString(), report.GetProperty("parts").GetArrayLength()));
        Assert.Equal(("3", (string?)null), await RouteAsync());
        // Workers of the failed version still poll: Temporal does not forget it, and the report says so.
        Assert.StartsWith("2: ", Assert.Single(report.GetProperty("notForgotten").EnumerateArray()).GetString(), StringComparison.Ordinal);

        Assert.Equal("1", await pinned.QueryAsync(order => order.Build()));
        await pinned.SignalAsync(order => order.EndAsync());
        Assert.Equal("1", await pinned.GetResultAsync().WaitAsync(TimeSpan.FromMinutes(1), Ct));
        Assert.Equal("asWanted", (await cli.RunAsync([.. Rollout, "3"])).Json.GetProperty("outcome").GetString());
    }

    private async Task<bool> IsCurrentAsync(string build)
    {
        try
        {
            await client.WorkflowService.SetWorkerDeploymentCurrentVersionAsync(new() { Namespace = "orders", DeploymentName = Deployment, BuildId = build, Identity = "the test" });
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    private async Task<(string? Current, string? Ramping)> RouteAsync()
    {
        var routing = (await client.WorkflowService.DescribeWorkerDeploymentAsync(new() { Namespace = "orders", DeploymentName = Deployment })).WorkerDeploymentInfo.RoutingConfig;
        return (routing.CurrentDeploymentVersion?.BuildId, routing.RampingDeploymentVersion?.BuildId);
    }

    /// <summary>An order that says which version worked on it; version 2 has a fault.</summary>
    [Workflow]
    public sealed class OrderWorkflow
    {
        private string build = "";
        private bool end;

        [WorkflowRun]
        public async Task<string> RunAsync(bool waits)
        {
            build = await Workflow.ExecuteActivityAsync((Clerk clerk) => clerk.Work(), new() { StartToCloseTimeout = TimeSpan.FromSeconds(10), RetryPolicy = new() { MaximumAttempts = 1 } });
            await Workflow.WaitConditionAsync(() => end || !waits);
            return build;
        }

        [WorkflowQuery]
        public string Build() => build;

        [WorkflowSignal]
        public Task EndAsync()
        {
            end = true;
            return Task.CompletedTask;
        }
    }

    public sealed class Clerk(string build, bool fails)
    {
        [Activity]
        public string Work() => fails ? throw new ApplicationFailureException("A fault of this version.", nonRetryable: true) : build;
    }

    /// <summary>The workers of a version, until disposed.</summary>
    private sealed class Version : IAsyncDisposable
    {
        private readonly TemporalWorker worker;
        private readonly CancellationTokenSource stop = new();
        private readonly Task working;

        public Version(ITemporalClient client, string build, bool fails = false)
        {
            worker = new(client, new TemporalWorkerOptions(Queue) { DeploymentOptions = new(new(Deployment, build), true) { DefaultVersioningBehavior = VersioningBehavior.Pinned } }
                .AddWorkflow<OrderWorkflow>().AddAllActivities(new Clerk(build, fails)));
            working = worker.ExecuteAsync(stop.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await working.ContinueWith(_ => { }, TaskScheduler.Default);
            worker.Dispose();
            stop.Dispose();
        }
    }

    /// <summary>One order after the other, until disposed.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task working;

        public Load(ITemporalClient client) => working = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await client.ExecuteWorkflowAsync((OrderWorkflow order) => order.RunAsync(false), new($"order-{Guid.NewGuid()}", Queue) { Rpc = new() { CancellationToken = stop.Token } });
                }
                catch (WorkflowFailedException)
                {
                    // What the version with the fault got.
                }
                catch (Exception stopped) when (stop.IsCancellationRequested && stopped is OperationCanceledException or RpcException)
                {
                    // Nobody may be there any more to work on it.
                }
            }
        });

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await working;
            stop.Dispose();
        }
    }
}
