using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Sandbox;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;
using AwsDatabases = PlatformOps.Adapters.Aws.Databases.DatabaseInstances;

namespace PlatformOps.Integration.Tests.Scaling;

/// <summary>Another class of a managed database, by the activity and on the sandbox's RDS.</summary>
public sealed class DatabaseResizeTests(SandboxCluster cluster) : IAsyncLifetime
{
    private readonly SandboxAws aws = new();
    private BootstrapServerHost server = null!;
    private TemporalClient client = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await aws.InitializeAsync();
        server = await BootstrapServerHost.StartAsync(new(), Ct);
        client = await TemporalClient.ConnectAsync(new(server.Address) { DataConverter = PlatformOpsDataConverter.Instance });
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await aws.DisposeAsync();
    }

    [Theory]
    [InlineData(FaultKind.Cut)]
    [InlineData(FaultKind.CutAfterEffect)]
    public async Task Whatever_call_is_lost_RDS_changes_it_once_and_says_why(FaultKind kind)
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        using var scaling = platform.Scaling();
        var (lost, modified) = (new HashSet<string>(), 0);
        aws.Inject(new() { Kind = kind, When = call => call.Path.EndsWith("ModifyDBInstance", StringComparison.Ordinal) && Interlocked.Increment(ref modified) > 0 && lost.Add(call.Path) });
        aws.Inject(new() { Kind = kind, When = call => call.Changes && !call.Path.EndsWith("ModifyDBInstance", StringComparison.Ordinal) && lost.Add(call.Path) });
        var input = Input(platform, "db.t3.medium", "db.t3.large") with { Temporary = new("op-scale", "db.t3.medium", new(2026, 3, 1, 18, 0, 0, TimeSpan.Zero)) };

        var done = await UntilDoneAsync(() => platform.RunAsync(() => scaling.ResizeDatabaseAsync(input), client));
        aws.ClearFaults();
        Assert.Equal("db.t3.large", (await platform.RunAsync(() => scaling.ResizeDatabaseAsync(input), client)).Class);

        Assert.Equal("db.t3.large", done.Class);
        // The one that was cut had no effect.
        Assert.Equal(kind == FaultKind.Cut ? 2 : 1, modified);
        var instance = await InstanceAsync(platform);
        Assert.Equal(("db.t3.large", null, "available"), (instance.Class, instance.Pending.Class, instance.Status));
        Assert.Equal(
            ("op-scale", "the sale. more load.", "db.t3.large", "db.t3.medium", "2026-03-01T18:00:00Z", "op-1"),
            (instance.Tags[ScaleMarks.By], instance.Tags[ScaleMarks.Reason], instance.Tags[ScaleMarks.To], instance.Tags[ScaleMarks.Before], instance.Tags[ScaleMarks.Until], instance.Tags[Ownership.CreatedByAnnotation]));

        // Back, for good: nothing says any more that something else comes.
        Assert.Equal("db.t3.medium", (await platform.RunAsync(() => scaling.ResizeDatabaseAsync(Input(platform, "db.t3.large", "db.t3.medium")), client)).Class);
        Assert.DoesNotContain((await InstanceAsync(platform)).Tags.Keys, tag => tag is ScaleMarks.Until or ScaleMarks.Before);
    }

    [Fact]
    public async Task A_class_that_somebody_else_has_set_is_left()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        using var scaling = platform.Scaling();
        using var here = aws.Connect();
        await new AwsDatabases(here).ChangeAsync(platform.Database, new() { Class = "db.t3.xlarge" }, platform.Owner, Ct);

        Assert.Equal("db.t3.xlarge", (await platform.RunAsync(() => scaling.ResizeDatabaseAsync(Input(platform, "db.t3.medium", "db.t3.large")), client)).Class);
        var replaced = await Assert.ThrowsAsync<ApplicationFailureException>(() => platform.RunAsync(() => scaling.ResizeDatabaseAsync(Input(platform, "db.t3.xlarge", "db.t3.large") with { ResourceId = "db-OTHER" }), client));
        Assert.Contains("is another instance by now", replaced.Message, StringComparison.Ordinal);
        Assert.Equal("db.t3.xlarge", (await InstanceAsync(platform)) is var left ? left.Pending.Class ?? left.Class : null);
    }

    [Fact]
    public async Task What_RDS_refuses_leaves_what_the_tags_say_of_the_class_that_it_keeps()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        using var scaling = platform.Scaling();
        Task<ResizedDatabase> ResizeAsync(ResizeDatabaseInput input) => platform.RunAsync(() => scaling.ResizeDatabaseAsync(input), client);
        await ResizeAsync(Input(platform, "db.t3.medium", "db.t3.large") with { Temporary = new("op-scale", "db.t3.medium", new(2026, 3, 1, 18, 0, 0, TimeSpan.Zero)) });
        aws.Inject(new() { Kind = FaultKind.Error, StatusCode = 400, When = call => call.Path.EndsWith("ModifyDBInstance", StringComparison.Ordinal) });

        Assert.True((await Assert.ThrowsAsync<ApplicationFailureException>(() => ResizeAsync(Input(platform, "db.t3.large", "db.t3.xlarge")))).NonRetryable);
        aws.ClearFaults();
        var kept = await InstanceAsync(platform);
        Assert.Equal(("db.t3.large", "db.t3.large", "db.t3.medium"), (kept.Class, kept.Tags[ScaleMarks.To], kept.Tags[ScaleMarks.Before]));

        // The tag speaks of the class that it names, and of no other.
        Assert.Equal(PlannedAction.Conflict, await PlannedAsync());

        // Asked for again and for good, it does not end any more; a stranger's class is not taken for one that was asked for.
        await ResizeAsync(Input(platform, "db.t3.large", "db.t3.large"));
        Assert.DoesNotContain(ScaleMarks.Until, (await InstanceAsync(platform)).Tags.Keys);
        using var here = aws.Connect();
        await new AwsDatabases(here).ChangeAsync(platform.Database, new() { Class = "db.t3.xlarge" }, platform.Owner, Ct);
        await ResizeAsync(Input(platform, "db.t3.xlarge", "db.t3.xlarge"));
        Assert.Equal("db.t3.large", (await InstanceAsync(platform)).Tags[ScaleMarks.To]);
        Assert.Equal(PlannedAction.Change, await PlannedAsync());

        async Task<PlannedAction> PlannedAsync() => (await platform.PlanAsync()).Single(planned => planned.Address is { Kind: "DatabaseInstance", Region: CloudPlatform.Primary }).Action;
    }

    [Fact]
    public async Task Nothing_is_asked_of_RDS_in_the_middle_of_a_failover_nor_what_stops_a_replica_from_copying()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync();
        using var scaling = platform.Scaling();
        var modified = 0;
        aws.Inject(new() { Kind = FaultKind.Latency, Delay = TimeSpan.Zero, When = call => call.Path.EndsWith("ModifyDBInstance", StringComparison.Ordinal) && Interlocked.Increment(ref modified) > 0 });
        Task<ApplicationFailureException> RefusedAsync(string to) => Assert.ThrowsAsync<ApplicationFailureException>(() => platform.RunAsync(() => scaling.ResizeDatabaseAsync(Input(platform, "db.t3.medium", to)), client));
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions("failovers").AddWorkflow<StubFailover>());
        await worker.ExecuteAsync(async () =>
        {
            var failover = await client.StartWorkflowAsync((StubFailover run) => run.RunAsync(), new(RegionFailover.WorkflowId(platform.Environment), "failovers"));
            Assert.DoesNotContain("failover", (await RefusedAsync("db.t3.large")).Message, StringComparison.Ordinal);
            foreach (var phase in new[] { RunbookPhase.AwaitingApproval, RunbookPhase.Acting, RunbookPhase.Parked, RunbookPhase.RollingBack })
            {
                await failover.SignalAsync(run => run.EnterAsync(phase));
                await Wait.UntilAsync(async () => (await failover.QueryAsync(run => run.Status())).Phase == phase, () => $"It is not {phase}.");
                Assert.Contains($"stays db.t3.medium for now: failover/{platform.Environment}: It does something. A failover is under way", (await RefusedAsync("db.t3.small")).Message, StringComparison.Ordinal);
            }

            await failover.SignalAsync(run => run.EnterAsync(RunbookPhase.Completed));
            await failover.GetResultAsync();
            var replica = await RefusedAsync("db.t3.large");
            Assert.True(replica.NonRetryable);
            Assert.Contains($"{platform.Database} of {CloudPlatform.Secondary} copies {platform.Database} and is db.t3.medium", replica.Message, StringComparison.Ordinal);
            Assert.Equal(0, modified);

            await platform.RunAsync(() => scaling.ResizeDatabaseAsync(Input(platform, "db.t3.medium", "db.t3.large") with { Subject = new(platform.Environment, "app", CloudPlatform.Secondary) }), client);
            Assert.Equal("db.t3.large", (await platform.RunAsync(() => scaling.ResizeDatabaseAsync(Input(platform, "db.t3.medium", "db.t3.large")), client)).Class);
        });
    }

    private static ResizeDatabaseInput Input(CloudPlatform platform, string from, string to) => new(new(platform.Environment, "app", CloudPlatform.Primary), null, from, to, "op-scale", "the sale, more load!");

    private async Task<DatabaseInstance> InstanceAsync(CloudPlatform platform)
    {
        using var here = aws.Connect();
        return (await new AwsDatabases(here).FindAsync(platform.Database, Ct))!;
    }

    /// <summary>A run of failovers that says of itself what the test has it say.</summary>
    [Workflow(nameof(RegionFailover))]
    internal sealed class StubFailover
    {
        private RunbookPhase phase = RunbookPhase.Observing;

        [WorkflowRun]
        public Task RunAsync() => Workflow.WaitConditionAsync(() => phase == RunbookPhase.Completed);

        [WorkflowSignal]
        public Task EnterAsync(RunbookPhase next)
        {
            phase = next;
            return Task.CompletedTask;
        }

        [WorkflowQuery("status")]
        public RunbookStatus Status() => new() { Runbook = nameof(RegionFailover), Environment = "e", OperationId = "op", Phase = phase, Summary = "It does something.", Steps = [], IfStoppedNow = "", Compensations = [] };
    }

    /// <summary>As Temporal does: what may be tried again is.</summary>
    private static async Task<T> UntilDoneAsync<T>(Func<Task<T>> activity)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await activity();
            }
            catch (ApplicationFailureException failure) when (!failure.NonRetryable && attempt < 10)
            {
                // The next attempt looks anew.
            }
        }
    }
}
