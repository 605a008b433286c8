using PlatformOps.Activities;
using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>A <c>RegionFailover</c> of an environment of its own with its worker, spoken to as observers, alert receivers and operators do: by names and JSON.</summary>
internal sealed class FailoverRun : IAsyncDisposable
{
    private readonly ITemporalClient client;
    private readonly string queue = $"queue-{Guid.NewGuid()}";
    private CancellationTokenSource stop = new();
    private Task working;

    private FailoverRun(ITemporalClient client, FakeDatabase world, string environment)
    {
        (this.client, World, Environment) = (client, world, environment);
        world.RegionQueues = new Dictionary<string, string> { [East] = queue, [West] = queue };
        working = WorkAsync();
    }

    public FakeDatabase World { get; }

    public string Environment { get; }

    public WorkflowHandle Handle => client.GetWorkflowHandle(RegionFailover.WorkflowId(Environment));

    public static async Task<FailoverRun> StartAsync(RunbookServer server, FakeDatabase? world = null, FailoverRunMode mode = FailoverRunMode.Run, string? environment = null, DrillScenario scenario = DrillScenario.NodeLost, RegionFailoverRequest? carried = null)
    {
        var run = new FailoverRun(server.Client, world ?? new(), environment ?? $"production-{Guid.NewGuid():N}");
        await server.Client.StartWorkflowAsync(
            nameof(RegionFailover), [carried is null ? new RegionFailoverRequest { Environment = run.Environment, Mode = mode, Scenario = scenario } : carried with { Environment = run.Environment }], new(RegionFailover.WorkflowId(run.Environment), run.queue));
        return run;
    }

    /// <summary>The worker is replaced by another one; what the workflow holds in memory is gone.</summary>
    public async Task ReplaceWorkerAsync()
    {
        await StopAsync();
        stop = new();
        working = WorkAsync();
    }

    /// <summary>An alert, as the receiver passes it on: starting the run when there is none.</summary>
    public Task AlertAsync(string key, string status = "firing")
    {
        var options = new WorkflowOptions(RegionFailover.WorkflowId(Environment), queue);
        options.SignalWithStart("alert", [new AlertSignal(key, "PostgresDown", status, East)]);
        return client.StartWorkflowAsync(nameof(RegionFailover), [new RegionFailoverRequest { Environment = Environment }], options);
    }

    /// <summary>What both observers find of the primary: <c>serves</c>, <c>gone</c> or <c>fenced</c>; null: that one is lost.</summary>
    public async Task SeeAsync(string? east, string? west, bool stalled, bool synchronous = true, bool regionGone = false, string primary = East, long epoch = 7, long sequence = 40, TimeSpan ago = default)
    {
        foreach (var (observer, finding) in new[] { (East, east), (West, west) })
        {
            if (finding is not null)
                await Handle.SignalAsync("evidence", [Report(observer, finding, stalled, synchronous, regionGone, primary, epoch, sequence, ago)]);
        }
    }

    public Task LoseAsync(bool synchronous = true, bool regionGone = false) => SeeAsync(null, "gone", stalled: true, synchronous, regionGone);

    public Task<RunbookStatus> StatusAsync() => Handle.QueryAsync<RunbookStatus>("status", []).WaitAsync(Wait.Patience);

    public Task<FailoverView> ViewAsync() => Handle.QueryAsync<FailoverView>("failover", []).WaitAsync(Wait.Patience);

    public Task<RunbookStatus> UntilAsync(RunbookPhase phase) => Wait.UntilAsync(StatusAsync, status => status.Phase == phase, status => $"{status.Phase}: {status.Summary}");

    public async Task<FailoverReport> ReportAsync(int operation = 1) => (await Wait.UntilAsync(
        ViewAsync, view => view.Last is { } last && last.OperationId.Contains($"-{operation}-", StringComparison.Ordinal), view => view.Decision)).Last!;

    public Task<FailoverView> UntilDecidedAsync(FailoverReason code) => Wait.UntilAsync(ViewAsync, view => view.Code == code, view => $"{view.Code}: {view.Decision}");

    public Task<ControlResult> TellAsync(string control, object input) => Handle.ExecuteUpdateAsync<ControlResult>(control, [input]).WaitAsync(Wait.Patience);

    /// <summary>Why a control is refused.</summary>
    public async Task<string> RefusalAsync(string control, object input)
    {
        var refused = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => TellAsync(control, input));
        return Assert.IsType<ApplicationFailureException>(refused.InnerException).Message;
    }

    public async ValueTask DisposeAsync()
    {
        if ((await Handle.DescribeAsync()).Status == Temporalio.Api.Enums.V1.WorkflowExecutionStatus.Running)
            await Handle.TerminateAsync("The test has ended.");
        await StopAsync();
    }

    private static ObserverReport Report(string observer, string finding, bool stalled, bool synchronous, bool regionGone, string primary, long epoch, long sequence, TimeSpan ago)
    {
        var now = TimeProvider.System.GetUtcNow() - ago;
        var standby = primary == East ? West : East;
        var node = new DatabaseNode { Name = primary, Role = NodeRole.Primary, Writable = true, Fenced = false, Epoch = epoch, Timeline = 3, ReceivedLsn = 5_000, Synchronous = synchronous };
        var follows = node with { Name = standby, Role = NodeRole.Standby, Writable = false, Synchronous = null, ReceivedLsn = 4_000, LastMarker = new(2026, 3, 1, 3, 0, 0, TimeSpan.Zero) };
        var stopped = node with { Role = NodeRole.Stopped, Writable = false, Fenced = true, Synchronous = null, CommitsWaited = synchronous };
        var lease = new PrimaryLease(sequence, TimeSpan.FromSeconds(1), Released: finding == "fenced");
        return new()
        {
            Observer = observer,
            SeenAt = now,
            Nodes =
            [
                finding switch
                {
                    "serves" => new(primary, node, WriteProbe.Written, node, now),
                    "fenced" => new(primary, stopped, WriteProbe.Refused, stopped, now),
                    _ => new(primary, null, WriteProbe.NoAnswer, node, now, now),
                },
                new(standby, follows, WriteProbe.NotTried, follows, now),
            ],
            Lease = new(epoch, primary, lease, null, stalled ? TimeSpan.FromSeconds(0.9) : TimeSpan.Zero),
            Services = regionGone ? [new("kubernetes", primary, false), new("kubernetes", standby, true)] : [],
        };
    }

    private async Task WorkAsync()
    {
        var options = WorkerRegistration.CreateFailoverWorkerOptions(World, queue);
        options.MaxHeartbeatThrottleInterval = TimeSpan.FromMilliseconds(50);
        using var worker = new TemporalWorker(client, options);
        try
        {
            await worker.ExecuteAsync(stop.Token);
        }
        catch (OperationCanceledException)
        {
            // It was asked to.
        }
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        await working;
        stop.Dispose();
    }
}
