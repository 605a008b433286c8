using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>When a Temporal that was started on a restored copy goes on as it has to.</summary>
public sealed class TemporalTrialVerdictTests
{
    private static readonly RestoredExecution
        Open = new("shop", "order-1", "r1", ListedOpen: true, Read: 5, Unbroken: true, EndsClosed: false, new(Open: true, Events: 5), "orders"),
        Closed = new("shop", "order-2", "r2", ListedOpen: false, Read: 3, Unbroken: true, EndsClosed: true, new(Open: false, Events: 3), "orders");

    private static readonly TemporalTrial Whole = new("temporal", "1.31.2", [Open, Closed], [Open, Closed], Open: 1, ListedOpen: 1, Ways: 3, WaysOpen: [], Blocked: 0, new(Whole: true, "2 histories"));

    public static TheoryData<TemporalTrial, string?, string> Cases => new()
    {
        { Whole, null, "Temporal 1.31.2 started on temporal, without a way out (3 were tried), and described 2 executions with 8 events." },
        { Whole, null, "It did not try to reach anything outside." },
        { Whole with { Blocked = 4 }, null, "It was kept from reaching something outside 4 times." },
        { Whole, null, "Their histories were given to the workers' code: 2 histories" },
        { Whole with { Replay = null }, null, "Their histories were not replayed: no program that does is named (backup.temporal.replay of the guard)." },
        { Whole with { Replay = new(Whole: false, "order-1: no timer expected") }, "Histories of temporal do not replay with the workers' code: order-1: no timer expected", "It lists 1 open executions." },
        { Whole with { ListedOpen = null }, null, "What it lists was not compared: visibility is in no database of this set." },
        { Whole with { ListedOpen = 3 }, "Temporal lists 3 open executions on temporal, which has 1.", "It lists 3 open executions." },
        { Whole with { Seen = [Open with { Described = null, Read = 0 }, Closed] }, "Temporal does not know order-1 (r1) of shop, which is in its tables.", "described 1 executions with 3 events" },
        { Whole with { Seen = [Open with { Unbroken = false }, Closed] }, "Temporal answers a history of order-1 (r1) of shop with a gap, or without its start.", "described 2" },
        { Whole with { Seen = [Open with { Read = 4 }, Closed] }, "Temporal answers 4 events of order-1 (r1) of shop, which has 5.", "described 2" },
        // Its time was over when the server started.
        { Whole with { Seen = [Open with { Read = 6, EndsClosed = true, Described = new(Open: false, Events: 6) }, Closed] }, null, "described 2" },
        { Whole with { Seen = [Open, Closed with { EndsClosed = false, Described = new(Open: true, Events: 3) }] }, "Temporal says that order-2 (r2) of shop is open, which has ended.", "described 2" },
        { Whole with { Seen = [Open, Closed with { EndsClosed = false }] }, "Temporal says that order-2 (r2) of shop has ended, and its history does not say how.", "described 2" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_it_answers_is_what_the_tables_have(TemporalTrial trial, string? wrong, string right)
    {
        var (lost, found) = TemporalTrialVerdict.Of(trial);
        Assert.Equal(wrong is null ? [] : [wrong], lost);
        Assert.Contains(found, sentence => sentence.Contains(right, StringComparison.Ordinal));
    }

    [Fact]
    public void Of_many_five_are_named()
    {
        var many = Enumerable.Range(0, 8).Select(number => Open with { WorkflowId = $"order-{number}" }).ToList();
        var (lost, _) = TemporalTrialVerdict.Of(Whole with { Kept = many, Seen = [.. many.Select(run => run with { Described = null })] });
        Assert.Equal((6, "3 more executions are not answered as they have to be."), (lost.Count, lost[^1]));
    }
}
