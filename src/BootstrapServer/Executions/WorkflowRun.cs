using Google.Protobuf;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Callbacks;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// One run of a workflow. Everything that happens to it happens under its lock, in memory, as one step: checks first, then
/// state machines that add events and change rows, then one commit. The answer waits for the commit, not the next step.
/// </summary>
internal sealed class WorkflowRun
{
    private readonly RowSet rows = new();
    private readonly List<Action> effects = [];
    private NewRun? created;
    private bool changed;
    private TaskCompletionSource? newEvents;
    private TimerEntry? runTimer;
    private TimerEntry? executionTimer;

    /// <summary>Events since the last completed workflow task, so that handing out a sticky task reads nothing.</summary>
    private readonly List<HistoryEvent> tail = [];
    private long tailFirst;

    public WorkflowRun(Engine engine, Namespace ns, RunName name, long key, WorkflowExecutionStartedEventAttributes start, RunState state, bool isNew)
    {
        Engine = engine;
        Namespace = ns;
        Name = name;
        Key = key;
        Start = start;
        State = state;
        Events = new EventLog(state, rows, engine.Clock);
        WorkflowTasks = new WorkflowTasks(this);
        Activities = new Activities(this, rows);
        Timers = new WorkflowTimers(this, rows);
        Children = new Children(this, rows);
        ExternalSignals = new ExternalSignals(this, rows);
        ExternalCancels = new ExternalCancels(this, rows);
        Updates = new Updates(this, rows);
        Queries = new Queries(this);
        Requests = new RequestIds(rows);
        Events.Placed = Requests.Placed;
        Callbacks = new CompletionCallbacks(this, rows);
        Outgoing = new Outgoing(this, rows);
        Closing = new Closing(this);
        tailFirst = state.NextEventId;
        if (isNew)
            created = new NewRun(name, start.ToByteArray());
    }

    public Engine Engine { get; }

    public Namespace Namespace { get; }

    public RunName Name { get; }

    public long Key { get; }

    public string WorkflowId => Name.WorkflowId;

    public string RunId => Name.RunId;

    /// <summary>The start event's attributes, without input where nothing will need it again.</summary>
    public WorkflowExecutionStartedEventAttributes Start { get; }

    public RunState State { get; }

    public EventLog Events { get; }

    public WorkflowTasks WorkflowTasks { get; }

    public Activities Activities { get; }

    public WorkflowTimers Timers { get; }

    public Children Children { get; }

    public ExternalSignals ExternalSignals { get; }

    public ExternalCancels ExternalCancels { get; }

    public Updates Updates { get; }

    public Queries Queries { get; }

    public RequestIds Requests { get; }

    public CompletionCallbacks Callbacks { get; }

    public Outgoing Outgoing { get; }

    public Closing Closing { get; }

    /// <summary>Held for every step. Order: a workflow id's lock, then a run's; never two runs' at once.</summary>
    public Lock Gate { get; } = new();

    /// <summary>True until the run's first commit.</summary>
    public bool IsNew => created is not null;

    public bool IsOpen => State.Status is WorkflowExecutionStatus.Running or WorkflowExecutionStatus.Paused;

    /// <summary>Something can happen here without time passing: a worker has, or may get, a task, or others are being told.</summary>
    public bool IsBusy => Outgoing.AnyNow || (IsOpen && (WorkflowTasks.IsPending || Activities.AnyRunning || Children.AnyStarting || ExternalSignals.Count > 0 || ExternalCancels.Count > 0));

    /// <summary>Whether the time skipper counts this run as busy. Its own note.</summary>
    public bool CountsAsBusy { get; set; }

    /// <summary>Status, memo or search attributes changed: lists must hear of it with the commit.</summary>
    public bool VisibleChange { get; set; }

    /// <summary>When the first workflow task was due.</summary>
    public DateTimeOffset ExecutionTime => State.StartTime + (Start.FirstWorkflowTaskBackoff?.ToTimeSpan() ?? TimeSpan.Zero);

    public DateTimeOffset Now => Engine.Clock.GetUtcNow();

    public string TaskQueue => Start.TaskQueue.Name;

    /// <summary>Says that the scalar state changed; rows and events say so themselves.</summary>
    public void Touch() => changed = true;

    /// <summary>Runs after the step, without the lock: dispatching tasks, talking to other runs.</summary>
    public void After(Action effect) => effects.Add(effect);

    /// <summary>One step: <paramref name="step"/> under the lock, one commit, then its effects; done when it is durable.</summary>
    public async Task<T> StepAsync<T>(Func<T> step)
    {
        T result;
        Task durable;
        List<Action> after;
        lock (Gate)
        {
            result = step();
            durable = Commit(new Transaction());
            after = TakeEffects();
        }
        foreach (var effect in after)
            effect();
        await durable;
        return result;
    }

    public Task StepAsync(Action step) => StepAsync(() =>
    {
        step();
        return true;
    });

    /// <summary>A step of the server's own (a timer fired): nobody waits for it, so what goes wrong is logged by the engine.</summary>
    public void Step(Action step) => Engine.Background(StepAsync(step));

    /// <summary>Refuses what needs an open run.</summary>
    public void RequireOpen()
    {
        if (!IsOpen)
            throw ServiceError.NotFound("workflow execution already completed");
    }

    /// <summary>Hands everything that changed to the store, as one transaction. Called with the lock held.</summary>
    public Task Commit(Transaction transaction)
    {
        Collect(transaction);
        return transaction.Runs.Count == 0 ? Engine.Store.Flushed() : Engine.Store.Commit(transaction);
    }

