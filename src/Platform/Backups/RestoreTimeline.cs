namespace PlatformOps.Platform.Backups;

/// <summary>Which timeline of PostgreSQL a set is restored along. Every promotion and every restore begins another one, and a set can be followed only along one that it is part of.</summary>
public static class RestoreTimeline
{
    /// <summary>The newest timeline whose history the set is part of: what was written after the set and counts today. Of a set that lies on a branch which was left (what a restore overwrote), its own.</summary>
    /// <param name="end">The last piece of the log that the set needs.</param>
    /// <param name="timelines">Where each timeline after the first begins.</param>
    public static uint Of(WalSegment end, IReadOnlyList<TimelineStart> timelines)
    {
        return timelines.Select(start => start.Timeline).Where(timeline => timeline > end.Timeline).OrderDescending().FirstOrDefault(Holds, end.Timeline);

        bool Holds(uint timeline)
        {
            for (var at = timelines.FirstOrDefault(start => start.Timeline == timeline); at is not null; at = timelines.FirstOrDefault(start => start.Timeline == at.Parent && start.Timeline < at.Timeline))
            {
                if (at.Parent == end.Timeline)
                    return at.Number >= end.Number;
            }

            return false;
        }
    }
}
