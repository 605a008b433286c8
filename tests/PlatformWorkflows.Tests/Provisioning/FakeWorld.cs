using System.Collections.Concurrent;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>What runbooks do to the outside, as a recording: it holds objects, makes them on request, and fails or waits where a test says so.</summary>
/// <remarks>Like the real activities it may be asked twice: what already exists is not made again.</remarks>
internal sealed class FakeWorld(ProvisioningPlan plan) : IProvisioningActivities
{
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<(string Doing, string Step), Gate> gates = new();
    private readonly ConcurrentDictionary<(string Doing, string Step), ConcurrentQueue<Exception>> failures = new();
    private readonly List<string> events = [];
    private readonly OrderedDictionary<ResourceAddress, string> objects = [];
    private int applying;

    /// <summary>What the plan activity answers; read at the time of the call.</summary>
    public ProvisioningPlan Plan => plan;

    public Platform.Specification.GuardRails GuardRails { get; init; } =
        new(Approvals: 0, MaxParallel: 4, MayDestroy: true, ApprovalTimeout: TimeSpan.FromHours(1));

    /// <summary>Objects that a rollback does not get rid of although it says so: what proving by listing is for.</summary>
    public IReadOnlySet<string> Undying { get; init; } = new HashSet<string>();

    /// <summary>Answers with pages instead of the whole plan; by the input and how many pages were asked for before.</summary>
    public Func<PlanEnvironmentInput, int, PlanEnvironmentResult>? Page { get; init; }

    public PlanEnvironmentInput? PlannedFor => PlansAskedFor.LastOrDefault();

    public ConcurrentQueue<PlanEnvironmentInput> PlansAskedFor { get; } = [];

    public ConcurrentQueue<AwaitHealthInput> HealthInputs { get; } = [];

    public ConcurrentQueue<ApplyComponentInput> Applied { get; } = [];

    public int MostAtOnce { get; private set; }

    /// <summary>What was done, in order: <c>plan</c>, <c>apply step</c>, <c>applied step</c>, <c>health step</c>, <c>healthy step</c>, <c>remove step</c>, <c>list</c>.</summary>
    public IReadOnlyList<string> Events
    {
        get
        {
            lock (gate)
                return [.. events];
        }
    }

    /// <summary>What exists and which operation made it.</summary>
    public IReadOnlyList<KeyValuePair<ResourceAddress, string>> Objects
    {
        get
        {
            lock (gate)
                return [.. objects];
        }
    }

    /// <summary>Calls that may change something.</summary>
    public IEnumerable<string> MutatingCalls => Events.Where(did => did.StartsWith("apply ", StringComparison.Ordinal) || did.StartsWith("remove ", StringComparison.Ordinal));

    /// <summary>Makes <c>plan</c>, <c>apply step</c>, <c>health step</c>, <c>remove step</c> or <c>list</c> wait.</summary>
    public Gate Hold(string what) => gates.GetOrAdd(Key(what), _ => new());

    /// <summary>Makes the next such call fail.</summary>
    public FakeWorld Fail(string what, Exception failure)
    {
        failures.GetOrAdd(Key(what), _ => new()).Enqueue(failure);
        return this;
    }

    /// <summary>Makes the next such call fail for good, as activities report what they cannot mend.</summary>
    public FakeWorld Fail(string what, string message, string type) => Fail(what, new ApplicationFailureException(message, type, nonRetryable: true));

    public async Task<PlanEnvironmentResult> PlanEnvironmentAsync(PlanEnvironmentInput input)
    {
        var before = PlansAskedFor.Count;
        PlansAskedFor.Enqueue(input);
        await DoAsync("plan", "");
        return Page?.Invoke(input, before) ?? new(plan, GuardRails);
    }

    public async Task<ComponentReport> ApplyComponentAsync(ApplyComponentInput input)
    {
        lock (gate)
            MostAtOnce = Math.Max(MostAtOnce, ++applying);
        try
        {
            Applied.Enqueue(input);
            await DoAsync("apply", input.Plan.Step);
            var report = new ComponentReport([.. input.Plan.Objects.Select(planned => Apply(input.Reference, planned))]);
            Record($"applied {input.Plan.Step}");
            return report;
        }
        finally
        {
            lock (gate)
                applying--;
        }
    }

    public async Task<ComponentHealth> AwaitHealthAsync(AwaitHealthInput input)
    {
        HealthInputs.Enqueue(input);
        var step = $"{input.Reference.Component}@{input.Reference.Region}";
        await DoAsync("health", step);
        Record($"healthy {step}");
        return new("1 of 1 gates passed.");
    }

    public async Task<RemovedObjects> RemoveCreatedAsync(CreatedObjectsInput input)
    {
        await DoAsync("remove", $"{input.Component}@{input.Region}");
        lock (gate)
        {
            var removed = Created(input).Reverse().ToList();
            foreach (var address in removed.Where(address => !Undying.Contains(address.Name)))
                objects.Remove(address);
            return new(removed);
        }
    }

