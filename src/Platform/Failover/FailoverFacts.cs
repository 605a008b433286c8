using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Failover;

/// <summary>All that a decision about a failover goes by.</summary>
public sealed record FailoverFacts
{
    public required string Environment { get; init; }

    /// <summary>Who may decide what.</summary>
    public required FailoverPolicy Policy { get; init; }

    public required FailoverTiming Timing { get; init; }

    /// <summary>The node that is primary; nodes are named after their region.</summary>
    public required string Primary { get; init; }

    /// <summary>The node that would become primary.</summary>
    public required string Standby { get; init; }

    /// <summary>The epoch in which <see cref="Primary"/> is primary.</summary>
    public required long Epoch { get; init; }

    /// <summary>The latest report of each observer.</summary>
    public required IReadOnlyList<ObserverReport> Reports { get; init; }

    /// <summary>Names of the alerts that fire now. They are shown, and decide nothing.</summary>
    public IReadOnlyList<string> Alerts { get; init; } = [];

    /// <summary>Open maintenance; null: none.</summary>
    public Maintenance? Maintenance { get; init; }

    /// <summary>A recovery that runs or that nobody has acknowledged; null: none.</summary>
    public OpenRecovery? Recovery { get; init; }

    /// <summary>Since when a restart in place has been tried; null: it has not.</summary>
    public DateTimeOffset? RestartingSince { get; init; }

    /// <summary>Whether it is enough for a restart in place that the guard told one observer that the server has stopped, or gave the lease back and answers, whether a server that is starting has its time, and whether it counts that commits waited
    /// before it stopped. Default: no, as runs of before decided: an observer whose last write came through a moment ago, or that saw the server start, then made a failover of what is a restart.</summary>
    public bool OneHeardIsEnough { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>What the three sources say.</summary>
    public Quorum Quorum => Quorum.Of(Primary, [Primary, Standby], Reports, Timing, Now);

    /// <summary>The primary as it was last seen by anybody, and when.</summary>
    public (DatabaseNode? Node, DateTimeOffset? At) LastOfPrimary() => Reports.Select(report => report.Of(Primary)).OfType<NodeReport>()
        .Where(report => report.LastKnown is not null).OrderByDescending(report => report.LastKnownAt).Select(report => (report.LastKnown! with { CommitsWaited = OneHeardIsEnough ? report.LastKnown.CommitsWaited : null }, report.LastKnownAt)).FirstOrDefault();

    /// <summary>When the primary was last seen serving by anybody; null: never.</summary>
    public DateTimeOffset? LastServed() => Reports.Select(report => report.Of(Primary) is not { } node ? null : node.Finding == NodeFinding.Serving ? report.SeenAt : node.LastServedAt).Max() ?? LastOfPrimary().At;

    /// <summary>The standby as an observer finds it now; its own region's knows it best.</summary>
    public DatabaseNode? StandbyNow() => Reports.Where(report => Now - report.ReceivedAt <= Timing.FreshFor && Now - report.SeenAt <= Timing.FreshFor)
        .OrderByDescending(report => report.Observer == Standby).Select(report => report.Of(Standby)?.Node).FirstOrDefault(node => node is not null);

    /// <summary>Whether the primary's region is lost as a whole: somebody finds none of its services while those of the other region answer, and nobody finds one.
    /// An observer that finds nothing anywhere is cut off itself.</summary>
    public bool RegionLost()
    {
        var fresh = Reports.Where(report => Now - report.ReceivedAt <= Timing.FreshFor && Now - report.SeenAt <= Timing.FreshFor).Select(report => report.Services.ToLookup(service => service.Region)).ToList();
        return fresh.Exists(seen => seen[Primary].Any(service => service.Answers == false) && seen[Standby].Any(service => service.Answers == true))
            && fresh.TrueForAll(seen => seen[Primary].All(service => service.Answers != true));
    }
}

/// <summary>A time in which nothing fails over by itself.</summary>
public sealed record Maintenance(string Reason, string? By, DateTimeOffset Since, DateTimeOffset Until);

/// <summary>A recovery that blocks the next one: while it runs, and then until somebody has acknowledged it. There is no time after which it stops to.</summary>
/// <param name="Running">False: it has ended and waits to be acknowledged.</param>
/// <param name="Promoted">Whether the primary of now is the one that it promoted: if that one stops, nobody is about to replace it.</param>
public sealed record OpenRecovery(string OperationId, bool Running, DateTimeOffset Since, bool Promoted = false);
