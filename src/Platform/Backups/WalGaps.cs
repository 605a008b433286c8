namespace PlatformOps.Platform.Backups;

/// <summary>A segment that lies in the archive.</summary>
/// <param name="At">When it was archived.</param>
public sealed record ArchivedSegment(WalSegment Segment, DateTimeOffset At);

/// <summary>Where a timeline begins, as its archived history says.</summary>
/// <param name="Parent">The timeline that it continues.</param>
/// <param name="Number">The segment in which it leaves its parent: it has its own copy of it.</param>
public sealed record TimelineStart(uint Timeline, uint Parent, ulong Number);

/// <summary>Segments that should be in the archive and are not.</summary>
/// <param name="First">Name of the first that is missing.</param>
/// <param name="Last">Name of the last that is missing.</param>
/// <param name="After">Up to when the log is whole; null: nothing is there before it.</param>
/// <param name="Before">From when on there is log again; null: nothing comes after it.</param>
public sealed record WalGap(string First, string Last, ulong Count, DateTimeOffset? After, DateTimeOffset? Before)
{
    /// <summary>One sentence.</summary>
    public override string ToString() =>
        $"{Count} segments of the log are missing in the archive, {First}{(Count > 1 ? $" to {Last}" : "")}: what was begun before {(Before is { } before ? $"{before:u}" : "now")} "
        + $"cannot be restored to a moment after {(After is { } after ? $"{after:u}" : "its own end")}.";
}

/// <summary>Finds what is missing in an archive of PostgreSQL's log by looking at what is there: it does not believe the archiver.</summary>
public static class WalGaps
{
    /// <param name="archived">Everything in the archive, in any order.</param>
    /// <param name="timelines">Where each timeline after the first begins.</param>
    /// <param name="from">The first segment that the oldest set needs; null: the first that is there. What is missing before it, nobody misses.</param>
    /// <param name="size">Of a segment, in bytes.</param>
    public static IReadOnlyList<WalGap> Find(IReadOnlyList<ArchivedSegment> archived, IReadOnlyList<TimelineStart> timelines, WalSegment? from = null, long size = WalSegment.DefaultSize)
    {
        var gaps = new List<WalGap>();
        var known = archived.Select(item => item.Segment.Timeline).Concat(timelines.Select(start => start.Timeline)).Distinct().Order();
        foreach (var timeline in known.Where(timeline => from is null || timeline >= from.Value.Timeline))
        {
            var there = Of(timeline);
            var begin = from is { } needed && needed.Timeline == timeline ? needed.Number : StartOf(timeline)?.Number ?? there.Keys[0];
            // What a primary wrote on after another one had taken its place is nobody's.
            var left = timelines.Where(start => start.Parent == timeline).Select(start => (ulong?)start.Number).Max();
            var end = left ?? (there.Count > 0 ? there.Keys[^1] + 1 : begin);
            var (expected, whole) = (begin, Before(timeline, begin));
            foreach (var (number, at) in there.Where(item => item.Key >= begin && item.Key < end))
            {
                Missing(timeline, expected, number, whole, at);
                (expected, whole) = (number + 1, at);
            }

            Missing(timeline, expected, end, whole, timelines.Where(start => start.Parent == timeline && start.Number == end).Select(start => At(start.Timeline, end)).FirstOrDefault(at => at is not null));
        }

        return gaps;

        void Missing(uint timeline, ulong first, ulong next, DateTimeOffset? after, DateTimeOffset? before)
        {
            if (first < next)
                gaps.Add(new(new WalSegment(timeline, first).FileName(size), new WalSegment(timeline, next - 1).FileName(size), next - first, after, before));
        }

        SortedList<ulong, DateTimeOffset> Of(uint timeline) => new(archived.Where(item => item.Segment.Timeline == timeline)
            .GroupBy(item => item.Segment.Number).ToDictionary(same => same.Key, same => same.Min(item => item.At)));

        TimelineStart? StartOf(uint timeline) => timelines.FirstOrDefault(start => start.Timeline == timeline);

        DateTimeOffset? At(uint timeline, ulong number) => archived.FirstOrDefault(item => item.Segment == new WalSegment(timeline, number))?.At;

        // When the log was whole before the first segment of a timeline: where its parent was.
        DateTimeOffset? Before(uint timeline, ulong begin) =>
            begin == 0 ? null : At(timeline, begin - 1) ?? (StartOf(timeline) is { } start ? At(start.Parent, begin - 1) : null);
    }
}
