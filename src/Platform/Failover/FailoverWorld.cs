namespace PlatformOps.Platform.Failover;

/// <summary>What an environment's database, its witness and what leads to it say of themselves, to somebody who knows nothing else: the history of whoever changed the places is lost.</summary>
public sealed record FailoverWorld
{
    public required string Environment { get; init; }

    /// <summary>What the witness keeps; null: it does not answer.</summary>
    public required WitnessSight? Witness { get; init; }

    /// <summary>What each of the two nodes says of itself; null: it does not answer.</summary>
    public required IReadOnlyDictionary<string, DatabaseNode?> Nodes { get; init; }

    /// <summary>What leads clients to the primary.</summary>
    public required IReadOnlyList<PrimaryPointer> Pointers { get; init; }

    /// <summary>What the Temporal clusters of both regions say of the namespaces that go with the database.</summary>
    public IReadOnlyList<NamespaceSight> Namespaces { get; init; } = [];

    /// <summary>Whether commits are to wait for the standby.</summary>
    public required bool Synchronous { get; init; }
}

/// <summary>What is said of a Temporal namespace.</summary>
/// <param name="Said">By region, what its cluster says; null: it does not answer.</param>
public sealed record NamespaceSight(string Name, IReadOnlyDictionary<string, ActiveNamespace?> Said);

/// <param name="Record">Null: it keeps nothing.</param>
public sealed record WitnessSight(WitnessRecord? Record);

/// <summary>Something that leads clients to the primary.</summary>
/// <param name="Name">For people, for example <c>Endpoints database/postgresql in us-east-1</c>.</param>
/// <param name="Node">The node that it leads to; null: to none of the two.</param>
/// <param name="Epoch">Of which epoch it is; null: whoever keeps it does not answer.</param>
public sealed record PrimaryPointer(string Name, string? Node, long? Epoch);
