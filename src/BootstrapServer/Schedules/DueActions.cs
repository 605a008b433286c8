using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>Moves what is due into a schedule's buffer: times that passed, what somebody asked for, and backfills piece by piece.</summary>
internal sealed class DueActions(StoredSchedule state, SpecTimes times, DateTimeOffset now)
{
    /// <summary>Actions that may wait; what is due beyond them is dropped, and counted.</summary>
    private const int MostBuffered = 1000;

    /// <summary>Backfilled actions in one go, so that a long backfill neither floods nor fills the buffer.</summary>
    private const int BackfillsAtOnce = 10;

    private static readonly TimeSpan DefaultCatchup = TimeSpan.FromDays(365);
    private static readonly TimeSpan ShortestCatchup = TimeSpan.FromSeconds(10);

    /// <summary>Whether an action that nobody asked for may be taken now.</summary>
    public static bool MayAct(StoredSchedule state) =>
        !state.Schedule.State.Paused && (!state.Schedule.State.LimitedActions || state.Schedule.State.RemainingActions > 0);

    /// <summary>The policy of actions that have none of their own.</summary>
    public static ScheduleOverlapPolicy UsualPolicy(StoredSchedule state) =>
        state.Schedule.Policies.OverlapPolicy == ScheduleOverlapPolicy.Unspecified ? ScheduleOverlapPolicy.Skip : state.Schedule.Policies.OverlapPolicy;

    /// <summary>Every time that passed, unless the schedule was paused, spent, changed since, or away for too long.</summary>
    public void NoteTimes()
    {
        if (!MayAct(state))
        {
            // Time spent paused is not made up for.
            state.ProcessedUntil = now > state.ProcessedUntil ? now : state.ProcessedUntil;
            return;
        }
        var catchup = state.Schedule.Policies.CatchupWindow?.ToTimeSpan() ?? DefaultCatchup;
        if (catchup < ShortestCatchup)
            catchup = ShortestCatchup;
        var changed = state.Info.UpdateTime?.ToDateTimeOffset() ?? DateTimeOffset.MinValue;
        while (times.NextAfter(state.ProcessedUntil) is { } next && next.Actual <= now)
        {
            state.ProcessedUntil = next.Nominal;
            if (next.Actual < changed)
                continue; // it is new in the spec, not missed
            if (now - next.Actual > catchup)
                state.Info.MissedCatchupWindow++;
            else
                Add(next.Nominal, next.Actual, ScheduleOverlapPolicy.Unspecified, manual: false, $"{state.ScheduleId}-{next.Nominal.UtcTicks}-{state.Version}");
        }
    }

    /// <summary>Adds what somebody asked for.</summary>
    public void Ask(DateTimeOffset nominal, ScheduleOverlapPolicy overlap) => Add(nominal, nominal, overlap, manual: true, Guid.NewGuid().ToString());

    /// <summary>Remembers a backfill; its actions follow with <see cref="NoteBackfills"/>.</summary>
    public void Backfill(DateTimeOffset from, DateTimeOffset to, ScheduleOverlapPolicy overlap)
    {
        if (state.Backfills.Count >= MostBuffered)
            state.Info.BufferDropped++;
        else
            state.Backfills.Add(new OngoingBackfill { After = from.AddMilliseconds(-1), To = to, Overlap = overlap });
    }

    /// <summary>Takes the next piece of backfills, while they fill at most half of the buffer.</summary>
    public void NoteBackfills()
    {
        for (var left = BackfillsAtOnce; left > 0 && state.Backfills.Count > 0 && state.Buffer.Count < MostBuffered / 2;)
        {
            var backfill = state.Backfills[0];
            if (times.NextAfter(backfill.After) is not { } next || next.Actual > backfill.To)
            {
                state.Backfills.RemoveAt(0);
                continue;
            }
            Ask(next.Nominal, backfill.Overlap);
            backfill.After = next.Nominal;
            left--;
        }
        if (state.Backfills is [var first, ..] && (times.NextAfter(first.After) is not { } more || more.Actual > first.To))
            state.Backfills.RemoveAt(0);
    }

    private void Add(DateTimeOffset nominal, DateTimeOffset actual, ScheduleOverlapPolicy overlap, bool manual, string requestId)
    {
        if (state.Buffer.Count >= MostBuffered)
        {
            state.Info.BufferDropped++;
            return;
        }
        state.Buffer.Add(new BufferedAction { Nominal = nominal, Actual = actual, Manual = manual, Overlap = overlap, RequestId = requestId });
    }
}
