namespace PlatformOps.Guard;

/// <summary>The guard cannot do what it was asked, or cannot start. The message says what happened, why, and what to do next; it holds no secret.</summary>
public sealed class GuardException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Nothing was done because the call itself may not be carried out: an old epoch, another node's turn.</summary>
    public bool Refused { get; init; }

    /// <summary>What lies in the backups' repository is the reason: trying again does not help.</summary>
    public bool Damaged { get; init; }

    /// <summary>What was asked about is not on this node.</summary>
    public bool Missing { get; init; }
}
