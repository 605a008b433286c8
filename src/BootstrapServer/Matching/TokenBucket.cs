namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// How often something may happen: a rate, and after a pause as much at once as one second allows. It is a time: the next
/// may happen when that has come.
/// </summary>
internal struct TokenBucket
{
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    /// <summary>When the next may happen.</summary>
    public DateTimeOffset Ready { get; private set; }

    /// <summary>Notes that it happened. At rate 0 it never may again, until the rate changes.</summary>
    public void Take(double perSecond, DateTimeOffset now)
    {
        var from = Ready > now - Burst ? Ready : now - Burst;
        Ready = perSecond <= 0 ? DateTimeOffset.MaxValue : from + TimeSpan.FromSeconds(1 / perSecond);
    }

    /// <summary>One that was taken did not happen.</summary>
    public void GiveBack(double perSecond)
    {
        if (perSecond > 0 && Ready > DateTimeOffset.MinValue + Burst)
            Ready -= TimeSpan.FromSeconds(1 / perSecond);
    }

    /// <summary>After a change of the rate: what was promised at the old one is at most one step of the new one away.</summary>
    public void RateChanged(double perSecond, DateTimeOffset now)
    {
        if (perSecond <= 0)
            Ready = DateTimeOffset.MaxValue;
        else if (Ready > now + TimeSpan.FromSeconds(1 / perSecond))
            Ready = now + TimeSpan.FromSeconds(1 / perSecond);
    }
}
