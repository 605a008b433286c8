namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>A record's place in lists: open ones first, then the last closed, then the last started.</summary>
internal readonly record struct ListKey(long CloseTicks, long StartTicks, string RunId) : IComparable<ListKey>
{
    public static ListKey Of(ExecutionRecord record) =>
        new((record.CloseTime ?? DateTimeOffset.MaxValue).UtcTicks, record.StartTime.UtcTicks, record.RunId);

    public int CompareTo(ListKey other)
    {
        var order = other.CloseTicks.CompareTo(CloseTicks);
        if (order == 0)
            order = other.StartTicks.CompareTo(StartTicks);
        return order != 0 ? order : string.CompareOrdinal(RunId, other.RunId);
    }
}
