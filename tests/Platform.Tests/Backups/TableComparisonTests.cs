using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>Which restored tables are as they have to be.</summary>
public sealed class TableComparisonTests
{
    private static readonly RowTolerance Tolerance = new(10, new Dictionary<string, int> { ["shop.public.*task*"] = 100, ["shop.public.strict"] = 0 });

    [Theory]
    // Between what it was and what it is.
    [InlineData(1000, 5000, 3000, true)]
    [InlineData(5000, 1000, 3000, true)]
    // A tenth of the larger one, and a few.
    [InlineData(1000, 1000, 880, true)]
    [InlineData(1000, 1000, 879, false)]
    [InlineData(1000, 1000, 1120, true)]
    [InlineData(1000, 1000, 1121, false)]
    [InlineData(0, 0, 20, true)]
    [InlineData(5000, 5000, 0, false)]
    public void Its_rows_are_between_those_of_then_and_of_now(long then, long now, long copy, bool right)
    {
        var wrong = Compare([Of("orders", then)], [Of("orders", now)], [Of("orders", copy)]);
        if (right)
            Assert.Empty(wrong);
        else
            Assert.Equal($"The table shop.public.orders has {copy} rows in it; when a set was made it had {then}, and has {now} today: that is more than 10 % off.", Assert.Single(wrong));
    }

    [Fact]
    public void What_is_declared_of_a_table_decides_and_estimates_are_rough()
    {
        Assert.Empty(Compare([Of("transfer_tasks", 9000)], [Of("transfer_tasks", 9000)], [Of("transfer_tasks", 0)]));
        Assert.Contains("more than 0 % off", Assert.Single(Compare([Of("strict", 1000)], [Of("strict", 1000)], [Of("strict", 979)])), StringComparison.Ordinal);
        Assert.Empty(Compare([Of("orders", 1000) with { Exact = false }], [Of("orders", 1000)], [Of("orders", 640)]));
        Assert.Single(Compare([Of("orders", 1000) with { Exact = false }], [Of("orders", 1000)], [Of("orders", 600)]));
    }

    [Fact]
    public void A_table_or_a_column_that_is_missing_is_named_and_what_was_dropped_since_is_not()
    {
        Assert.Equal("The table shop.public.orders is missing in it.", Assert.Single(Compare([Of("orders", 1)], [Of("orders", 1)], [])));
        Assert.Equal("The table shop.public.transfer_tasks has other columns in it than when the set was made and today.", Assert.Single(Compare([Of("transfer_tasks", 1)], [Of("transfer_tasks", 1)], [Of("transfer_tasks", 1) with { Columns = "b" }])));
        // Changed since: the copy may be of either side.
        Assert.Empty(Compare([Of("orders", 1)], [Of("orders", 1) with { Columns = "b" }], [Of("orders", 1)]));
        Assert.Empty(Compare([Of("orders", 1)], [], []));
        Assert.Empty(Compare([], [Of("orders", 1)], []));
        var many = Enumerable.Range(0, 30).Select(number => Of($"t{number}", 1)).ToList();
        Assert.Equal((21, "10 more tables are not as they have to be."), (Compare(many, many, []).Count, Compare(many, many, [])[^1]));
    }

    private static IReadOnlyList<string> Compare(IReadOnlyList<TableRows> then, IReadOnlyList<TableRows> now, IReadOnlyList<TableRows> copy) => TableComparison.Of(then, now, copy, Tolerance).Wrong;

    private static TableRows Of(string name, long rows) => new($"shop.public.{name}", rows, Exact: true, "a");
}
