using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Failover;

/// <summary>What failovers do to the outside.</summary>
/// <param name="sources">Where specification and catalog are; read anew by every activity that needs them.</param>
/// <param name="connections">How the databases and what leads to them are reached.</param>
/// <param name="open">Opens the database of an environment; called once for each.</param>
/// <param name="time">The clock of rhythms; default: the system's.</param>
/// <param name="drills">Makes copies for drills here; null: nobody does.</param>
public sealed partial class FailoverActivities(
    ProvisioningSources sources, PlatformConnections connections, Func<string, FailoverAccess, FailoverPair> open, TimeProvider? time = null, IDrillCopies? drills = null) : IFailoverActivities, IDisposable
{
    /// <summary>A fraction of the shortest time for which the failover lets a step be silent (3 s).</summary>
    private static readonly TimeSpan HeartbeatRhythm = TimeSpan.FromSeconds(1);

    private readonly RegionConnections regions = new(connections);
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, FailoverPair> pairs = new();
    private readonly TimeProvider time = time ?? TimeProvider.System;

    private static Temporalio.Client.ITemporalClient Bootstrap => ActivityExecutionContext.Current.TemporalClient;

    private static CancellationToken Cancellation => ActivityExecutionContext.Current.CancellationToken;

    /// <inheritdoc/>
    public Task<FailoverSettings> ReadFailoverSettingsAsync(ReadFailoverSettingsInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var environment = SpecifiedEnvironment.Read(sources, input.Environment).Environment;
        if (environment.Regions.Count < 2)
            throw Invalid($"Environment {environment.Name} has one region; a failover needs a second one.");
        var names = environment.Regions.Take(2).Select(region => region.Name).ToList();
        var pair = Pair(input.Environment, input.Drill);
        var entry = await pair.Witness.ReadAsync(Cancellation);
        return new FailoverSettings
        {
            Regions = names,
            Policy = environment.Failover,
            Timing = pair.Timing,
            ClosesWithin = (pair.Database as OperatedDatabase)?.ClosesWithin,
            PlannedMayLose = pair.Database is OperatedDatabase { HandsOverEverything: false },
            Approvals = environment.GuardRails.Approvals,
            RegionQueues = names.ToDictionary(name => name, name => input.Drill && drills?.Find(input.Environment) is not null ? TaskQueues.Drill : TaskQueues.Of(name)),
            Witness = entry is { Record: var record } ? new(record.Epoch, record.Primary, record.Lease, record.Replaced, TimeSpan.Zero) : null,
            WitnessOperation = entry?.Record.OperationId,
        };
    });

    /// <inheritdoc/>
    public Task ObserveRegionAsync(ObserveRegionInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var activity = ActivityExecutionContext.Current;
        var observed = activity.TemporalClient.GetWorkflowHandle(input.WorkflowId);
        using var observer = new FailoverObserver(
            input.Region, input.Regions, Pair(input.Environment, input.Drill), Around(input.Environment, input.Drill).ServicesAsync,
            // Bounded: a report that arrives late is worth less than the next one.
            (report, ct) => observed.SignalAsync("evidence", [report], new() { Rpc = new() { CancellationToken = ct, Timeout = TimeSpan.FromSeconds(2) } }),
            () => activity.Heartbeat(), time);
        await observer.RunAsync(activity.CancellationToken);
        return true;
    });

    /// <inheritdoc/>
    public Task<FailoverStepResult> PrepareAsync(FailoverOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var pair = Pair(order);
        var exported = order.Kind == FailoverKind.Failback && await pair.Database.ObserveAsync(order.To, Cancellation) is not { Role: NodeRole.Standby, Streaming: true }
            ? await FollowAsync(pair.Database, order.To, order.From, order.Epoch) : null;
        var standby = await pair.Database.ObserveAsync(order.To, Cancellation);
        var primary = await pair.Database.ObserveAsync(order.From, Cancellation);
        if (standby is not { Role: NodeRole.Standby, Streaming: true } || !primary.Writable)
            throw Unavailable($"{order.To} is {standby.Role} and {(standby.Streaming == true ? "streams" : "does not stream")}, {order.From} is {(primary.Writable ? "" : "not ")}writable: a switchover needs a primary and a standby that follows it.");
        return new FailoverStepResult($"{order.To} follows; it lacks {Math.Max(0, (primary.ReceivedLsn - standby.ReceivedLsn) ?? 0)} bytes.{(exported is null ? "" : $" {exported.Detail}")}");
    });

    /// <inheritdoc/>
    public Task<ClaimedEpoch> ClaimEpochAsync(ClaimOrder order) => ActivityFailures.MappedAsync(() => new WitnessClaims(Pair(order).Witness).ClaimAsync(order, Cancellation));

    /// <inheritdoc/>
    public Task<FencedNode> FenceAsync(FenceOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var pair = Pair(order);
        var node = await WatchedAsync(pair.Database.FenceAsync(order.From, order.Epoch, order.Drain, Cancellation), $"{order.From} is fenced");
        if (!node.Fenced)
            throw Unavailable($"{order.From} answered and is not fenced: {node.Trouble ?? $"it is {node.Role}"}.");
        if (order.Kind == FailoverKind.Failover)
            await new WitnessClaims(pair.Witness).EndReplacedAsync(order, Cancellation);
        return new FencedNode(true, $"{order.From} is stopped and fenced{(node.ReceivedLsn is { } end ? $", its log ends at {end}" : "")}.", node.ReceivedLsn);
    });

    /// <inheritdoc/>
    public Task<FailoverStepResult> PromoteAsync(FailoverOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var database = Pair(order).Database;
        var node = await WatchedAsync(
            order.Forced ? database.PromoteUnfencedAsync(order.To, order.Epoch, Cancellation) : database.PromoteAsync(order.To, order.Epoch, Cancellation), $"{order.To} is promoted");
        return node.Writable ? new FailoverStepResult($"{order.To} is primary{(node.Timeline is { } timeline ? $" on timeline {timeline}" : "")}.") : throw Unavailable($"{order.To} was promoted and is not writable yet: {node.Trouble ?? $"it is {node.Role}"}.");
    });

    /// <inheritdoc/>
    public Task<FailoverStepResult> VerifyAsync(FailoverOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var pair = Pair(order);
        await pair.Probe(order.To, Cancellation);
        var node = await pair.Database.ObserveAsync(order.To, Cancellation);
        return node is { Writable: true } && node.Epoch == order.Epoch
            ? new FailoverStepResult($"A write through the clients' path to {order.To} was acknowledged in epoch {node.Epoch}.")
            : throw Unavailable($"{order.To} took a write and says that it is in epoch {node.Epoch}, {(node.Writable ? "" : "not ")}writable; epoch {order.Epoch} is wanted.");
    });

    /// <inheritdoc/>
    public Task<FailoverStepResult> RepointAsync(FailoverOrder order) => ActivityFailures.MappedAsync(async () => new FailoverStepResult(await Around(order.Environment, order.Drill).RepointAsync(order, Cancellation)));

    /// <inheritdoc/>
    public Task<FailoverStepResult> ScaleRegionAsync(FailoverOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var services = await WatchedAsync(Around(order.Environment, order.Drill).ServicesAsync(order.To, Cancellation), $"the services of {order.To} are asked");
        return services.FirstOrDefault(service => service.Answers == false) is { } silent
            ? throw Unavailable($"{silent.Service} of {order.To} does not answer: {silent.Detail}")
            : new FailoverStepResult($"The services of {order.To} answer. Both regions are specified with the same replicas, so that nothing is scaled.");
    });

    /// <inheritdoc/>
    public Task<FailoverStepResult> RunCanaryAsync(FailoverOrder order) =>
        ActivityFailures.MappedAsync(async () => new FailoverStepResult(await WatchedAsync(Around(order.Environment, order.Drill).RunCanaryAsync(order, Cancellation), "canaries run")));

    /// <inheritdoc/>
    public Task<RebuiltNode> RebuildAsync(FailoverOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var database = Pair(order).Database;
        var around = Around(order.Environment, order.Drill);
        // Clients of a region that is back have no use for a primary that is no longer there, and a rebuild may take hours.
        var led = await around.RepointRestAsync(order, mayLeave: true, Cancellation);
        var rebuilt = await FollowAsync(database, order.From, order.To, order.Epoch);
        while (Access(order.Environment, order.Drill).Synchronous && await database.SetSynchronousAsync(order.To, synchronous: true, order.Epoch, Cancellation) is { Synchronous: not true })
        {
            ActivityExecutionContext.Current.Heartbeat($"{order.From} catches up");
            await Task.Delay(TimeSpan.FromMilliseconds(500), time, Cancellation);
        }

        led = await WatchedAsync(around.RepointRestAsync(order, mayLeave: false, Cancellation), $"what leads to {order.From} is led to {order.To}") ?? led;
        return led is null ? rebuilt : rebuilt with { Detail = $"{rebuilt.Detail} {led}" };
    });

    /// <inheritdoc/>
    public Task<ReadinessReport> CheckReadinessAsync(CheckReadinessInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var found = await new FailoverReadinessCheck(Pair(input.Environment, input.Drill), Access(input.Environment, input.Drill), time).CheckAsync(Cancellation);
        if (input.LastDrill)
            found = new([.. found.Items, .. await LookAtPointersAsync(input.Environment, Cancellation), await new LastDrill(Bootstrap, time).LookAsync(input.Environment, Cancellation), await new LastStandbyLook(Bootstrap, time).LookAsync(input.Environment, null, Cancellation)]);
        if (!input.Drill)
            ReadinessMetrics.Record(ActivityExecutionContext.Current.MetricMeter, input.Environment, found, time.GetUtcNow());
        return found;
    });

    /// <summary>Whether a failover could change what leads to the primary, without any Temporal server. Changes nothing.</summary>
    public Task<IReadOnlyList<ReadinessItem>> LookAtPointersAsync(string environment, CancellationToken ct) => Around(environment, drill: false).PointersReadyAsync(ct);

    /// <inheritdoc/>
    public Task<ReadinessItem> ReadCapacityAsync(ReadCapacityInput input) => ActivityFailures.MappedAsync(() => new LastStandbyLook(Bootstrap, time).LookAsync(input.Environment, input.Region, Cancellation));

    /// <inheritdoc/>
    public Task<ClaimedEpoch> ClaimBackAsync(FailoverOrder order) => ActivityFailures.MappedAsync(() => new WitnessClaims(Pair(order).Witness).ClaimBackAsync(order, Cancellation));

    /// <inheritdoc/>
    public Task<FailoverStepResult> UnfenceAsync(FailoverOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var node = await WatchedAsync(Pair(order).Database.UnfenceAsync(order.From, order.Epoch, Cancellation), $"{order.From} is let serve again");
        return new FailoverStepResult($"{order.From} is {(node.Writable ? "" : "not ")}writable in epoch {node.Epoch}.");
    });

    /// <inheritdoc/>
    public Task<DrillCopy?> PrepareDrillAsync(DrillOrder order) => ActivityFailures.MappedAsync<DrillCopy?>(async () =>
    {
        if (connections.Failover.ContainsKey(Key(order.Environment, drill: true)))
            return null;
        var regions = SpecifiedEnvironment.Read(sources, order.Environment).Environment.Regions.Take(2).Select(region => region.Name).ToList();
        Forget(order.Environment);
        return await WatchedAsync(Copies(order).MakeAsync(order, Access(order.Environment, drill: false), regions, Cancellation), "the copy is made");
    });

    /// <inheritdoc/>
    public Task<FailoverStepResult> LoseDrillPrimaryAsync(DrillOrder order) => ActivityFailures.MappedAsync(async () => new FailoverStepResult(await Copies(order).LoseAsync(order, Cancellation)));

    /// <inheritdoc/>
    public Task<FailoverStepResult> ReturnDrillNodeAsync(DrillOrder order) => ActivityFailures.MappedAsync(async () => new FailoverStepResult(await Copies(order).ReturnAsync(order, Cancellation)));

    /// <inheritdoc/>
    public Task<DrillAccount> AccountForDrillAsync(DrillOrder order) => ActivityFailures.MappedAsync(() => WatchedAsync(Copies(order).AccountAsync(order, Cancellation), "rows are counted"));

    /// <inheritdoc/>
    public Task<RemovedDrill> RemoveDrillAsync(DrillOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var removed = await WatchedAsync(Copies(order).RemoveAsync(order, Access(order.Environment, drill: false), Cancellation), "the copy is removed");
        Forget(order.Environment);
        return removed;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        regions.Dispose();
        foreach (var pair in pairs.Values)
            (pair.Database as IDisposable)?.Dispose();
    }

    /// <summary>Exports what only the node has, then makes a standby of it, until it streams.</summary>
    private async Task<RebuiltNode> FollowAsync(IFailoverDatabase database, string node, string primary, long epoch)
    {
        // Asked also of a node that follows already: whoever had it exported may have died before it could say what was found.
        var divergence = await WatchedAsync(database.ExportDivergenceAsync(node, primary, epoch, Cancellation), $"what only {node} has is exported");
        // Told to follow also when it does: one that changed places by itself may still be closed.
        while (await WatchedAsync(database.FollowAsync(node, primary, epoch, Cancellation), $"{node} is rebuilt") is var now && now is not { Role: NodeRole.Standby, Streaming: true })
        {
            ActivityExecutionContext.Current.Heartbeat($"{node} is {now.Role}");
            await Task.Delay(TimeSpan.FromMilliseconds(500), time, Cancellation);
        }

        return new($"{node} follows {primary}.", divergence is { Location: not null } only ? new(only.FromLsn, only.ToLsn, only.Transactions, only.Rows, only.Location) : null);
    }

    /// <summary>Heartbeats while a call goes on that may take longer than a worker may be silent: otherwise every attempt would be cut off and none would ever end.</summary>
    private async Task<T> WatchedAsync<T>(Task<T> call, string what)
    {
        while (!Cancellation.IsCancellationRequested && await Task.WhenAny(call, Task.Delay(HeartbeatRhythm, time, Cancellation)) != call)
            ActivityExecutionContext.Current.Heartbeat(what);
        return await call;
    }

    private FailoverSurroundings Around(string environment, bool drill) => new(regions, new(() => SpecifiedEnvironment.Read(sources, environment)), Access(environment, drill));

    private FailoverPair Pair(FailoverOrder order) => Pair(order.Environment, order.Drill);

    private FailoverPair Pair(string environment, bool drill) => pairs.GetOrAdd(Key(environment, drill), key => open(key, Access(environment, drill)));

    private IDrillCopies Copies(DrillOrder order) => drills ?? throw new AdapterException(
        AdapterFailureKind.Rejected, $"This worker makes no copies of {order.Environment}. Start the drill on the task queue {TaskQueues.Drill}, and a worker with failover.{order.Environment}.drill in its connections file: see docs/runbooks/drill.md.");

    /// <summary>Every copy is reached in another way.</summary>
    private void Forget(string environment)
    {
        if (pairs.TryRemove(Key(environment, drill: true), out var pair))
            (pair.Database as IDisposable)?.Dispose();
    }

    private FailoverAccess Access(string environment, bool drill) => drill && drills?.Find(environment) is { } copy ? copy : connections.Failover.GetValueOrDefault(Key(environment, drill)) ?? throw new AdapterException(
        AdapterFailureKind.Rejected, $"The connections file does not say how the database of {Key(environment, drill)} is reached. State failover.{Key(environment, drill)}: see docs/runbooks/failover.md.");

    private static string Key(string environment, bool drill) => drill ? $"{environment}-drill" : environment;

    private static AdapterException Unavailable(string message) => new(AdapterFailureKind.Unavailable, message);

    private static ApplicationFailureException Invalid(string message) => new(message, FailureTypes.InvalidSpecification, nonRetryable: true);
}