    /// <summary>Adds what changed to a transaction that somebody else hands in: several runs that change together.</summary>
    public void Collect(Transaction transaction)
    {
        if (WorkflowTasks.IsSpeculative && (changed || rows.Any || Events.HasNewEvents))
            WorkflowTasks.BecomeNormal();
        if (!WorkflowTasks.IsStarted)
            Events.Flush();
        if (State.Versioning is { } versioning)
            RunVersions.Count(this, versioning);
        if (changed || rows.Any || Events.HasNewEvents || created is not null)
            transaction.Runs.Add(TakeChange());
        if (Closing.Successor is { IsNew: true } successor)
            successor.Collect(transaction);
        Engine.Skipper?.Observe(this);
    }

    public List<Action> TakeEffects()
    {
        var taken = new List<Action>(effects);
        effects.Clear();
        return taken;
    }

    /// <summary>Committed events of a range, when memory has them all; null when the store has to be asked.</summary>
    public List<HistoryEvent>? RecentEvents(long fromEventId, long beforeEventId)
    {
        lock (Gate)
        {
            if (fromEventId < tailFirst || beforeEventId - tailFirst > tail.Count)
                return null;
            return tail.GetRange((int)(fromEventId - tailFirst), (int)(beforeEventId - fromEventId));
        }
    }

    /// <summary>Completes when the run gets new events, or closes.</summary>
    public Task NewEvents()
    {
        newEvents ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return newEvents.Task;
    }

    /// <summary>Watches the run's own timeouts.</summary>
    public void WatchTimeouts()
    {
        if (Start.WorkflowRunTimeout?.ToTimeSpan() is { Ticks: > 0 } runTimeout)
            runTimer = Engine.Timers.Add(ExecutionTime + runTimeout, () => Step(() => OnTimeout(executionTimeout: false)));
        if (Start.WorkflowExecutionExpirationTime is { } expires)
            executionTimer = Engine.Timers.Add(expires.ToDateTimeOffset(), () => Step(() => OnTimeout(executionTimeout: true)));
    }

    public void CancelTimers()
    {
        Engine.Timers.Cancel(runTimer);
        Engine.Timers.Cancel(executionTimer);
        WorkflowTasks.CancelTimers();
        Activities.CancelTimers();
        Timers.CancelTimers();
    }

    /// <summary>After recovery: timers, queued tasks and requests to others go on where they were.</summary>
    public void Resume()
    {
        ResumeOpen();
        Outgoing.Resume();
    }

    /// <summary>Starts everything that waits for time or for others, as the state says. A run that closed meanwhile stays as it is.</summary>
    public void ResumeOpen()
    {
        if (!IsOpen)
            return;
        WatchTimeouts();
        WorkflowTasks.Resume();
        Activities.Resume();
        Timers.Resume();
        Children.Resume();
        ExternalSignals.Resume();
        ExternalCancels.Resume();
        Updates.Resume();
    }

    /// <summary>Takes rows as they were stored. The engine then resumes timers and tasks.</summary>
    public void Restore(IEnumerable<StoredRow> stored)
    {
        foreach (var (kind, id, data) in stored)
        {
            switch (kind)
            {
                case RowKind.Activity: Activities.Restore(id, data); break;
                case RowKind.Timer: Timers.Restore(id, data); break;
                case RowKind.Child: Children.Restore(id, data); break;
                case RowKind.ExternalSignal: ExternalSignals.Restore(id, data); break;
                case RowKind.ExternalCancel: ExternalCancels.Restore(id, data); break;
                case RowKind.Update: Updates.Restore(id, data); break;
                case RowKind.BufferedEvent: Events.RestoreBuffered(id, data); break;
                case RowKind.RequestId: Requests.Restore(id, data); break;
                case RowKind.Callback: Callbacks.Restore(id, data); break;
                case RowKind.Outgoing: Outgoing.Restore(id, data); break;
                default: throw new InvalidDataException($"Run {RunId} has a row of unknown kind {(int)kind}.");
            }
        }
    }

    private void OnTimeout(bool executionTimeout)
    {
        if (IsOpen)
            Closing.TimeOut(executionTimeout);
    }

    private RunChange TakeChange()
    {
        var batches = new List<EventBatch>();
        foreach (var batch in Events.TakeBatches())
        {
            var bytes = new History { Events = { batch } }.ToByteArray();
            batches.Add(new EventBatch(batch[0].EventId, batch[^1].EventId, bytes));
            State.HistorySize += bytes.Length;
            tail.AddRange(batch);
        }
        TrimTail();
        State.Transitions++;
        var change = new RunChange
        {
            Key = Key,
            Created = created,
            Open = IsOpen,
            Closed = Engine.Visibility.Record(this, created is not null),
            Rows = rows.Take(),
            Batches = batches,
            State = StateSerializer.Write(State),
        };
        created = null;
        changed = false;
        if (batches.Count > 0)
        {
            newEvents?.SetResult();
            newEvents = null;
        }
        return change;
    }

    private void TrimTail()
    {
        if (!IsOpen)
            return; // read until it is durable; then the run leaves memory
        var drop = (int)Math.Min(tail.Count, State.LastCompletedStartedEventId + 1 - tailFirst);
        if (drop <= 0)
            return;
        tail.RemoveRange(0, drop);
        tailFirst += drop;
    }
}
