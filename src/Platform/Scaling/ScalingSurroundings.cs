namespace PlatformOps.Platform.Scaling;

/// <summary>What a change of the number of replicas has consequences for. Each part is null where the component has nothing to do with it.</summary>
public sealed record ScalingSurroundings
{
    /// <summary>Looked at before replicas are added.</summary>
    public ConnectionBudget? Connections { get; init; }

    /// <summary>Looked at before replicas are added.</summary>
    public PodRoom? Room { get; init; }

    /// <summary>Looked at before replicas go.</summary>
    public IReadOnlyList<DisruptionFloor> Floors { get; init; } = [];

    /// <summary>Looked at before a node of Elasticsearch goes.</summary>
    public SearchNodes? Search { get; init; }

    /// <summary>Looked at before an instance of PostgreSQL goes.</summary>
    public DatabaseInstances? Database { get; init; }

    /// <summary>Looked at before a Temporal worker goes.</summary>
    public WorkerTasks? Tasks { get; init; }
}

/// <summary>The connections that one database accepts, and who may open how many.</summary>
/// <param name="Limit">How many it accepts in all; null: it could not be found out.</param>
/// <param name="Pools">Everybody with a pool, the component itself among them, with the replicas that there are now.</param>
public sealed record ConnectionBudget(int? Limit, IReadOnlyList<ConnectionPool> Pools);

/// <param name="Each">How many connections one replica may open.</param>
public sealed record ConnectionPool(string Component, int Replicas, int Each)
{
    /// <summary>All that its replicas may open.</summary>
    public int All => Replicas * Each;

    public override string ToString() => $"{Component} {Replicas} x {Each}";
}

/// <summary>Where more pods would find room.</summary>
/// <param name="Pods">How many more fit onto nodes that may take them; null: it could not be found out.</param>
/// <param name="Quota">How many more the namespace's quotas allow; null: there is none.</param>
/// <param name="Detail">What was counted, as a sentence.</param>
public sealed record PodRoom(int? Pods, int? Quota, string Detail);

/// <summary>A PodDisruptionBudget that wants a fixed number of pods.</summary>
/// <param name="Minimum">How many must be there; with that many or fewer no node could be drained any more.</param>
public sealed record DisruptionFloor(string Name, int Minimum);

/// <summary>The nodes of an Elasticsearch cluster.</summary>
/// <param name="Status"><c>green</c>, <c>yellow</c> or <c>red</c>; null: it could not be found out.</param>
/// <param name="Nodes">By name.</param>
/// <param name="Emptied">Names of nodes that it was told to move all shards away from.</param>
public sealed record SearchNodes(string? Status, IReadOnlyDictionary<string, SearchNode> Nodes, IReadOnlyList<string> Emptied);

/// <param name="Shards">How many shards it holds.</param>
/// <param name="HeapBytes">How much memory its Java heap may take.</param>
public sealed record SearchNode(int Shards, long HeapBytes);

/// <summary>The instances of PostgreSQL, as the primary sees them.</summary>
/// <param name="Primary">The name of its pod; null: it could not be found out.</param>
/// <param name="Standbys">Those that are connected, by the names that they gave; null: they could not be found out.</param>
/// <param name="Needed">How many standbys a commit waits for (<c>synchronous_standby_names</c>).</param>
/// <param name="Trouble">Why something could not be found out, as a sentence; null: all could.</param>
public sealed record DatabaseInstances(string? Primary, IReadOnlyList<DatabaseStandby>? Standbys, int Needed, string? Trouble = null);

/// <param name="Name">Its <c>application_name</c>, which is the name of its pod.</param>
/// <param name="State">As <c>pg_stat_replication.sync_state</c> has it: <c>sync</c>, <c>quorum</c>, <c>potential</c> or <c>async</c>.</param>
public sealed record DatabaseStandby(string Name, string State);

/// <summary>The workers that poll a task queue.</summary>
/// <param name="Workers">By the name of their pod; null: they could not be asked.</param>
/// <param name="Grace">How long a pod has to stop once it was told to (<c>terminationGracePeriodSeconds</c>); null: unknown.</param>
public sealed record WorkerTasks(IReadOnlyDictionary<string, WorkerLoad>? Workers, TimeSpan? Grace = null);

/// <summary>What one worker does, as it said in its last heartbeat.</summary>
/// <param name="Activities">Activities that run; null: it has not said.</param>
/// <param name="WorkflowTasks">Workflow tasks that it works on; null: it has not said.</param>
/// <param name="StickyWorkflows">Workflows that it keeps in its cache: another worker has to replay them when it goes.</param>
public sealed record WorkerLoad(int? Activities, int? WorkflowTasks, int StickyWorkflows)
{
    /// <summary>Whether nothing is lost when it goes.</summary>
    public bool Idle => Activities == 0 && WorkflowTasks == 0;
}
