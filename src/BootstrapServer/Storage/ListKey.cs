namespace PlatformOps.BootstrapServer.Storage;

/// <summary>A run's place in lists: open ones first, then the last closed, then the last started.</summary>
internal readonly record struct ListKey(long CloseTicks, long StartTicks, string RunId) : IComparable<ListKey>
{
    public int CompareTo(ListKey other)
    {
        var order = other.CloseTicks.CompareTo(CloseTicks);
        if (order == 0)
            order = other.StartTicks.CompareTo(StartTicks);
        return order != 0 ? order : string.CompareOrdinal(RunId, other.RunId);
    }
}
