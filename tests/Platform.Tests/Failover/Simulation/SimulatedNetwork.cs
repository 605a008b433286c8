namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>Carries messages between places: late, twice, or not at all; one direction may be cut while the other works.</summary>
internal sealed class SimulatedNetwork(SimulatedTime time, Random random)
{
    private readonly Dictionary<(string From, string To), long> cutUntil = [];
    private long quietFrom = long.MaxValue;

    /// <summary>Cuts one direction for a while.</summary>
    public void Cut(string from, string to, long until) => cutUntil[(from, to)] = Math.Max(until, cutUntil.GetValueOrDefault((from, to)));

    /// <summary>From then on nothing goes wrong any more.</summary>
    public void HealAt(long at) => quietFrom = at;

    public void Send(string from, string to, Action arrives)
    {
        if (time.Now < cutUntil.GetValueOrDefault((from, to)) && time.Now < quietFrom)
            return;
        var calm = time.Now >= quietFrom;
        if (!calm && random.Next(200) == 0)
            return;
        time.After(Delay(calm), arrives);
        // Repeated by a proxy, or by a client that did not hear the answer.
        if (!calm && random.Next(100) == 0)
            time.After(Delay(calm) * 20, arrives);
    }

    private long Delay(bool calm) => calm || random.Next(30) > 0 ? random.Next(200, 3_000) : random.Next(3_000, 4_000_000);
}
