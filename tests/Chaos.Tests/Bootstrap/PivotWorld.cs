using Microsoft.Extensions.Time.Testing;
using PlatformOps.Activities;
using PlatformOps.Adapters.Bootstrap;
using PlatformOps.BootstrapServer;
using PlatformOps.Platform.Bootstrap;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Starter.Commands;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Converters;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.Chaos.Tests.Bootstrap;

/// <summary>Two real servers, with a clock of their own, behind proxies through which the moving process alone goes.</summary>
public sealed class PivotServers : IAsyncLifetime
{
    internal BootstrapServerHost Laptop { get; private set; } = null!;

    internal BootstrapServerHost Durable { get; private set; } = null!;

    internal TemporalProxy ToLaptop { get; private set; } = null!;

    internal TemporalProxy ToDurable { get; private set; } = null!;

    internal CallKiller Killer { get; } = new();

    internal FakeTimeProvider Clock { get; } = new(new(2026, 3, 1, 10, 30, 0, TimeSpan.Zero));

    public async ValueTask InitializeAsync()
    {
        Laptop = await BootstrapServerHost.StartAsync(new() { TimeProvider = Clock });
        Durable = await BootstrapServerHost.StartAsync(new() { TimeProvider = Clock });
        ToLaptop = await TemporalProxy.StartAsync(Laptop.Address, Killer.Faults);
        ToDurable = await TemporalProxy.StartAsync(Durable.Address, Killer.Faults);
    }

    public async ValueTask DisposeAsync()
    {
        await ToLaptop.DisposeAsync();
        await ToDurable.DisposeAsync();
        await Laptop.DisposeAsync();
        await Durable.DisposeAsync();
    }
}

/// <summary>The standing work of one namespace of the laptop's server, with its worker, and where it is moved to.</summary>
internal sealed class PivotWorld : IAsyncDisposable
{
    public const string Hourly = "drift/production", Resting = "backup/production/temporal", Watch = "failover/production";

    private readonly PivotServers servers;
    private readonly string space = $"runbooks-{Guid.NewGuid():N}";
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<string, Temporalio.Api.Schedule.V1.Schedule> declared = [];
    private readonly FakeTimeProvider clock;
    private ITemporalClient laptop = null!, durable = null!;
    private BootstrapCluster source = null!, target = null!;
    private Task working = Task.CompletedTask;

    private PivotWorld(PivotServers servers) => (this.servers, clock) = (servers, servers.Clock);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<PivotWorld> StartAsync(PivotServers servers)
    {
        var world = new PivotWorld(servers);
        world.laptop = await ConnectAsync(servers.Laptop.Address, world.space);
        world.durable = await ConnectAsync(servers.Durable.Address, world.space);
        (world.source, world.target) = (new(world.laptop, BootstrapCommand.Work), new(world.durable, BootstrapCommand.Work));
        await world.laptop.WorkflowService.RegisterNamespaceAsync(new() { Namespace = world.space, WorkflowExecutionRetentionPeriod = new() { Seconds = 86_400 } });
        var attributes = new Temporalio.Api.OperatorService.V1.AddSearchAttributesRequest { Namespace = world.space };
        attributes.SearchAttributes.Add(BootstrapServers.SearchAttributes.ToDictionary());
        await world.laptop.OperatorService.AddSearchAttributesAsync(attributes);
        world.working = world.WorkAsync();
        await world.ScheduleAsync(Hourly, nameof(DetectDrift), new() { Note = "every hour, on the hour" });
        await world.ScheduleAsync(Resting, nameof(DetectDrift), new() { Paused = true, Note = "until the disks are there" });
        await world.ScheduleAsync("theirs", "SomethingElse", new());
        await world.laptop.StartWorkflowAsync(
            nameof(RegionFailover), [new RegionFailoverRequest { Environment = "production", State = new() { Operations = 7 } }], new(Watch, TaskQueues.Failover) { TaskTimeout = RegionFailover.TaskTimeout });
        return world;
    }

