namespace PlatformOps.Platform.Failover;

/// <summary>What one observer finds, all at one moment: it stands in one region, looks at the database's two nodes and at the witness from there, and at the
/// services of both regions.</summary>
public sealed record ObserverReport
{
    /// <summary>The region in which the observer stands.</summary>
    public required string Observer { get; init; }

    /// <summary>When it looked, by its own clock.</summary>
    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>When the report arrived, by the clock of the Temporal server. Set by whoever receives it.</summary>
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>By the node's name; a node that is missing was not looked at.</summary>
    public required IReadOnlyList<NodeReport> Nodes { get; init; }

    /// <summary>What the witness keeps; null when it does not answer: unknown.</summary>
    public LeaseReport? Lease { get; init; }

    /// <summary>Services of both regions, seen from where the observer stands.</summary>
    public IReadOnlyList<ServiceReport> Services { get; init; } = [];

    /// <summary>What it says of a node; null when it did not look.</summary>
    public NodeReport? Of(string node) => Nodes.FirstOrDefault(report => report.Name == node);
}

/// <summary>What an observer finds of one database node.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Node">What it says of itself; null when it does not answer now.</param>
/// <param name="Probe">What became of a write through the path that clients take.</param>
/// <param name="LastKnown">What it said last, if it ever did; the same as <paramref name="Node"/> while it answers.</param>
/// <param name="LastKnownAt">When it said so, by the observer's clock.</param>
/// <param name="Since">Since when the finding (<see cref="Finding"/>) has been what it is, by the observer's clock.</param>
/// <param name="LastServedAt">When a write was last acknowledged, or, where none can be tried, when it last said that it is writable; null: never. Whoever operates a database may answer long after the database has ceased to.</param>
public sealed record NodeReport(
    string Name, DatabaseNode? Node, WriteProbe Probe, DatabaseNode? LastKnown = null, DateTimeOffset? LastKnownAt = null, DateTimeOffset? Since = null, DateTimeOffset? LastServedAt = null)
{
    /// <summary>What the two answers together mean for whoever wants to write.</summary>
    public NodeFinding Finding => (Node, Probe) switch
    {
        // A write that was acknowledged says more than an agent that does not answer.
        (_, WriteProbe.Written) => NodeFinding.Serving,
        ({ Fenced: true }, _) => NodeFinding.Fenced,
        ({ Role: NodeRole.Stopped or NodeRole.Rebuilding }, _) => NodeFinding.NotServing,
        ({ Writable: true }, WriteProbe.NotTried or WriteProbe.Unclear) => NodeFinding.Serving,
        ({ Role: NodeRole.Unknown }, WriteProbe.NotTried or WriteProbe.Unclear) => NodeFinding.Unknown,
        (not null, _) => NodeFinding.NotServing,
        (null, WriteProbe.NoAnswer or WriteProbe.Refused) => NodeFinding.Unreachable,
        (null, _) => NodeFinding.Unknown,
    };
}

/// <summary>What became of a write that an observer tried.</summary>
public enum WriteProbe
{
    NotTried,
    Written,

    /// <summary>The server or its guard said that it takes no writes (read-only, shutting down, no space).</summary>
    Refused,

    /// <summary>No connection, or no answer in time.</summary>
    NoAnswer,

    /// <summary>It failed for a reason that says nothing about the server, for example a wrong password.</summary>
    Unclear,
}

/// <summary>What an observer makes of a node.</summary>
public enum NodeFinding
{
    /// <summary>The observer cannot tell. Neither serving nor dead.</summary>
    Unknown,

    /// <summary>Clients can write.</summary>
    Serving,

    /// <summary>It answers, and clients cannot write.</summary>
    NotServing,

    /// <summary>Its guard says that it is stopped and fenced.</summary>
    Fenced,

    /// <summary>Neither its guard nor its clients' path answers.</summary>
    Unreachable,
}

/// <summary>What an observer read at the witness.</summary>
/// <param name="UnchangedFor">For how long the observer has met this very sequence, by its monotonic clock.</param>
public sealed record LeaseReport(long Epoch, string Primary, PrimaryLease? Lease, PrimaryLease? Replaced, TimeSpan UnchangedFor);

/// <summary>Whether a service of a region answers where the observer stands.</summary>
/// <param name="Service"><c>kubernetes</c>, <c>temporal</c> or <c>dns</c>.</param>
/// <param name="Answers">Null: it was not asked, or its answer says nothing.</param>
public sealed record ServiceReport(string Service, string Region, bool? Answers, string? Detail = null);
