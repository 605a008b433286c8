namespace PlatformOps.Platform.Failover;

/// <summary>What one cluster says of where a Temporal namespace is active.</summary>
/// <param name="Cluster">The name of the cluster in which it is active.</param>
/// <param name="Clusters">All that it is replicated to.</param>
/// <param name="FailoverVersion">Grows with each failover of it.</param>
/// <param name="Closed">It is being handed over: nothing is started, signalled or changed there until that has ended. Only the cluster that hands over knows of it; this state is not replicated.</param>
public sealed record ActiveNamespace(string Cluster, IReadOnlyList<string> Clusters, long FailoverVersion, bool Closed = false);
