using CsCheck;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>What is missing in an archive of PostgreSQL's log.</summary>
public sealed class WalGapsTests
{
    [Theory]
    [InlineData("000000010000000000000003", 1, 3)]
    [InlineData("15-1/0000000100000002/0000000100000002000000FF-4ce3c1e3c1e3c1e3c1e3c1e3c1e3c1e3c1e3c1e3.zst", 1, 767)]
    [InlineData("0000000A0000000100000000.gz", 10, 256)]
    public void Reads_names_as_archives_have_them(string name, uint timeline, ulong number)
    {
        Assert.Equal(new WalSegment(timeline, number), WalSegment.Parse(name));
        Assert.StartsWith(WalSegment.Parse(name)!.Value.FileName(), name[(name.LastIndexOf('/') + 1)..]);
    }

    [Theory]
    [InlineData("00000002.history")]
    [InlineData("000000010000000000000003.partial-4ce3c1e3c1e3c1e3c1e3c1e3c1e3c1e3c1e3c1e3.gz")]
    [InlineData("000000010000000000000003.00000028.backup")]
    public void What_is_no_whole_segment_is_not_taken_for_one(string name) => Assert.Null(WalSegment.Parse(name));

    [Fact]
    public void A_position_lies_in_the_segment_that_PostgreSQL_says() => Assert.Equal("0000000100000016000000B3", new WalSegment(1, WalSegment.NumberAt("16/B374D848")).FileName());

    [Fact]
    public void One_removed_segment_is_named_with_its_window()
    {
        var gap = Assert.Single(WalGaps.Find(Archive(1, [1, 2, 3, 5, 6]), []));
        Assert.Equal(new("000000010000000000000004", "000000010000000000000004", 1, At(3), At(5)), gap);
        Assert.Equal(
            "1 segments of the log are missing in the archive, 000000010000000000000004: what was begun before 2026-03-01 00:05:00Z cannot be restored to a moment after 2026-03-01 00:03:00Z.", $"{gap}");
    }

    [Fact]
    public void Every_removed_segment_is_found_wherever_it_was() => Gen.Int[3, 40].SelectMany(count => Gen.Select(Gen.Const(count), Gen.Bool.Array[count], Gen.Int[0, 300])).Sample((count, removed, start) =>
    {
        var numbers = Enumerable.Range(start, count).Select(number => (ulong)number).ToList();
        var left = numbers.Where((_, index) => index == count - 1 || !removed[index]).ToArray();
        var gaps = WalGaps.Find(Archive(1, left), [], new WalSegment(1, (ulong)start));
        Assert.Equal(count - left.Length, gaps.Sum(gap => (long)gap.Count));
        var missing = numbers.Except(left).Select(number => new WalSegment(1, number).FileName()).ToList();
        Assert.Equal(missing.FirstOrDefault(), gaps.Select(gap => gap.First).FirstOrDefault());
        Assert.Equal(missing.LastOrDefault(), gaps.Select(gap => gap.Last).LastOrDefault());
    }, iter: 500);

    [Fact]
    public void A_promotion_is_no_gap_whatever_the_old_primary_wrote_on() =>
        Assert.Empty(WalGaps.Find([.. Archive(1, [1, 2, 3, 4, 7]), .. Archive(2, [4, 5, 6])], [new(2, 1, 4)]));

    [Fact]
    public void What_is_missing_at_a_promotion_is_found_on_both_sides()
    {
        var gaps = WalGaps.Find([.. Archive(1, [1, 2]), .. Archive(2, [5, 6])], [new(2, 1, 4)]);
        Assert.Equal(
            [new("000000010000000000000003", "000000010000000000000003", 1, At(2), null), new WalGap("000000020000000000000004", "000000020000000000000004", 1, null, At(5))], gaps);
        Assert.Equal((At(3), At(5)), Assert.Single(WalGaps.Find([.. Archive(1, [1, 2, 3]), .. Archive(2, [5, 6])], [new(2, 1, 4)])) is var gap ? (gap.After, gap.Before) : default);
    }

    [Fact]
    public void A_timeline_of_which_nothing_was_archived_is_missing_as_a_whole() =>
        Assert.Equal((2ul, "000000020000000000000004", At(3), At(6)), Assert.Single(WalGaps.Find([.. Archive(1, [1, 2, 3]), .. Archive(3, [6, 7])], [new(2, 1, 4), new(3, 2, 6)])) is var gap ? (gap.Count, gap.First, gap.After, gap.Before) : default);

    [Fact]
    public void What_no_set_needs_any_more_is_not_missed()
    {
        Assert.Empty(WalGaps.Find([.. Archive(1, [1, 3]), .. Archive(2, [5, 6])], [new(2, 1, 4)], from: new(2, 5)));
        Assert.Equal("000000010000000000000002", Assert.Single(WalGaps.Find(Archive(1, [3, 4]), [], from: new(1, 2))).First);
        Assert.Empty(WalGaps.Find([], []));
    }

    private static ArchivedSegment[] Archive(uint timeline, ulong[] numbers) => [.. numbers.Select(number => new ArchivedSegment(new(timeline, number), At(number)))];

    private static DateTimeOffset At(ulong number) => Sets.Now.AddMinutes(number);
}
