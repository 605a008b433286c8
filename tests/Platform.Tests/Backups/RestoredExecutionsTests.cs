using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>When the two databases of a restored Temporal belong together.</summary>
public sealed class RestoredExecutionsTests
{
    private static readonly RestoredExecution Open = new("shop", "order-1", "r1", ListedOpen: true, Read: 5, Unbroken: true, EndsClosed: false, new(Open: true, Events: 5), "orders");
    private static readonly RestoredExecution Closed = Open with { ListedOpen = false, EndsClosed = true, Described = new(Open: false, Events: 5) };

    public static TheoryData<RestoredExecution, string?> Cases => new()
    {
        { Open, null },
        { Closed, null },
        { Open with { Described = null, Read = 0, Unbroken = false }, "is not in the database: visibility is of a later moment" },
        { Open with { ListedOpen = false }, "is listed as closed and is open in the database: visibility is of a later moment" },
        // It ended after visibility's moment.
        { Closed with { ListedOpen = true }, null },
        { Closed with { Unbroken = false }, "The history of order-1 (r1) of shop has a gap" },
        { Closed with { Described = new(Open: false, Events: 4) }, "is described with 4 events and has 5" },
        // A timer fired between the two looks.
        { Open with { Described = new(Open: true, Events: 6) }, null },
        { Open with { Described = new(Open: false, Events: 6) }, null },
        { Closed with { EndsClosed = false }, "has ended and its history does not say how" },
        { Open with { EndsClosed = true }, "is open, and its history has ended" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_the_database_does_not_bear_out_is_named(RestoredExecution run, string? trouble)
    {
        var (wrong, right) = RestoredExecutions.Judge([run]);
        if (trouble is null)
            Assert.Empty(wrong);
        else
            Assert.Contains(trouble, Assert.Single(wrong), StringComparison.Ordinal);
        Assert.StartsWith("1 executions were described", right[0], StringComparison.Ordinal);
        Assert.Equal(run is { ListedOpen: true, Described.Open: false } ? 2 : 1, right.Count);
    }
}
