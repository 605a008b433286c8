using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Schedules;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Tests.Schedules;

public class DueActionsTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A schedule of every minute was not looked at for ten: how many it makes up for.</summary>
    [Theory]
    [InlineData(null, 10, 0)]
    [InlineData(0, 1, 9)]
    [InlineData(30, 1, 9)]
    [InlineData(180, 4, 6)]
    public void Makes_up_for_what_is_in_the_catchup_window_and_counts_what_is_not(int? windowSeconds, int buffered, int missed)
    {
        var state = Schedule();
        state.Schedule.Policies.CatchupWindow = windowSeconds is { } seconds ? Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)) : null;
        Due(state, Start.AddMinutes(10)).NoteTimes();
        Assert.Equal((buffered, missed), (state.Buffer.Count, (int)state.Info.MissedCatchupWindow));
        Due(state, Start.AddMinutes(10)).NoteTimes();
        Assert.Equal(buffered, state.Buffer.Count);
    }

    [Fact]
    public void Time_spent_paused_or_without_actions_left_is_not_made_up_for()
    {
        var paused = Schedule();
        paused.Schedule.State.Paused = true;
        var spent = Schedule();
        spent.Schedule.State.LimitedActions = true;
        foreach (var state in new[] { paused, spent })
        {
            Due(state, Start.AddMinutes(10)).NoteTimes();
            (state.Schedule.State.Paused, state.Schedule.State.LimitedActions) = (false, false);
            Due(state, Start.AddMinutes(11)).NoteTimes();
            Assert.Equal(Start.AddMinutes(11), Assert.Single(state.Buffer).Nominal);
            Assert.Equal(0, state.Info.MissedCatchupWindow);
        }
    }

    [Fact]
    public void Drops_and_counts_what_the_buffer_cannot_hold()
    {
        var state = Schedule();
        Due(state, Start.AddMinutes(1010)).NoteTimes();
        Assert.Equal((1000, 10), (state.Buffer.Count, (int)state.Info.BufferDropped));
        Due(state, Start.AddMinutes(1010)).Ask(Start, ScheduleOverlapPolicy.AllowAll);
        Assert.Equal((1000, 11), (state.Buffer.Count, (int)state.Info.BufferDropped));
    }

    [Fact]
    public void A_backfill_fills_half_of_the_buffer_piece_by_piece_and_goes_on_when_there_is_room()
    {
        var state = Schedule();
        var due = Due(state, Start);
        due.Backfill(Start.AddDays(-1), Start.AddMinutes(-1), ScheduleOverlapPolicy.BufferAll);
        due.NoteBackfills();
        Assert.Equal(10, state.Buffer.Count);
        Assert.Equal(Start.AddDays(-1), state.Buffer[0].Nominal);
        for (var i = 0; i < 100; i++)
            due.NoteBackfills();
        Assert.Equal(500, state.Buffer.Count);
        var all = new List<DateTimeOffset>();
        while (state.Buffer.Count > 0)
        {
            all.AddRange(state.Buffer.Select(b => b.Nominal));
            state.Buffer.Clear();
            due.NoteBackfills();
        }
        Assert.Equal(Enumerable.Range(0, 1440).Select(i => Start.AddDays(-1).AddMinutes(i)), all);
        Assert.Empty(state.Backfills);
        Assert.Equal(0, state.Info.BufferDropped);
    }

    private static StoredSchedule Schedule() => new()
    {
        ScheduleId = "s",
        ProcessedUntil = Start,
        Schedule = new Schedule
        {
            Spec = CanonicalSpec.Of(new() { Interval = { new IntervalSpec { Interval = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)) } } }),
            Policies = new SchedulePolicies(),
            State = new ScheduleState(),
        },
    };

    private static DueActions Due(StoredSchedule state, DateTimeOffset now) => new(state, new SpecTimes(state.Schedule.Spec, "seed"), now);
}
