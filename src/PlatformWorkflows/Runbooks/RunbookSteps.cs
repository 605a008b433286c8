using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>Where every step of a plan stands, and which may start. Plain state: no waiting and no effects happen here.</summary>
/// <remarks>Invariant: a step runs only when everything that it depends on is done or was skipped by an operator.</remarks>
internal sealed class RunbookSteps
{
    private readonly List<Entry> entries;
    private readonly Dictionary<string, Entry> byName;
    private bool givenUp;

    public RunbookSteps(ProvisioningPlan plan)
    {
        entries = [.. plan.Components.Select(component => new Entry(component))];
        byName = entries.ToDictionary(entry => entry.Plan.Step, StringComparer.Ordinal);
    }

    /// <summary>Grows with every change, so that a waiter can tell that something happened.</summary>
    public int Version { get; private set; }

    public IReadOnlyList<RunbookStep> All => [.. entries.Select(entry => entry.Step)];

    public bool Finished => entries.TrueForAll(entry => entry.Step.State is StepState.Done or StepState.Skipped);

    public bool AnySkipped => entries.Exists(entry => entry.Step.State == StepState.Skipped);

    public IEnumerable<RunbookStep> Failed => Of(StepState.Failed);

    public int Count => entries.Count;

    public int CountOf(StepState state) => entries.Count(entry => entry.Step.State == state);

    /// <summary>Nothing runs, nothing may start and not all is done: an operator must say how to go on.</summary>
    public bool Stuck => !Finished && CountOf(StepState.Running) == 0 && !entries.Exists(MayStart);

    public RunbookStep? Find(string name) => byName.GetValueOrDefault(name)?.Step;

    /// <summary>Steps that may start, in plan order, at most as many as <paramref name="maxParallel"/> leaves room for.</summary>
    public IReadOnlyList<PlannedComponent> Startable(int maxParallel) =>
        [.. entries.Where(MayStart).Take(Math.Max(0, maxParallel - CountOf(StepState.Running))).Select(entry => entry.Plan)];

    /// <summary>Steps that were started in this run and not rolled back, last in the plan first.</summary>
    public IReadOnlyList<PlannedComponent> StartedNewestFirst() =>
        [.. entries.Where(entry => entry.Step.StartedAt is not null && entry.Step.State != StepState.RolledBack).Select(entry => entry.Plan).Reverse()];

    /// <param name="workflowId">The child workflow that does it; null: the runbook does it itself.</param>
    public void Start(PlannedComponent plan, string detail, string? workflowId, DateTimeOffset now) => Change(plan, step => step with
    {
        State = StepState.Running,
        Detail = detail,
        WorkflowId = workflowId,
        StartedAt = now,
        FinishedAt = null,
    });

    public void Finish(PlannedComponent plan, StepState state, string detail, DateTimeOffset now)
    {
        Change(plan, step => step with { State = state, Detail = detail, FinishedAt = now });
        MarkBlocked();
    }

    public void Retry(string name)
    {
        Change(byName[name].Plan, step => step with { State = StepState.Pending, Detail = "To be tried again.", FinishedAt = null });
        MarkBlocked();
    }

    public void Skip(string name, string reason, DateTimeOffset now) => Finish(byName[name].Plan, StepState.Skipped, $"Skipped: {reason}", now);

    /// <summary>No step will be started any more: those that never were say why.</summary>
    public void GiveUp(string why)
    {
        givenUp = true;
        foreach (var entry in entries.Where(entry => entry.Step.State == StepState.Pending))
            entry.Step = entry.Step with { State = StepState.Blocked, Detail = why };
    }

    /// <summary>The outcomes known from a step's work; what was never reached keeps <see cref="ObjectResult.NotReached"/>.</summary>
    public void Record(PlannedComponent plan, IReadOnlyList<ObjectOutcome> outcomes)
    {
        foreach (var outcome in outcomes)
            byName[plan.Step].Outcomes[outcome.Address] = outcome;
    }

    public void RecordRemoval(PlannedComponent plan, IReadOnlyList<ResourceAddress> removed, string operationId)
    {
        foreach (var address in removed)
            byName[plan.Step].Outcomes[address] = new(address, $"{plan.Component}", operationId, ObjectResult.RolledBack);
    }

    /// <summary>Every object that the plan names, in plan order, and what else a step reported.</summary>
    public IReadOnlyList<ObjectOutcome> Outcomes() => [.. entries.SelectMany(entry => entry.AllOutcomes())];

    /// <summary>The outcomes that a step's work reported; empty while nothing is known.</summary>
    public IReadOnlyCollection<ObjectOutcome> OutcomesOf(PlannedComponent plan) => byName[plan.Step].Outcomes.Values;

    private bool MayStart(Entry entry) =>
        entry.Step.State == StepState.Pending && entry.Step.DependsOn.All(name => State(name) is StepState.Done or StepState.Skipped);

    /// <summary>A pending step whose dependency failed is shown as blocked, and is pending again when that changes. Plan order makes one pass enough.</summary>
    private void MarkBlocked()
    {
        if (givenUp)
            return;
        foreach (var entry in entries.Where(entry => entry.Step.State is StepState.Pending or StepState.Blocked))
        {
            var cause = entry.Step.DependsOn.FirstOrDefault(name => State(name) is StepState.Failed or StepState.Blocked);
            entry.Step = cause is null
                ? entry.Step with { State = StepState.Pending, Detail = entry.Step.State == StepState.Blocked ? Entry.Waiting : entry.Step.Detail }
                : entry.Step with { State = StepState.Blocked, Detail = $"Not started: {cause} is not healthy." };
        }
    }

    private StepState State(string name) => byName.TryGetValue(name, out var entry) ? entry.Step.State : StepState.Done;

    private IEnumerable<RunbookStep> Of(StepState state) => entries.Where(entry => entry.Step.State == state).Select(entry => entry.Step);

    private void Change(PlannedComponent plan, Func<RunbookStep, RunbookStep> change)
    {
        var entry = byName[plan.Step];
        entry.Step = change(entry.Step);
        Version++;
    }

    private sealed class Entry(PlannedComponent plan)
    {
        public const string Waiting = "Waiting for its turn.";

        public PlannedComponent Plan => plan;

        public RunbookStep Step { get; set; } = new(plan.Step, StepState.Pending, Waiting, plan.DependsOn);

        public OrderedDictionary<ResourceAddress, ObjectOutcome> Outcomes { get; } = [];

        public IEnumerable<ObjectOutcome> AllOutcomes()
        {
            var planned = plan.Objects.Select(item => item.Address).ToList();
            return planned.Select(address => Outcomes.GetValueOrDefault(address)
                    ?? new(address, plan.Component, null, ObjectResult.NotReached))
                .Concat(Outcomes.Values.Where(outcome => !planned.Contains(outcome.Address)));
        }
    }
}
