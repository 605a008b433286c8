using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Failover;

/// <summary>A change of places as it is decided and approved.</summary>
public sealed record FailoverProposal
{
    public required string Environment { get; init; }

    public required FailoverKind Kind { get; init; }

    /// <summary>Who is primary now.</summary>
    public required string From { get; init; }

    /// <summary>Who becomes primary.</summary>
    public required string To { get; init; }

    /// <summary>The epoch in which this was decided: a claim of a later one makes it void.</summary>
    public required long Epoch { get; init; }

    /// <summary>Whether the rest of the platform moves too.</summary>
    public required StackMove Stack { get; init; }

    /// <summary>The old primary's guard said that it is stopped and fenced. Whether its lease has to be waited out is for the witness's record to say.</summary>
    public bool Fenced { get; init; }

    /// <summary>The last sequence of the lease that had not been renewed; when it has been renewed by the time of the claim, this is void. Null: it does not rest on that.</summary>
    public long? StalledSequence { get; init; }

    public required LossEstimate Loss { get; init; }

    /// <summary>What people approve: what would be done to whom, and what it would cost. The same facts give the same hash.</summary>
    public string Hash => CanonicalJson.Digest(new JsonObject
    {
        ["environment"] = Environment,
        ["kind"] = $"{Kind}",
        ["from"] = From,
        ["to"] = To,
        ["epoch"] = Epoch,
        ["stack"] = $"{Stack}",
        ["nothingLost"] = Loss.Nothing,
        ["bytesLost"] = Loss.Bytes,
        ["lastMarker"] = Loss.LastMarker?.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
    });
}

/// <summary>How the places change.</summary>
public enum FailoverKind
{
    /// <summary>The primary is down or cut off: claim, fence, promote.</summary>
    Failover,

    /// <summary>Both are well: fence with everything handed over, claim, promote. Nothing is lost.</summary>
    Switchover,

    /// <summary>A switchover back to where the specification wants the primary, after what exists only there has been exported and the node follows again.</summary>
    Failback,
}

/// <summary>What becomes of the rest of the platform when the database changes places.</summary>
public enum StackMove
{
    /// <summary>It stays.</summary>
    Stays,

    /// <summary>It moves after people have said so.</summary>
    AfterApproval,

    /// <summary>It moves.</summary>
    Moves,
}
