namespace PlatformOps.Adapters.Failover;

/// <summary>How the guards of a pair are reached.</summary>
/// <param name="Nodes">By node: <c>https://host:port</c>.</param>
/// <param name="Authority">PEM file: whose certificates the guards have.</param>
/// <param name="Certificate">PEM file with our certificate; its common name stands in the guards' <c>api.operators</c>, else we may only look.</param>
/// <param name="Key">PEM file.</param>
public sealed record GuardAccess(IReadOnlyDictionary<string, Uri> Nodes, string Authority, string Certificate, string Key)
{
    /// <summary>For a connection, and for the answer to a look. Default half a second.</summary>
    public TimeSpan LookTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>For a change, beside what it may wait by its own parameters. Default two minutes.</summary>
    public TimeSpan ChangeTimeout { get; init; } = TimeSpan.FromMinutes(2);
}
