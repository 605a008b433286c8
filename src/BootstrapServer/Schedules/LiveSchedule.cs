using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>
/// One schedule that exists. What happens to it (a time came, an owner changed it, a workflow of it ended) happens one after the
/// other: it notes what is due, stores that, acts, and stores what it did.
/// </summary>
internal sealed class LiveSchedule(ScheduleDirectory directory, Engine engine, Namespace ns, StoredSchedule state) : IDisposable
{
    private const int MostBuffered = 1000;
    private const int FutureActions = 10;
    private static readonly TimeSpan DefaultCatchup = TimeSpan.FromDays(365);
    private static readonly TimeSpan ShortestCatchup = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim turn = new(1);
    private TimerEntry? timer;
    private bool deleted;

    public StoredSchedule State => state;

    public Namespace Namespace => ns;

    private SpecTimes Times => new(state.Schedule.Spec, $"{ns.Id}/{state.ScheduleId}");

    private DateTimeOffset Now => engine.Clock.GetUtcNow();

    /// <summary>Nominal times of the next actions.</summary>
    public IEnumerable<Timestamp> Future()
    {
        var times = Times;
        var next = times.NextAfter(state.ProcessedUntil > Now ? state.ProcessedUntil : Now);
        for (var i = 0; i < FutureActions && next is { } time; i++, next = times.NextAfter(time.Nominal))
            yield return time.Actual.ToTimestamp();
    }

    /// <summary>Changes the schedule as its owner asks, then acts on what is due.</summary>
    public Task ChangeAsync(Action change) => TakeTurnAsync(change);

    /// <summary>Reads the schedule between two changes.</summary>
    public async Task LookAsync(Action<StoredSchedule> look)
    {
        await turn.WaitAsync();
        try
        {
            look(state);
        }
        finally
        {
            turn.Release();
        }
    }

    public IEnumerable<ActionTime> Between(DateTimeOffset from, DateTimeOffset to) => Times.Between(from, to);

    public Task TickAsync() => TakeTurnAsync(() => { });

    /// <summary>A workflow that it started ended, with its whole chain of runs.</summary>
    public Task EndedAsync(WorkflowRun run, ScheduledEnd end) => TakeTurnAsync(() =>
    {
        foreach (var recent in state.Info.RecentActions.Where(a => Same(a.StartWorkflowResult, run)))
            recent.StartWorkflowStatus = run.State.Status;
        var tracked = state.Info.RunningWorkflows.FirstOrDefault(w => Same(w, run));
        if (tracked is not null)
            state.Info.RunningWorkflows.Remove(tracked);
        if (run.State.Status == WorkflowExecutionStatus.Completed)
            (state.LastResult, state.LastFailure) = (end.Result, null);
        else if (end.Failure is not null)
            state.LastFailure = end.Failure;
        if (state.Schedule.Policies.PauseOnFailure && run.State.Status is WorkflowExecutionStatus.Failed or WorkflowExecutionStatus.TimedOut)
        {
            state.Schedule.State.Paused = true;
            state.Schedule.State.Notes = $"paused due to workflow {(run.State.Status == WorkflowExecutionStatus.Failed ? "failure" : "timeout")}: {run.WorkflowId}";
        }
    });

    /// <summary>Adds an action that somebody asked for.</summary>
    public void Trigger(TriggerImmediatelyRequest asked) => Buffer(asked.ScheduledTime?.ToDateTimeOffset() ?? Now, asked.OverlapPolicy, manual: true);

    private void Buffer(DateTimeOffset nominal, ScheduleOverlapPolicy overlap, bool manual, string? requestId = null)
    {
        if (state.Buffer.Count >= MostBuffered)
        {
            state.Info.BufferDropped++;
            return;
        }
        state.Buffer.Add(new BufferedAction
        {
            Nominal = nominal,
            Actual = Now,
            Manual = manual,
            Overlap = Effective(overlap),
            RequestId = requestId ?? Guid.NewGuid().ToString(),
        });
    }

    public void Backfill(BackfillRequest asked)
    {
        var overlap = Effective(asked.OverlapPolicy);
        foreach (var time in Times.Between(asked.StartTime.ToDateTimeOffset(), asked.EndTime.ToDateTimeOffset()).Take(MostBuffered + 1))
            Buffer(time.Nominal, overlap, manual: true);
    }

    public async Task DeleteAsync()
    {
        await turn.WaitAsync();
        deleted = true;
        engine.Timers.Cancel(timer);
        turn.Release();
    }

    public void Dispose() => turn.Dispose();

    private static bool Same(Temporalio.Api.Common.V1.WorkflowExecution? execution, WorkflowRun run) =>
        execution?.WorkflowId == run.WorkflowId && execution.RunId == run.Start.FirstExecutionRunId;

    private async Task TakeTurnAsync(Action change)
    {
        await turn.WaitAsync();
        engine.Skipper?.Hold();
        try
        {
            if (deleted)
                return;
            change();
            NoteDue();
            var plan = OverlapPlan.Make(state.Buffer, running: state.Info.RunningWorkflows.Count > 0);
            await directory.SaveAsync(state);
            await ScheduleActions.ActAsync(engine, ns, state, plan);
            await directory.SaveAsync(state);
            Arm();
        }
        finally
        {
            engine.Skipper?.Release();
            turn.Release();
        }
    }

    /// <summary>Moves every time that passed into the buffer, unless the schedule was paused, spent, or away for too long.</summary>
    private void NoteDue()
    {
        var now = Now;
        var times = Times;
        var catchup = state.Schedule.Policies.CatchupWindow?.ToTimeSpan() is { Ticks: > 0 } given ? given : DefaultCatchup;
        if (catchup < ShortestCatchup)
            catchup = ShortestCatchup;
        while (!state.Schedule.State.Paused && times.NextAfter(state.ProcessedUntil) is { } next && next.Actual <= now)
        {
            state.ProcessedUntil = next.Nominal;
            if (!MayAct())
                continue;
            if (now - next.Actual > catchup)
            {
                state.Info.MissedCatchupWindow++;
                continue;
            }
            Buffer(next.Nominal, ScheduleOverlapPolicy.Unspecified, manual: false, $"{state.ScheduleId}-{next.Nominal.UtcTicks}-{state.Version}");
            if (state.Schedule.State.LimitedActions)
                state.Schedule.State.RemainingActions--;
        }
        if (state.Schedule.State.Paused && state.ProcessedUntil < now)
            state.ProcessedUntil = now;
    }

    private bool MayAct() => !state.Schedule.State.LimitedActions || state.Schedule.State.RemainingActions > 0;

    private void Arm()
    {
        engine.Timers.Cancel(timer);
        timer = !state.Schedule.State.Paused && MayAct() && Times.NextAfter(state.ProcessedUntil) is { } next
            ? engine.Timers.Add(next.Actual, () => engine.Background(TickAsync()))
            : null;
    }

    private ScheduleOverlapPolicy Effective(ScheduleOverlapPolicy asked) => asked != ScheduleOverlapPolicy.Unspecified ? asked
        : state.Schedule.Policies.OverlapPolicy != ScheduleOverlapPolicy.Unspecified ? state.Schedule.Policies.OverlapPolicy
        : ScheduleOverlapPolicy.Skip;
}

/// <summary>How a scheduled workflow ended.</summary>
internal sealed record ScheduledEnd(Temporalio.Api.Common.V1.Payloads? Result, Temporalio.Api.Failure.V1.Failure? Failure);
