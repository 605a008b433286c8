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
/// This object is what others hold of the run; what it knows (<see cref="RunBody"/>) leaves memory while nothing happens to
/// it, and comes back when somebody asks.
/// </summary>
internal sealed class WorkflowRun
{
    private RunBody? body;
    private List<Action>? effects;
    private NewRun? created;
    private bool changed;
    private TaskCompletionSource? newEvents;
    private int steps;

    /// <summary>Wakes the run at its next deadline while its body is not in memory.</summary>
    private TimerEntry? wake;

    /// <summary>A run that begins now.</summary>
    public WorkflowRun(Engine engine, Namespace ns, RunName name, long key, WorkflowExecutionStartedEventAttributes start, RunState state)
        : this(engine, ns, name, key)
    {
        created = new NewRun(name, start.ToByteArray());
        body = new RunBody(this, start, state);
    }

    /// <summary>A run that is in the store.</summary>
    public WorkflowRun(Engine engine, Namespace ns, StoredRun stored, IEnumerable<StoredRow> rows)
        : this(engine, ns, stored.Name, stored.Key)
    {
        body = RunBody.Of(this, stored);
        body.Restore(rows);
    }

    private WorkflowRun(Engine engine, Namespace ns, RunName name, long key)
    {
        Engine = engine;
        Namespace = ns;
        Name = name;
        Key = key;
    }

    public Engine Engine { get; }

    public Namespace Namespace { get; }

    public RunName Name { get; }

    public long Key { get; }

    public string WorkflowId => Name.WorkflowId;

    public string RunId => Name.RunId;

    /// <summary>The start event's attributes, without input where nothing will need it again.</summary>
    public WorkflowExecutionStartedEventAttributes Start => Body.Start;

    public RunState State => Body.State;

    public EventLog Events => Body.Events;

    public WorkflowTasks WorkflowTasks => Body.WorkflowTasks;

    public Activities Activities => Body.Activities;

    public WorkflowTimers Timers => Body.Timers;

    public Children Children => Body.Children;

    public ExternalSignals ExternalSignals => Body.ExternalSignals;

    public ExternalCancels ExternalCancels => Body.ExternalCancels;

    public Updates Updates => Body.Updates;

    public Queries Queries => Body.Queries;

    public RequestIds Requests => Body.Requests;

    public CompletionCallbacks Callbacks => Body.Callbacks;

    public Outgoing Outgoing => Body.Outgoing;

    public Closing Closing => Body.Closing;

    /// <summary>Held for every step. Order: a workflow id's lock, then a run's; never two runs' at once.</summary>
    public Lock Gate { get; } = new();

    /// <summary>True until the run's first commit.</summary>
    public bool IsNew => created is not null;

    /// <summary>Only open runs leave their bodies behind.</summary>
    public bool IsOpen => Volatile.Read(ref body) is not { } known || known.IsOpen;

    /// <summary>The run that continues this one, as soon as the step that closes this one has made it.</summary>
    public WorkflowRun? Successor => Volatile.Read(ref body)?.Closing.Successor;

    /// <summary>Something is happening here that takes no time of the workflow: a worker has its workflow task, or others are being told.</summary>
    public bool IsWorking => Outgoing.AnyNow || (IsOpen && (WorkflowTasks.IsStarted || Children.AnyStarting || ExternalSignals.Count > 0 || ExternalCancels.Count > 0));

    /// <summary>A worker has an activity of this run.</summary>
    public bool HasActivityAtWork => IsOpen && Activities.AnyStarted;

    /// <summary>The version that <see cref="HeldVersions"/> counts the run under. Its own note; the run is counted again at start-up.</summary>
    public WorkerVersion? CountedUnder { get; set; }

    /// <summary>The task queues in which something of this run waits for a worker.</summary>
    public IEnumerable<(string Name, TaskQueueType Type)> QueuesWaitedFor()
    {
        if (!IsOpen || State.Pause is not null)
            return [];
        var activities = Activities.QueuesWaitedFor.Select(name => (name, TaskQueueType.Activity));
        return WorkflowTasks.IsPending ? activities.Append((WorkflowTasks.Queue.Name, TaskQueueType.Workflow)) : activities;
    }

    /// <summary>Status, memo or search attributes changed: lists must hear of it with the commit.</summary>
    public bool VisibleChange { get; set; }

    /// <summary>Grows with each dispatch of a workflow task; a task in a queue with an older number is stale.</summary>
    public int WorkflowTaskStamp { get; set; }

    /// <summary>The run's place in the circle of <see cref="IdleRuns"/>; null when it is not in it. Its own note.</summary>
    public LinkedListNode<WorkflowRun>? IdlePlace { get; set; }

    /// <summary>Whether the run was used since <see cref="IdleRuns"/> looked at it. Its own note.</summary>
    public bool UsedSinceTurn { get; set; }

    /// <summary>Steps so far, of this process: tells whether anything happened between two looks.</summary>
    public int Steps => Volatile.Read(ref steps);

