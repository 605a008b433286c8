using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>Months of schedules, verifications and retention, with sets that fail, are partial, or turn out to be damaged.</summary>
public sealed class SimulatedDaysTests
{
    private static readonly BackupDefinition Definition = Sets.Definition with
    {
        Schedules = [new(BackupMethod.Full, TimeSpan.FromDays(7), TimeSpan.FromHours(1)), new(BackupMethod.Differential, TimeSpan.FromDays(1), TimeSpan.FromHours(1))],
    };

    [Fact]
    public void In_four_months_nothing_is_lost_that_was_promised_and_nothing_stays_for_ever()
    {
        for (var seed = 0; seed < 15; seed++)
            Run(seed);
    }

    private static void Run(int seed)
    {
        var random = new Random(seed);
        var sets = new List<BackupSet>();
        var lasting = 0;
        for (var now = Sets.Now; now < Sets.Now.AddDays(120); now = now.AddHours(1))
        {
            if (Due(now) is { } asked)
                sets.Add(Make(sets, asked, now, random));
            if (now.Hour == 3 && VerificationPlanner.Choose(sets, Definition, now).Set is { } chosen)
                sets[sets.FindIndex(set => set.Id == chosen)] = sets.Find(set => set.Id == chosen)! with { Proof = new(random.Next(30) != 0, now, "verify", ["It is damaged."]) };
            if (now.Hour == 5)
                Retain(sets, now, seed);
            lasting = Math.Max(lasting, sets.Count);
        }

        // One a day for thirty days, a week of those that the oldest ones stand on, the grace, and what failed.
        Assert.InRange(lasting, 30, 45);
        Assert.True(VerificationPlanner.Choose(sets, Definition, Sets.Now.AddDays(120)).Unproven.Count < sets.Count, $"seed {seed}: nothing is proved");
    }

    /// <summary>Every interval begins at a multiple of it since 1970.</summary>
    private static BackupMethod? Due(DateTimeOffset now) =>
        Definition.Schedules.Where(schedule => (now - DateTimeOffset.UnixEpoch - schedule.At).Ticks % schedule.Every.Ticks == 0).Select(schedule => (BackupMethod?)schedule.Method).Min();

    private static BackupSet Make(List<BackupSet> sets, BackupMethod asked, DateTimeOffset now, Random random)
    {
        var method = MethodChoice.Of(sets, Definition, asked, now).Method;
        var outcome = random.Next(20) switch { 0 => BackupOutcome.Failed, 1 => BackupOutcome.Partial, _ => BackupOutcome.Complete };
        return Sets.Of($"{now:yyyyMMddHH}", 0, outcome) with
        {
            Method = method,
            StartedAt = now,
            FinishedAt = now.AddMinutes(5),
            DependsOn = method == BackupMethod.Full ? [] : [sets.Last(set => set is { Good: true, Method: BackupMethod.Full, MarkedAt: null }).Id],
        };
    }

    private static void Retain(List<BackupSet> sets, DateTimeOffset now, int seed)
    {
        var before = sets.ToList();
        foreach (var verdict in RetentionPolicy.Decide(sets, Definition, now))
        {
            var at = sets.FindIndex(set => set.Id == verdict.Set);
            if (verdict.Action == RetentionAction.Sweep)
                sets.RemoveAt(at);
            else if (verdict.Action is RetentionAction.Mark or RetentionAction.Unmark)
                sets[at] = sets[at] with { MarkedAt = verdict.Action == RetentionAction.Mark ? now : null };
        }

        Assert.All(sets, set => Assert.All(set.DependsOn, needed => Assert.Contains(sets, other => other.Id == needed)));
        if (before.FindLast(set => set.Proved) is { } proved)
            Assert.True(sets.Exists(set => set.Id == proved.Id), $"seed {seed}, {now:u}: the last proved set is gone");
        foreach (var day in Enumerable.Range(0, 31).Select(days => now.AddDays(-days)))
            Assert.True(!Restorable(before, day) || Restorable(sets, day), $"seed {seed}, {now:u}: {day:u} could be restored before");
    }

    private static bool Restorable(List<BackupSet> sets, DateTimeOffset moment) => sets.Exists(set => set.Good && set.FinishedAt <= moment);
}
