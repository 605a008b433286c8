using System.Globalization;

namespace PlatformOps.Platform.Failover;

/// <summary>What the three independent sources say of the primary: the observer in its region, the observer in the other one, and the witness's lease.</summary>
/// <remarks>Two of three have to say that it is down. One that is silent, late or undecided counts for neither side: unknown is not dead. Nobody who says that the
/// primary is well can veto: when the two others agree, it may be the one that is cut off, and the lease keeps a failover safe in any case.</remarks>
/// <param name="Primary">Whom they speak of.</param>
/// <param name="Votes">One of each source: an observer, named after its region, or <see cref="Witness"/>.</param>
/// <param name="Lease">The freshest report of the witness; null when no observer reaches it.</param>
public sealed record Quorum(string Primary, IReadOnlyList<Vote> Votes, LeaseReport? Lease)
{
    /// <summary>The name of the lease as a source.</summary>
    public const string Witness = "witness";

    /// <summary>How many of the three sources have to agree.</summary>
    public const int Needed = 2;

    public int Down => Votes.Count(vote => vote.Verdict == Verdict.Down);

    public int Up => Votes.Count(vote => vote.Verdict == Verdict.Up);

    /// <summary>Whether enough sources say that the primary is down.</summary>
    public bool SaysDown => Down >= Needed;

    /// <summary>Whether the primary itself said, through its guard, that it is stopped and fenced, and nothing says otherwise.</summary>
    public bool Fenced => Up == 0 && FencedBySomebody;

    /// <summary>Whether its guard said so to anybody. An observer, also that one, may have written a moment before, or has not heard of it yet.</summary>
    public bool FencedBySomebody => Votes.Any(vote => vote.Fenced);

    /// <summary>Each source with what it says, for people.</summary>
    public string InWords => string.Join("; ", Votes.Select(vote => $"{vote.Source}: {vote.Reason}"));

    /// <summary>Counts what is known at a moment.</summary>
    /// <param name="primary">The node that is primary.</param>
    /// <param name="observers">The regions in which observers stand.</param>
    /// <param name="reports">The latest report of each observer.</param>
    public static Quorum Of(string primary, IReadOnlyList<string> observers, IReadOnlyList<ObserverReport> reports, FailoverTiming timing, DateTimeOffset now)
    {
        var fresh = reports.Where(report => Age(report, now) <= timing.FreshFor).ToList();
        // Of several the one that knows the most: a newer epoch, then a newer sequence, then the longer watch of it.
        var lease = fresh.Select(report => report.Lease).OfType<LeaseReport>()
            .OrderByDescending(read => read.Epoch).ThenByDescending(read => read.Lease?.Sequence ?? read.Replaced?.Sequence ?? 0).ThenByDescending(read => read.UnchangedFor).FirstOrDefault();
        var renewing = LeaseVote(lease, primary, timing);
        return new(primary, [.. observers.Select(observer => ObserverVote(observer, primary, reports, renewing.Verdict, timing, now)), renewing], lease);
    }

    /// <summary>The worse of what two clocks say: a report that lay in a queue is as old as its observer says, one of a clock that is fast as old as its arrival.</summary>
    private static TimeSpan Age(ObserverReport report, DateTimeOffset now)
    {
        var (seen, received) = (now - report.SeenAt, now - report.ReceivedAt);
        return seen > received ? seen : received;
    }

    private static Vote ObserverVote(
        string observer, string primary, IReadOnlyList<ObserverReport> reports, Verdict lease, FailoverTiming timing, DateTimeOffset now)
    {
        if (reports.FirstOrDefault(report => report.Observer == observer) is not { } report)
            return new(observer, Verdict.Unknown, "has not reported yet");
        if (Age(report, now) > timing.FreshFor)
            return new(observer, Verdict.Unknown, $"has been silent for {Seconds(Age(report, now))}");
        if (report.Of(primary) is not { } node)
            return new(observer, Verdict.Unknown, "has not looked");
        var lasted = report.SeenAt - (node.Since ?? report.SeenAt);
        return node.Finding switch
        {
            NodeFinding.Serving => new(observer, Verdict.Up, "it serves", Fenced: node.Node is { Fenced: true }),
            NodeFinding.Unknown => new(observer, Verdict.Unknown, "cannot tell"),
            NodeFinding.Fenced => new(observer, Verdict.Down, "its guard says that it is stopped and fenced", Fenced: true),
            var down when lease == Verdict.Up && lasted < timing.AgainstRenewal =>
                new(observer, Verdict.Unknown, $"{Words(down)} for {Seconds(lasted)}, while its lease is renewed; {Seconds(timing.AgainstRenewal)} are needed"),
            var down => new(observer, Verdict.Down, $"{Words(down)} for {Seconds(lasted)}"),
        };
    }

    private static Vote LeaseVote(LeaseReport? read, string primary, FailoverTiming timing) => read switch
    {
        null => new(Witness, Verdict.Unknown, "no observer reaches it"),
        { Primary: var named } when named != primary => new(Witness, Verdict.Unknown, $"names {named}"),
        { Lease: null } => new(Witness, Verdict.Down, "nobody holds the lease"),
        { Lease.Released: true } => new(Witness, Verdict.Down, "the lease was given back"),
        { Lease.Duration: var duration, UnchangedFor: var unchanged } when unchanged >= duration * timing.StalledAfter =>
            new(Witness, Verdict.Down, $"the lease has not been renewed for {Seconds(unchanged)}"),
        _ => new(Witness, Verdict.Up, "the lease is renewed"),
    };

    private static string Words(NodeFinding finding) => finding == NodeFinding.Unreachable ? "unreachable" : "it takes no writes";

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalSeconds):0.0} s");
}

/// <summary>What one source says of the primary.</summary>
/// <param name="Reason">Why, to be read after the source's name.</param>
/// <param name="Fenced">Whether it heard from the node's guard that it is stopped and fenced.</param>
public sealed record Vote(string Source, Verdict Verdict, string Reason, bool Fenced = false);

public enum Verdict
{
    Unknown,
    Up,
    Down,
}
