using System.Collections.Concurrent;
using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Failover;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>What failovers do to the outside, as a recording: a witness that swaps only what it was asked to, and steps that fail or wait where a test says so.</summary>
internal sealed class FakeDatabase : IFailoverActivities
{
    public const string East = "us-east-1";
    public const string West = "us-west-2";

    private readonly Lock gate = new();
    private readonly List<string> events = [];
    private readonly ConcurrentDictionary<string, Gate> gates = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Exception>> failures = new();
    private readonly ConcurrentDictionary<string, int> observers = new();
    private WitnessRecord witness = new(7, East, "first", new(40, TimeSpan.FromSeconds(1), false), null);

    public FailoverPolicy Policy { get; set; } = new(FailoverMode.Automatic, FailoverMode.Approval, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5));

    public FailoverTiming Timing { get; init; } = new() { FreshFor = TimeSpan.FromMinutes(5) };

    public int Approvals { get; init; }

    /// <summary>How many observers there were at once in one region, at most.</summary>
    public int MostObservers { get; private set; }

    /// <summary>What a look at what failovers need finds.</summary>
    public IReadOnlyList<ReadinessItem> Readiness { get; set; } = [new("lag", true, "None.")];

    /// <summary>How it is looked, where that differs from look to look; null: <see cref="Readiness"/> is found.</summary>
    public Func<Task<IReadOnlyList<ReadinessItem>>>? Look { get; set; }

    /// <summary>Every activity that changes something dies once after its effect and before its answer.</summary>
    public bool Twice { get; init; }

    public IReadOnlyDictionary<string, string> RegionQueues { get; set; } = new Dictionary<string, string>();

    public ConcurrentQueue<FailoverOrder> Orders { get; } = [];

    public WitnessRecord Witness
    {
        get
        {
            lock (gate)
                return witness;
        }

        set
        {
            lock (gate)
                witness = value;
        }
    }

    /// <summary>What was done, in order, without the observers.</summary>
    public IReadOnlyList<string> Events
    {
        get
        {
            lock (gate)
                return [.. events];
        }
    }

    /// <summary>Makes a step wait; <c>claim</c>, <c>fence</c>, <c>promote</c> and so on.</summary>
    public Gate Hold(string step) => gates.GetOrAdd(step, _ => new());

    /// <summary>Makes the next such step fail for good.</summary>
    public FakeDatabase Fail(string step, string message, string type)
    {
        failures.GetOrAdd(step, _ => new()).Enqueue(new ApplicationFailureException(message, type, nonRetryable: true));
        return this;
    }

    public Task<FailoverSettings> ReadFailoverSettingsAsync(ReadFailoverSettingsInput input)
    {
        var now = Witness;
        return Task.FromResult(new FailoverSettings
        {
            Regions = [East, West],
            Policy = Policy,
            Timing = Timing,
            Approvals = Approvals,
            RegionQueues = RegionQueues,
            Witness = new(now.Epoch, now.Primary, now.Lease, now.Replaced, TimeSpan.Zero),
            WitnessOperation = now.OperationId,
        });
    }

    public async Task ObserveRegionAsync(ObserveRegionInput input)
    {
        var activity = ActivityExecutionContext.Current;
        var now = observers.AddOrUpdate(input.Region, 1, (_, before) => before + 1);
        MostObservers = Math.Max(MostObservers, now);
        try
        {
            while (true)
            {
                activity.Heartbeat();
                await Task.Delay(TimeSpan.FromMilliseconds(200), activity.CancellationToken);
            }
        }
        finally
        {
            if (gates.TryGetValue("observersEnd", out var held))
                await held.LingerAsync();
            observers.AddOrUpdate(input.Region, 0, (_, before) => before - 1);
        }
    }

    public Task<FailoverStepResult> PrepareAsync(FailoverOrder order) => DidAsync("prepare", order, "It follows.");

    public Task<ClaimedEpoch> ClaimEpochAsync(ClaimOrder order) => DoAsync("claim", order, () =>
    {
        if (witness.OperationId == order.OperationId)
            return new(witness.Epoch);
        if (witness.Epoch != order.Epoch || order.StalledSequence is { } stalled && witness.Lease?.Sequence != stalled)
            return new(witness.Epoch, "The lease has been renewed since.");
        witness = witness.Claim(order.To, order.OperationId, fenced: false);
        return new ClaimedEpoch(witness.Epoch);
    });

    public Task<FencedNode> FenceAsync(FenceOrder order) => DoAsync("fence", order, () => new FencedNode(true, "It is fenced."));

    public Task<FailoverStepResult> PromoteAsync(FailoverOrder order) => DoAsync("promote", order, () =>
    {
        witness = witness.Renew(TimeSpan.FromSeconds(1));
        return new FailoverStepResult("It is writable.");
    });

    public Task<FailoverStepResult> VerifyAsync(FailoverOrder order) => DidAsync("verify", order, "Written and read back.");

    public Task<FailoverStepResult> RepointAsync(FailoverOrder order) => DidAsync("repoint", order, "Repointed.");

    public Task<FailoverStepResult> MoveNamespacesAsync(FailoverOrder order) =>
        DoAsync("namespaces", order, () => new FailoverStepResult("Active there.") { Namespaces = [new("orders", "west", 2, order.Kind == FailoverKind.Failover ? null : 1.5)] });

    /// <summary>What is found to be left of a change of places.</summary>
    public IReadOnlyList<NextStep> Left { get; init; } = [];

    public Task<UnfinishedFailover> ReadUnfinishedAsync(ReadUnfinishedInput input) => Task.FromResult(new UnfinishedFailover(Witness.Epoch, Left));

    /// <summary>The watches over handovers that have begun, by how long nothing may be under way for one to end.</summary>
    public ConcurrentQueue<TimeSpan> Watches { get; } = [];

    public async Task<WatchedHandover> GuardHandoverAsync(GuardHandoverOrder order)
    {
        Watches.Enqueue(order.Quiet);
        while (order.Quiet > TimeSpan.Zero)
        {
            ActivityExecutionContext.Current.Heartbeat();
            await Task.Delay(TimeSpan.FromMilliseconds(50), ActivityExecutionContext.Current.CancellationToken);
        }

        return new("orders was closed for 1.5 s at most.");
    }

    public Task<FailoverStepResult> ScaleRegionAsync(FailoverOrder order) => DidAsync("scale", order, "Scaled.");

    public Task<FailoverStepResult> RunCanaryAsync(FailoverOrder order) => DidAsync("canary", order, "It ended well.");

    public Task<RebuiltNode> RebuildAsync(FailoverOrder order) => DoAsync("rebuild", order, () => new RebuiltNode("It follows.", new(10, 20, 2, 3, "s3://divergence/1")));

    /// <summary>What the last look at the standby's region found.</summary>
    public ReadinessItem Capacity { get; init; } = new("capacity", true, "There is room.");

    public Task<ReadinessItem> ReadCapacityAsync(ReadCapacityInput input) => Task.FromResult(Capacity);

    public async Task<ReadinessReport> CheckReadinessAsync(CheckReadinessInput input)
    {
        lock (gate)
            events.Add("readiness");
        if (failures.TryGetValue("readiness", out var queue) && queue.TryDequeue(out var failure))
            throw failure;
        return new(Look is { } look ? await look() : Readiness);
    }

    public Task<ClaimedEpoch> ClaimBackAsync(FailoverOrder order) => DoAsync("claimBack", order, () =>
    {
        if (witness.OperationId != $"{order.OperationId}-back")
            witness = witness.Claim(order.From, $"{order.OperationId}-back", fenced: false);
        return new ClaimedEpoch(witness.Epoch);
    });

    public Task<FailoverStepResult> UnfenceAsync(FailoverOrder order) => DidAsync("unfence", order, "It serves again.");

    /// <summary>Null: people have made the copy.</summary>
    public DrillCopy? Copy { get; init; }

    public DrillAccount Account { get; init; } = new(1000, 0, 3, 1, 1.2);

    public IReadOnlyList<string> LeftOfCopy { get; init; } = [];

    public Task<DrillCopy?> PrepareDrillAsync(DrillOrder order) => Task.FromResult(Copy);

    public Task<FailoverStepResult> LoseDrillPrimaryAsync(DrillOrder order) => OfCopy("lose", new FailoverStepResult("It is lost."));

    public Task<FailoverStepResult> ReturnDrillNodeAsync(DrillOrder order) => OfCopy("return", new FailoverStepResult("It is back."));

    public Task<DrillAccount> AccountForDrillAsync(DrillOrder order) => OfCopy("account", Account);

    public Task<RemovedDrill> RemoveDrillAsync(DrillOrder order) => OfCopy("remove", new RemovedDrill("Everything.", LeftOfCopy));

    private Task<T> OfCopy<T>(string what, T result)
    {
        lock (gate)
            events.Add(what);
        return failures.TryGetValue(what, out var queue) && queue.TryDequeue(out var failure) ? throw failure : Task.FromResult(result);
    }

    private Task<FailoverStepResult> DidAsync(string step, FailoverOrder order, string detail) => DoAsync(step, order, () => new FailoverStepResult(detail));

    private async Task<T> DoAsync<T>(string step, FailoverOrder order, Func<T> effect)
    {
        if (gates.TryGetValue(step, out var held))
            await held.PassAsync();
        if (failures.TryGetValue(step, out var queue) && queue.TryDequeue(out var failure))
            throw failure;
        T result;
        lock (gate)
        {
            Orders.Enqueue(order);
            events.Add(step);
            result = effect();
        }

        return Twice && ActivityExecutionContext.Current.Info.Attempt == 1 ? throw new InvalidOperationException("Died after the effect.") : result;
    }
}