    /// <summary>When the first workflow task was due.</summary>
    public DateTimeOffset ExecutionTime => State.StartTime + (Start.FirstWorkflowTaskBackoff?.ToTimeSpan() ?? TimeSpan.Zero);

    public DateTimeOffset Now => Engine.Clock.GetUtcNow();

    public string TaskQueue => Start.TaskQueue.Name;

    private RunBody Body => Volatile.Read(ref body) ?? Load();

    /// <summary>Says that the scalar state changed; rows and events say so themselves.</summary>
    public void Touch() => changed = true;

    /// <summary>Runs after the step, without the lock: dispatching tasks, talking to other runs.</summary>
    public void After(Action effect) => (effects ??= []).Add(effect);

    /// <summary>One step: <paramref name="step"/> under the lock, one commit, then its effects; done when it is durable.</summary>
    public async Task<T> StepAsync<T>(Func<T> step)
    {
        using var onTheWay = Engine.OnTheWay?.Begin();
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
        var rows = Body.Rows;
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
        Volatile.Write(ref steps, steps + 1);
        Engine.Skipper?.Observe(this);
        Engine.IdleRuns.Used(this);
    }

    public List<Action> TakeEffects()
    {
        var taken = effects ?? [];
        effects = null;
        return taken;
    }

    /// <summary>Committed events of a range, when memory has them all; null when the store has to be asked.</summary>
    public List<HistoryEvent>? RecentEvents(long fromEventId, long beforeEventId)
    {
        lock (Gate)
            return Body.Tail.Range(fromEventId, beforeEventId);
    }

    /// <summary>Completes when the run gets new events, or closes.</summary>
    public Task NewEvents()
    {
        newEvents ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return newEvents.Task;
    }

    /// <summary>Watches the run's own timeouts.</summary>
    public void WatchTimeouts() => Body.WatchTimeouts();

    public void CancelTimers() => Body.CancelTimers();

    /// <summary>After recovery: timers, queued tasks and requests to others go on where they were.</summary>
    public void Resume() => Body.Resume();

    /// <summary>Starts everything that waits for time or for others, as the state says. A run that closed meanwhile stays as it is.</summary>
    public void ResumeOpen() => Body.ResumeOpen();

    /// <summary>Its body is here; otherwise it is read back when somebody asks for anything but its name.</summary>
    public bool IsInMemory => Volatile.Read(ref body) is not null;

    /// <summary>Nothing is under way and nobody waits: all that memory knows of the run can be read back. Called with the lock held.</summary>
    public bool IsIdle => body is { IsOpen: true, IsIdle: true } && created is null && !changed && effects is null && newEvents is null;

    /// <summary>Lets go of everything that can be read back; false when something happened since <paramref name="seenSteps"/>. All of it must be durable.</summary>
    public bool LetGo(int seenSteps)
    {
        lock (Gate)
        {
            if (steps != seenSteps || body is not { } known || !IsIdle)
                return false;
            wake = known.NextDeadline is { } due ? Engine.Timers.Add(due, Wake) : null;
            known.CancelTimers();
            Volatile.Write(ref body, null);
            return true;
        }
    }

    /// <summary>A run's timeout is over.</summary>
    public void OnTimeout(bool executionTimeout)
    {
        if (IsOpen)
            Closing.TimeOut(executionTimeout);
    }

    /// <summary>Reads the body back. Its timers look after themselves from then on.</summary>
    private RunBody Load()
    {
        lock (Gate)
        {
            if (body is { } known)
                return known;
            var stored = Engine.Store.Find(Key) ?? throw new InvalidDataException($"Run {RunId} of workflow {WorkflowId} is not in the store any more.");
            var loaded = RunBody.Of(this, stored);
            loaded.Restore(Engine.Store.Rows(Key));
            Engine.Timers.Cancel(wake);
            wake = null;
            Volatile.Write(ref body, loaded);
            loaded.Resume();
            Engine.IdleRuns.Used(this);
            if (effects is not null) // whoever only looks at the run does not take a step
                Engine.Background(Task.Run(() => StepAsync(() => { })));
            return loaded;
        }
    }

    private void Wake() => Step(() => Load());

    private RunChange TakeChange()
    {
        var batches = new List<EventBatch>();
        foreach (var batch in Events.TakeBatches())
        {
            var bytes = new History { Events = { batch } }.ToByteArray();
            batches.Add(new EventBatch(batch[0].EventId, batch[^1].EventId, bytes));
            State.HistorySize += bytes.Length;
            Body.Tail.Add(batch);
        }
        if (IsOpen) // a closed run's is read until it is durable; then the run leaves memory
            Body.Tail.DropUpTo(State.LastCompletedStartedEventId);
        State.Transitions++;
        var change = new RunChange
        {
            Key = Key,
            Created = created,
            Open = IsOpen,
            Closed = Engine.Visibility.Record(this, created is not null),
            Rows = Body.Rows.Take(),
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
}
