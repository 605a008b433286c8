using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>Builds the facts of a decision from words: what each of the three sources finds.</summary>
internal static class Sighting
{
    public const string East = "us-east-1";
    public const string West = "us-west-2";

    public static readonly DateTimeOffset Now = new(2026, 3, 1, 3, 0, 0, TimeSpan.Zero);

    private static readonly DatabaseNode Node = new() { Name = East, Role = NodeRole.Primary, Writable = true, Fenced = false, Epoch = 7, Timeline = 3, ReceivedLsn = 5_000, Synchronous = true, Streaming = true, LastMarker = Now };

    private static readonly DatabaseNode Standby = Node with { Name = West, Role = NodeRole.Standby, Writable = false, Synchronous = null, ReplayedLsn = 5_000 };

    /// <param name="east">What the observer in the primary's region finds of it; <c>silent</c>: it reports nothing.</param>
    /// <param name="west">What the observer in the standby's region finds of it.</param>
    /// <param name="lease"><c>renewed</c>, <c>stalled</c>, <c>released</c>, <c>none</c>, <c>unknown</c> or <c>moved</c>.</param>
    public static FailoverFacts Facts(string east = "serves", string west = "serves", string lease = "renewed", bool synchronous = true, long standbyLsn = 5_000, FailoverPolicy? policy = null)
    {
        var primary = Node with { Synchronous = synchronous };
        var standby = Standby with { ReceivedLsn = standbyLsn, LastMarker = Now - TimeSpan.FromSeconds(2) };
        return new()
        {
            Environment = "production",
            Policy = policy ?? new(FailoverMode.Automatic, FailoverMode.Approval, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5)),
            Timing = new(),
            Primary = East,
            Standby = West,
            Epoch = 7,
            Reports = [.. new[] { Report(East, east), Report(West, west) }.OfType<ObserverReport>()],
            Now = Now,
        };

        ObserverReport? Report(string observer, string finding) => finding == "silent" ? null : new()
        {
            Observer = observer,
            SeenAt = Now - (finding == "stale" ? TimeSpan.FromSeconds(10) : TimeSpan.FromMilliseconds(100)),
            ReceivedAt = Now - (finding == "late" ? TimeSpan.FromSeconds(10) : TimeSpan.Zero),
            Nodes = [Found(finding, primary), new(West, standby, WriteProbe.NotTried, standby, Now)],
            Lease = Lease(lease),
        };
    }

    private static NodeReport Found(string finding, DatabaseNode primary) => finding switch
    {
        "serves" => Of(primary, WriteProbe.Written),
        "agentGone" => Of(null, WriteProbe.Written, primary),
        "claims" => Of(primary, WriteProbe.NotTried),
        "fenced" => Of(Stopped(primary), WriteProbe.Refused),
        "fencedAndWrote" => Of(Stopped(primary), WriteProbe.Written),
        "starting" => Of(primary with { Writable = false }, WriteProbe.Refused),
        "refuses" => Of(primary, WriteProbe.Refused, since: TimeSpan.FromSeconds(1)),
        "refusesLong" => Of(primary, WriteProbe.Refused, since: TimeSpan.FromSeconds(11)),
        "goneLong" => Of(null, WriteProbe.NoAnswer, primary, TimeSpan.FromSeconds(11)),
        "unclear" => Of(null, WriteProbe.Unclear, primary),
        _ => Of(null, WriteProbe.NoAnswer, primary),
    };

    private static DatabaseNode Stopped(DatabaseNode primary) => primary with { Role = NodeRole.Stopped, Writable = false, Fenced = true, Synchronous = null, CommitsWaited = primary.Synchronous };

    private static NodeReport Of(DatabaseNode? node, WriteProbe probe, DatabaseNode? last = null, TimeSpan? since = null) =>
        new(East, node, probe, node ?? last, Now - TimeSpan.FromSeconds(1), Now - (since ?? TimeSpan.FromMilliseconds(500)));

    private static LeaseReport? Lease(string lease)
    {
        var held = new PrimaryLease(40, TimeSpan.FromSeconds(1), false);
        return lease switch
        {
            "unknown" => null,
            "renewed" => new(7, East, held, null, TimeSpan.FromMilliseconds(100)),
            "stalled" => new(7, East, held, null, TimeSpan.FromMilliseconds(850)),
            "almost" => new(7, East, held, null, TimeSpan.FromMilliseconds(750)),
            "released" => new(7, East, held.Release(), null, TimeSpan.Zero),
            "none" => new(7, East, null, null, TimeSpan.Zero),
            "moved" => new(8, West, held, null, TimeSpan.Zero),
            _ => throw new ArgumentOutOfRangeException(nameof(lease), lease, "no such word"),
        };
    }
}
