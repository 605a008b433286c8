namespace PlatformOps.BootstrapServer.Storage;

/// <summary>Closed runs in memory, in the order of lists.</summary>
internal static class ClosedOrder
{
    public static IComparer<ClosedRun> Comparer { get; } = Comparer<ClosedRun>.Create((left, right) => left.Place.CompareTo(right.Place));

    /// <summary>The first after a place, found without looking at those before it.</summary>
    public static List<ClosedRun> Slice(SortedSet<ClosedRun> all, ListKey? after, int most)
    {
        if (after is not { } place)
            return [.. all.Take(most)];
        var from = new ClosedRun(0, default, place, []);
        if (all.Max is not { } last || Comparer.Compare(from, last) >= 0)
            return [];
        return [.. all.GetViewBetween(from, last).SkipWhile(r => r.Place == place).Take(most)];
    }
}
