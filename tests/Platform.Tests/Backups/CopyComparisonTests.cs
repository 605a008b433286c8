using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>When a copy of a set is whole, when it is on its way, and when it is not what it has to be.</summary>
public sealed class CopyComparisonTests
{
    private static readonly StoredFile Old = new("a", 10, "t1", Sets.Now.AddHours(-1)), Young = new("b", 10, "t2", Sets.Now.AddMinutes(-14));

    [Fact]
    public void It_is_whole_when_every_object_has_the_size_and_the_checksum_of_the_source()
    {
        Assert.Equal(new(true, null), CopyComparison.Of([Old, Young], [Young, Old, Old with { Name = "left" }], Sets.Now));
        Assert.Equal(new(true, null), CopyComparison.Of([], [Old], Sets.Now));
    }

    [Fact]
    public void What_was_written_just_now_may_be_on_its_way_and_what_was_not_is_named()
    {
        Assert.Equal(new(false, null), CopyComparison.Of([Old, Young], [Old], Sets.Now));
        Assert.Equal(new(false, "1 of 2 objects are missing, the first is b"), CopyComparison.Of([Old, Young], [Old], Sets.Now.AddMinutes(2)));
        Assert.Equal(new(false, "1 of 2 objects are missing, the first is a and 1 of 2 objects are not what was written, the first is b"), CopyComparison.Of([Old, Young], [Young with { Tag = "other" }], Sets.Now.AddHours(1)));
        Assert.Equal(new(false, "1 of 1 objects are not what was written, the first is a"), CopyComparison.Of([Old], [Old with { Bytes = 9 }], Sets.Now));
    }
}
