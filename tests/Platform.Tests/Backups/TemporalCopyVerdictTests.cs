using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>When a Temporal could go on from a restored database.</summary>
public sealed class TemporalCopyVerdictTests
{
    private static readonly RestoredExecution Run = new("shop", "order-1", "r1", ListedOpen: true, Read: 5, Unbroken: true, EndsClosed: false, new(Open: true, Events: 5), "orders");

    private static readonly TemporalListing Same = new(Compared: 9, Lost: 0, Ahead: 0, Behind: 0, Unlisted: 0, Pending: 0, Examples: []);

    public static TheoryData<RestoredExecution, TemporalListing?, string?, string, string?> Cases => new()
    {
        { Run, Same, null, "9 listed in visibility (list) are in temporal as they are listed", null },
        { Run, null, null, "was not compared", null },
        // What had still to be written is no loss, and not more than that.
        { Run, Same with { Unlisted = 2, Behind = 1, Pending = 3 }, null, "lags by 3 of 9", null },
        { Run, Same with { Unlisted = 2, Lost = 1, Pending = 2, Examples = ["order-7"] }, "are not of one moment", "9 executions, 4 of them open", null },
        // In a copy nothing goes on.
        { Run with { Described = new(Open: true, Events: 6) }, Same, "has 6 events and its history ends after 5", "9 executions, 4 of them open", null },
        { Run, Same, "order-9 of temporal is only named", "9 executions, 4 of them open", "order-9" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_was_lost_is_told_from_what_had_still_to_be_written(RestoredExecution run, TemporalListing? listing, string? wrong, string right, string? bare)
    {
        var (lost, found) = TemporalCopyVerdict.Of(new("temporal", listing is null ? null : "list", 9, 4, [run], bare is null ? [] : [bare], 0, listing));
        if (wrong is null)
            Assert.Empty(lost);
        else
            Assert.Contains(wrong, Assert.Single(lost), StringComparison.Ordinal);
        Assert.Contains(found, sentence => sentence.Contains(right, StringComparison.Ordinal));
    }
}
