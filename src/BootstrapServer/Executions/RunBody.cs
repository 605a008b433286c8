using PlatformOps.BootstrapServer.Executions.Callbacks;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// What memory knows of a run: its state and the state machines of what is pending. Several kilobytes, so it is here only
/// while something happens to the run (<see cref="IdleRuns"/>). Nothing outside keeps a reference to a part of it from one
/// step to the next: timers and effects go through the run.
/// </summary>
internal sealed class RunBody
{
    private readonly WorkflowRun run;
    private TimerEntry? runTimer;
    private TimerEntry? executionTimer;

    public RunBody(WorkflowRun run, WorkflowExecutionStartedEventAttributes start, RunState state)
    {
        this.run = run;
        Start = start;
        State = state;
        Events = new EventLog(state, Rows, run.Engine.Clock);
        WorkflowTasks = new WorkflowTasks(run);
        Activities = new Activities(run, Rows);
        Timers = new WorkflowTimers(run, Rows);
        Children = new Children(run, Events, Rows);
        ExternalSignals = new ExternalSignals(run, Rows);
        ExternalCancels = new ExternalCancels(run, Rows);
        Updates = new Updates(run, Rows);
        Queries = new Queries(run);
        Requests = new RequestIds(Rows);
        Events.Placed = Requests.Placed;
        Callbacks = new CompletionCallbacks(run, Rows);
        Outgoing = new Outgoing(run, Rows);
        Closing = new Closing(run);
        Tail = new HistoryTail(state.NextEventId);
    }

    public WorkflowExecutionStartedEventAttributes Start { get; }

    public RunState State { get; }

    public RowSet Rows { get; } = new();

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

    /// <summary>Events since the last completed workflow task, so that handing out a sticky task reads nothing.</summary>
    public HistoryTail Tail { get; }

    public bool IsOpen => State.Status is WorkflowExecutionStatus.Running or WorkflowExecutionStatus.Paused;

    /// <summary>Nothing in here is known to memory alone, and no queue holds a task of this run.</summary>
    public bool IsIdle =>
        (State.LastCompletedEventId != 0 || State.FirstTaskAt is not null) && !Rows.Any && !Events.HasNewEvents && !Events.HasBuffered && !WorkflowTasks.IsPending && !Activities.AnyQueued && !Children.AnyStarting
        && ExternalSignals.Count == 0 && ExternalCancels.Count == 0 && Updates.InFlight == 0 && !Queries.Any && !Outgoing.Any;

    /// <summary>When something is to happen next if nobody calls; null when nothing is.</summary>
    public DateTimeOffset? NextDeadline =>
        new[] { runTimer?.Due, executionTimer?.Due, State.FirstTaskAt, Timers.NextDeadline, Activities.NextDeadline }.Min();

    public static RunBody Of(WorkflowRun run, StoredRun stored) =>
        new(run, WorkflowExecutionStartedEventAttributes.Parser.ParseFrom(stored.Start), StateSerializer.Read<RunState>(stored.State));

    /// <summary>Watches the run's own timeouts.</summary>
    public void WatchTimeouts()
    {
        var timers = run.Engine.Timers;
        if (Start.WorkflowRunTimeout?.ToTimeSpan() is { Ticks: > 0 } runTimeout)
            runTimer = timers.Add(run.ExecutionTime + runTimeout, () => run.Step(() => run.OnTimeout(executionTimeout: false)));
        if (Start.WorkflowExecutionExpirationTime is { } expires)
            executionTimer = timers.Add(expires.ToDateTimeOffset(), () => run.Step(() => run.OnTimeout(executionTimeout: true)));
    }

    public void CancelTimers()
    {
        run.Engine.Timers.Cancel(runTimer);
        run.Engine.Timers.Cancel(executionTimer);
        WorkflowTasks.CancelTimers();
        Activities.CancelTimers();
        Timers.CancelTimers();
    }

    /// <summary>Timers, queued tasks and requests to others go on where they were.</summary>
    public void Resume()
    {
        ResumeOpen();
        Outgoing.Resume();
    }

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

    /// <summary>Takes rows as they were stored.</summary>
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
                default: throw new InvalidDataException($"Run {run.RunId} has a row of unknown kind {(int)kind}.");
            }
        }
    }
}