    /// <summary>One process that moves, through the proxies, until it ends or dies.</summary>
    /// <returns>Null: it died.</returns>
    public async Task<PivotEnd?> RunAsync(PivotDirection direction, int call = int.MaxValue, bool afterEffect = false, string? operation = null)
    {
        servers.Killer.Begin();
        var here = new BootstrapCluster(await ConnectAsync(servers.ToLaptop.Address, space), BootstrapCommand.Work);
        var there = new BootstrapCluster(await ConnectAsync(servers.ToDurable.Address, space), BootstrapCommand.Work);
        servers.Killer.Begin(call, afterEffect, operation);
        try
        {
            // What runs have to do takes real time: the clock that waits is the real one.
            var end = await new BootstrapPivot(here, there, new(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1)), new Movable(clock), _ => { }).RunAsync(direction, TimeSpan.FromMinutes(5), Ct);
            return servers.Killer.Died ? null : end;
        }
        catch (Exception) when (servers.Killer.Died)
        {
            return null;
        }
    }

    public void Pass(TimeSpan time) => clock.Advance(time);

    public async Task<(BootstrapSight Source, BootstrapSight Target)> LookAsync() => (await source.ObserveAsync(Ct), await target.ObserveAsync(Ct));

    /// <summary>What has to hold at every moment.</summary>
    public async Task AssertSafeAsync(string when)
    {
        var (here, there) = await LookAsync();
        Assert.False(here.Says.TakesWork && there.Record is { TakesWork: true }, $"Workers take work from both: {when}.");
        foreach (var id in new[] { Hourly, Resting })
        {
            var (one, other) = (here.Schedules.FirstOrDefault(known => known.Id == id), there.Schedules.FirstOrDefault(known => known.Id == id));
            Assert.True(one is not null || other is not null, $"{id} is lost: {when}.");
            Assert.False(one is { Paused: false } && other is { Paused: false }, $"{id} runs in both: {when}.");
            Assert.False(other is { Paused: false } && PivotRules.Active(here.Record) == PivotSide.Source, $"{id} runs at the target, and the source is active: {when}.");
        }

        Assert.True(here.Standing.Count + there.Standing.Count > 0, $"The watch is lost: {when}.");
        Assert.False(here.Standing.Any(run => !run.Suspended) && there.Standing.Count > 0 && there.Says.TakesWork && there.Record is not null, $"Two watch: {when}.");
    }

    /// <summary>All of it is there as it was declared, and nothing elsewhere.</summary>
    /// <param name="fired">How often the hourly schedule came due.</param>
    public async Task AssertAtAsync(PivotSide side, int fired, string when)
    {
        var (here, there) = await LookAsync();
        var ((active, client), (other, _)) = side == PivotSide.Target ? ((there, durable), (here, laptop)) : ((here, laptop), (there, durable));
        Assert.True(active.Says is { Role: BootstrapRole.Active } && other.Record is null or { TakesWork: false }, $"{side} is not the one active cluster: {when}.");
        Assert.True(side == PivotRules.Active(here.Record), when);
        Assert.True(other.Schedules.Count + other.Standing.Count + other.Passing.Count == 0, $"Something is left: {string.Join(", ", other.Work)}: {when}.");
        Assert.Equal([new(Resting, Paused: true), new StandingSchedule(Hourly, Paused: false)], active.Schedules);
        foreach (var (id, schedule) in declared)
            Assert.Equal(schedule, (await client.WorkflowService.DescribeScheduleAsync(new() { Namespace = space, ScheduleId = id })).Schedule);
        Assert.Equal((Watch, false), active.Standing.Select(run => (run.Id, run.Suspended)).Single());
        Assert.Equal(7, (await FirstInputAsync(client)).State?.Operations);
        var all = await laptop.CountWorkflowsAsync($"WorkflowType = '{nameof(DetectDrift)}'");
        var moved = there.NamespaceId is null ? 0 : (await durable.CountWorkflowsAsync($"WorkflowType = '{nameof(DetectDrift)}'")).Count;
        Assert.True(fired == all.Count + moved, $"{Hourly} came due {fired} times and ran {all.Count} times here and {moved} times there: {when}.");
        Assert.Equal("theirs", (await laptop.WorkflowService.DescribeScheduleAsync(new() { Namespace = space, ScheduleId = "theirs" })).Schedule.Action.StartWorkflow.WorkflowId);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await working;
        stop.Dispose();
    }

    private static Task<TemporalClient> ConnectAsync(string address, string space) =>
        TemporalClient.ConnectAsync(new(address) { Namespace = space, DataConverter = PlatformOpsDataConverter.Instance, Runtime = SdkRuntime.Instance });

    private static async Task<RegionFailoverRequest> FirstInputAsync(ITemporalClient client)
    {
        var history = await client.GetWorkflowHandle(Watch).FetchHistoryAsync();
        return await client.Options.DataConverter.ToValueAsync<RegionFailoverRequest>(history.Events.First().WorkflowExecutionStartedEventAttributes.Input.Payloads_[0]);
    }

    private async Task ScheduleAsync(string id, string type, ScheduleState state)
    {
        await laptop.CreateScheduleAsync(id, new(ScheduleActionStartWorkflow.Create(type, [new DetectDriftInput { Environment = "production" }], new(id, TaskQueues.Default)), new() { Intervals = [new(TimeSpan.FromHours(1))] })
        {
            Policy = new() { Overlap = Temporalio.Api.Enums.V1.ScheduleOverlapPolicy.Skip, CatchupWindow = TimeSpan.FromHours(2) },
            State = state,
        });
        if (id != "theirs")
            declared[id] = (await laptop.WorkflowService.DescribeScheduleAsync(new() { Namespace = space, ScheduleId = id })).Schedule;
    }

    private async Task WorkAsync()
    {
        var failovers = WorkerRegistration.CreateFailoverWorkerOptions(WatchedDatabase.Create());
        var rest = new TemporalWorkerOptions(TaskQueues.Default).AddWorkflow<LookedForDrift>();
        await Task.WhenAll(PollAsync(failovers), PollAsync(rest));
    }

    private async Task PollAsync(TemporalWorkerOptions options)
    {
        using var worker = new TemporalWorker(laptop, options);
        try
        {
            await worker.ExecuteAsync(stop.Token);
        }
        catch (OperationCanceledException)
        {
            // It was asked to.
        }
    }

    /// <summary>The servers' time, and real timers.</summary>
    private sealed class Movable(TimeProvider servers) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => servers.GetUtcNow();
    }
}

/// <summary>Looks for drift, and finds none.</summary>
[Workflow(nameof(DetectDrift))]
public sealed class LookedForDrift
{
    [WorkflowRun]
    public Task RunAsync(DetectDriftInput input) => Task.CompletedTask;
}
