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
    /// <summary>How soon a backfill that need not wait for a workflow goes on.</summary>
    private static readonly TimeSpan BackfillPause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);
    private TimerEntry? timer;
    private bool deleted;

    public StoredSchedule State => state;

    public Namespace Namespace => ns;

    private SpecTimes Times => new(state.Schedule.Spec, $"{ns.Id}/{state.ScheduleId}");

    private DueActions Due => new(state, Times, Now);

    private DateTimeOffset Now => engine.Clock.GetUtcNow();

    /// <summary>When it acts next, as often as it still may.</summary>
    public IEnumerable<Timestamp> Future(int count)
    {
        if (state.Schedule.State.LimitedActions)
            count = (int)Math.Min(state.Schedule.State.RemainingActions, count);
        // One that was never updated counts from its creation, which is before all that it has yet to act on.
        var changed = (state.Info.UpdateTime ?? state.Info.CreateTime).ToDateTimeOffset();
        var after = state.ProcessedUntil < changed - Jitter ? changed - Jitter : state.ProcessedUntil;
        return Times.Between(after, DateTimeOffset.MaxValue).Where(t => t.Actual >= changed).Take(count).Select(t => t.Actual.ToTimestamp());
    }

    /// <summary>Since when nothing is left for it to do, or null while there is. A paused one may be wanted again.</summary>
    public DateTimeOffset? IdleSince()
    {
        var busy = state.Buffer.Count + state.Backfills.Count + state.Info.RunningWorkflows.Count > 0;
        if (busy || state.Schedule.State.Paused || (DueActions.MayAct(state) && Times.NextAfter(state.ProcessedUntil) is not null))
            return null;
        Timestamp?[] events = [state.Info.CreateTime, state.Info.UpdateTime, state.Info.RecentActions.LastOrDefault()?.ActualTime];
        return events.Max(e => e?.ToDateTimeOffset() ?? DateTimeOffset.MinValue);
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

    public IEnumerable<ActionTime> Between(DateTimeOffset after, DateTimeOffset to) => Times.Between(after, to);

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
        if (state.Schedule.Policies.PauseOnFailure && !state.Schedule.State.Paused && run.State.Status is WorkflowExecutionStatus.Failed or WorkflowExecutionStatus.TimedOut)
        {
            state.Schedule.State.Paused = true;
            state.Schedule.State.Notes = run.State.Status == WorkflowExecutionStatus.Failed
                ? $"paused due to workflow failure: {run.WorkflowId}: {end.Failure?.Message}"
                : $"paused due to workflow timeout: {run.WorkflowId}";
            state.Version++;
        }
    });

    /// <summary>A workflow that it started ended and was deleted before it heard of that: nothing is known of its end.</summary>
    public Task GoneAsync(Temporalio.Api.Common.V1.WorkflowExecution execution) => TakeTurnAsync(() => state.Info.RunningWorkflows.Remove(execution));

    /// <summary>Takes a new specification. Times of it that passed before now are not made up for.</summary>
    public void Replace(Schedule wanted)
    {
        state.Schedule = wanted;
        state.Info.UpdateTime = Now.ToTimestamp();
        // Times before now whose jitter is not over yet are still to come.
        if (state.ProcessedUntil < Now - Jitter)
            state.ProcessedUntil = Now - Jitter;
        state.Version++;
    }

    /// <summary>Does what a patch asks for.</summary>
    public void Patch(SchedulePatch patch)
    {
        var due = Due;
        if (patch.TriggerImmediately is { } trigger)
            due.Ask(trigger.ScheduledTime?.ToDateTimeOffset() ?? Now, trigger.OverlapPolicy);
        foreach (var backfill in patch.BackfillRequest)
            due.Backfill(backfill.StartTime?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch, backfill.EndTime?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch, backfill.OverlapPolicy);
        if (patch.Pause.Length > 0)
            Pause(true, patch.Pause);
        if (patch.Unpause.Length > 0)
            Pause(false, patch.Unpause);
    }

    public async Task DeleteAsync()
    {
        await turn.WaitAsync();
        deleted = true;
        engine.Timers.Cancel(timer);
        turn.Release();
    }

    public void Dispose() => turn.Dispose();

    private TimeSpan Jitter => state.Schedule.Spec.Jitter?.ToTimeSpan() ?? TimeSpan.Zero;

    private static bool Same(Temporalio.Api.Common.V1.WorkflowExecution? execution, WorkflowRun run) =>
        execution?.WorkflowId == run.WorkflowId && execution.RunId == run.Start.FirstExecutionRunId;

    private void Pause(bool paused, string notes)
    {
        (state.Schedule.State.Paused, state.Schedule.State.Notes) = (paused, notes);
        state.Version++;
    }

    private async Task TakeTurnAsync(Action change)
    {
        using var onTheWay = engine.OnTheWay?.Begin();
        await turn.WaitAsync();
        try
        {
            if (deleted)
                return;
            // What passed until now passed under the old specification.
            Due.NoteTimes();
            change();
            var due = Due;
            due.NoteTimes();
            due.NoteBackfills();
            await directory.SaveAsync(state);
            bool more;
            do
            {
                var plan = OverlapPlan.Make(state.Buffer, running: state.Info.RunningWorkflows.Count > 0, DueActions.UsualPolicy(state));
                more = await ScheduleActions.ActAsync(engine, ns, state, plan);
                await directory.SaveAsync(state);
            }
            while (more);
            Arm();
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Looks again when the next time comes, or a backfill goes on that waits for nobody.</summary>
    private void Arm()
    {
        engine.Timers.Cancel(timer);
        DateTimeOffset? next = DueActions.MayAct(state) ? Times.NextAfter(state.ProcessedUntil)?.Actual : null;
        if (state.Backfills.Count > 0 && (state.Info.RunningWorkflows.Count == 0 || state.Backfills[0].Overlap == ScheduleOverlapPolicy.AllowAll
            || (state.Backfills[0].Overlap == ScheduleOverlapPolicy.Unspecified && DueActions.UsualPolicy(state) == ScheduleOverlapPolicy.AllowAll)))
            next = next < Now + BackfillPause ? next : Now + BackfillPause;
        timer = next is { } time ? engine.Timers.Add(time, () => engine.Background(TickAsync())) : null;
    }
}

/// <summary>How a scheduled workflow ended.</summary>
internal sealed record ScheduledEnd(Temporalio.Api.Common.V1.Payloads? Result, Temporalio.Api.Failure.V1.Failure? Failure);
