namespace PlatformOps.Platform.Failover;

/// <summary>The times that decisions about a failover go by.</summary>
public sealed record FailoverTiming
{
    /// <summary>How old a report may be that counts against a node. Default 3 s.</summary>
    public TimeSpan FreshFor { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The part of its duration after which a lease that is not renewed counts as stalled. Default 0.8: with a lease of 1 s renewed every 200 ms a pause of
    /// 500 ms passes unnoticed, and the claim still comes before the lease ends.</summary>
    public double StalledAfter { get; init; } = 0.8;

    /// <summary>How long both observers have to find that nobody can write while the lease goes on being renewed. Default 10 s: the guard is alive then, and what is
    /// wrong may pass.</summary>
    public TimeSpan AgainstRenewal { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a stopped server is tried to be started in place when its standby may lack something. Default 5 s.</summary>
    public TimeSpan RestartInPlace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a failover that has ended looks again until everything is there for the next one. Default 1 min: a standby that has just been rebuilt needs some
    /// seconds until commits wait for it.</summary>
    public TimeSpan ReadyWithin { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a request for approval stays open. Default 1 h.</summary>
    public TimeSpan ApprovalExpires { get; init; } = TimeSpan.FromHours(1);
}