    public async Task<CreatedObjects> ListCreatedAsync(CreatedObjectsInput input)
    {
        await DoAsync("list", "");
        lock (gate)
            return new([.. Created(input)]);
    }

    public async Task<SpecificationChange> ProposeAdoptionAsync(ProposeAdoptionInput input)
    {
        await DoAsync("propose", "");
        return new($"environments/{input.Environment}.yaml", "components:\n  redis:\n    replicas: 5\n", [], [.. input.Findings.Skip(1).Select(finding => $"{finding.Address}: not this one")]);
    }

    public async Task<ComponentReport> RemovePlannedAsync(RemovePlannedInput input)
    {
        await DoAsync("remove", input.Plan.Step);
        lock (gate)
        {
            foreach (var planned in input.Plan.Objects.Where(planned => planned.Action == PlannedAction.Prune && !Undying.Contains(planned.Address.Name)))
                objects.Remove(planned.Address);
        }

        Record($"removed {input.Plan.Step}");
        return new([.. input.Plan.Objects.Select(planned => Apply(input.Reference, planned))]);
    }

    public async Task<LedgerPage> ReadLedgerAsync(ReadLedgerInput input)
    {
        await DoAsync("ledger", "");
        lock (gate)
        {
            var entries = objects.Where(item => input.OperationId is null || item.Value == input.OperationId)
                .Select(item => Ledger.Entry(item.Key, "component of reference/development", item.Value, CostClass.Compute)).ToList();
            return new([.. entries.Skip(input.After).Take(2)], input.After + 2 < entries.Count ? input.After + 2 : null);
        }
    }

    public async Task<CapturedComponent> CaptureComponentAsync(CaptureComponentInput input)
    {
        await DoAsync("capture", input.Plan.Step);
        return new([.. input.Plan.Objects.Select(planned => new CapturedObject(planned.Address, new() { ["kind"] = planned.Address.Kind }))]);
    }

    public async Task<ComponentReport> RestoreComponentAsync(RestoreComponentInput input)
    {
        await DoAsync("restore", $"{input.Reference.Component}@{input.Reference.Region}");
        return new([.. input.Captured.Manifests.Select(captured => new ObjectOutcome(captured.Address, "ours", input.Reference.OperationId, ObjectResult.RolledBack))]);
    }

    /// <summary>What else changes the environment.</summary>
    public IReadOnlyList<string> OtherRuns { get; init; } = [];

    public Task<ActingRuns> FindActingRunsAsync(FindActingRunsInput input) => Task.FromResult(new ActingRuns(OtherRuns));

    /// <summary>Makes everything exist that the plan names.</summary>
    public FakeWorld Populate(string operationId = "op-before")
    {
        foreach (var planned in plan.Components.SelectMany(component => component.Objects))
            objects[planned.Address] = operationId;
        return this;
    }

    /// <summary>Something else removes an object.</summary>
    public void Lose(ResourceAddress address)
    {
        lock (gate)
            objects.Remove(address);
    }

    private static (string Doing, string Step) Key(string what) => what.Split(' ') is [var doing, var step] ? (doing, step) : (what, "");

    private async Task DoAsync(string doing, string step)
    {
        ActivityExecutionContext.Current.CancellationToken.ThrowIfCancellationRequested();
        Record($"{doing} {step}".TrimEnd());
        if (gates.TryGetValue((doing, step), out var holding))
            await holding.PassAsync();
        if (failures.TryGetValue((doing, step), out var planned) && planned.TryDequeue(out var failure))
            throw failure;
    }

    private IEnumerable<ResourceAddress> Created(CreatedObjectsInput input)
    {
        var steps = plan.Components.Where(component => (input.Component ?? component.Component) == component.Component && (input.Region ?? component.Region) == component.Region);
        return steps.SelectMany(component => component.Objects).Select(planned => planned.Address)
            .Where(address => objects.TryGetValue(address, out var operation) && operation == input.OperationId);
    }

    private ObjectOutcome Apply(ComponentReference reference, PlannedObject planned)
    {
        var owner = $"component {reference.Component} of reference/{reference.Environment}";
        if (planned.Action == PlannedAction.Create)
        {
            lock (gate)
                objects[planned.Address] = reference.OperationId;
        }
        return planned.Action switch
        {
            PlannedAction.Create => new(planned.Address, owner, reference.OperationId, ObjectResult.Created),
            PlannedAction.Change => new(planned.Address, owner, reference.OperationId, ObjectResult.Changed),
            PlannedAction.Prune => new(planned.Address, owner, reference.OperationId, ObjectResult.Pruned),
            _ => new(planned.Address, owner, null, ObjectResult.Unchanged),
        };
    }

    private void Record(string what)
    {
        lock (gate)
            events.Add(what);
    }
}
