using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>Which indices of a set are restored, and which copies of them are whole.</summary>
public sealed class SearchRestoreRulesTests
{
    private static readonly SearchSnapshotManifest Manifest = new()
    {
        Format = SearchSnapshotManifest.CurrentFormat,
        Set = "set-1",
        Environment = "production",
        Region = "us-east-1",
        StartedAt = Sets.Now,
        FinishedAt = Sets.Now,
        State = SearchSnapshotState.Success,
        Indices = [new(".ds-logs-000001", 1), new("gone", 2), new("named", 3), new("orders", 4), new(SearchSnapshotManifest.MarkerIndex, 1)],
    };

    private static readonly Dictionary<string, LiveSearchIndex> Live = new()
    {
        ["orders"] = new("orders", "u1", Blocked: true, []),
        ["named-2"] = new("named-2", "u2", Blocked: false, ["named"]),
    };

    [Fact]
    public void What_is_there_stays_unless_its_replacement_was_asked_for()
    {
        var (indices, kept, _) = SearchRestoreRules.Decide(Manifest, Live, [], overwrite: false);
        Assert.Equal([new("gone", 2)], indices);
        Assert.Equal(3, kept.Count);
        (indices, kept, _) = SearchRestoreRules.Decide(Manifest, Live, [], overwrite: true);
        Assert.Equal([new("gone", 2), new PlannedSearchIndex("orders", 4, "u1", Blocked: true)], indices);
        Assert.Equal([".ds-logs-000001 belongs to a data stream, which is restored as a whole: do that with Elasticsearch's own API.", "named is an alias of named-2 now: it stays. Remove the alias, or restore another index."], kept);
        Assert.Equal("set-1 has no index shop. It has .ds-logs-000001, gone, named, orders, platformops-markers.", SearchRestoreRules.Decide(Manifest, Live, ["shop"], overwrite: true).Refusal);
    }

    [Theory]
    [InlineData(4L, 0, 4L, null)]
    [InlineData(4L, 0, 3L, "orders has 3 documents instead of 4.")]
    [InlineData(4L, 2, 6L, null)]
    [InlineData(4L, 2, 7L, "orders has 7 documents instead of 4 (and at most 2 more or less).")]
    [InlineData(4L, 0, null, "orders is missing.")]
    [InlineData(null, 0, 9L, null)]
    public void A_copy_has_as_many_documents_as_were_counted_but_for_what_changed_meanwhile(long? documents, long changes, long? found, string? trouble) =>
        Assert.Equal(trouble, new SearchIndexCount("orders", documents, changes).Trouble(found));

    [Fact]
    public void An_index_that_was_made_again_meanwhile_is_not_counted()
    {
        SearchIndexCount[] before = [new("a", 1, 10), new("b", 2, 10), new("c", 3, 10)];
        Assert.Equal(
            [new("a", 1, 2), new("b", null), new("c", null), new SearchIndexCount("new", null)],
            SearchSnapshotManifest.Counted(["new", "c", "b", "a"], before, new Dictionary<string, long> { ["a"] = 12, ["b"] = 4, ["new"] = 1 }));
    }
}
