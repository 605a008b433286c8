using System.Globalization;

namespace PlatformOps.Platform.Scaling;

/// <summary>What has to be so before replicas come or go: limits that several components share, and what the replicas that go still hold.</summary>
/// <remarks>Invariant: where a fact is missing that a guard needs, nothing changes.</remarks>
public static class ScalingGuards
{
    /// <summary>Connections that the pools leave free: PostgreSQL keeps 3 for superusers (<c>superuser_reserved_connections</c>), and ten are for probes, backups, rotations and people.</summary>
    public const int ReservedConnections = 13;

    /// <summary>Shards that a GiB of heap serves well, by Elastic's guide to sizing shards.</summary>
    public const int ShardsForGibibyte = 20;

    /// <summary>Nodes of Elasticsearch that can lose one and still elect a master.</summary>
    private const int Quorum = 3;

    private const double Gibibyte = 1024d * 1024 * 1024;

    /// <summary>The change as far as it may be made now; or why it has to wait, or must not be made.</summary>
    /// <param name="component">Its name.</param>
    /// <param name="wanted">A decision to scale.</param>
    /// <param name="pods">The names of the pods that there are, by which those that go are known.</param>
    public static ScalingDecision Apply(string component, ScalingDefinition how, ScalingDecision wanted, ScalingSurroundings around, IReadOnlyList<string> pods)
    {
        if (wanted is not { Verdict: ScalingVerdict.Scale, From: { } from, To: { } to } || from == to)
            return wanted;
        if (to > from)
            return Connections(component, wanted, around.Connections) ?? Room(wanted, around.Room) ?? wanted;
        if (around.Floors.FirstOrDefault(floor => to <= floor.Minimum) is { } floor)
            return ScalingDecision.Refuse(from, $"PodDisruptionBudget {floor.Name} wants {floor.Minimum} to be there: with {to} no node could be drained any more. Change the budget first.");
        return Search(how, wanted, around.Search) ?? Database(how, wanted, around.Database) ?? Workers(how, wanted, around.Tasks, pods) ?? wanted;
    }

    /// <summary>Whether the pools of a specification fit into the database that it declares; null: they do, or there is no limit.</summary>
    public static string? Exceeded(ConnectionBudget budget)
    {
        if (budget.Limit is not { } limit || budget.Pools.Sum(pool => pool.All) is var sum && sum <= limit - ReservedConnections)
            return null;
        return $"the pools need {string.Join(" + ", budget.Pools.Where(pool => pool.Replicas > 0))} = {sum} connections, and the database accepts {limit}, of which {ReservedConnections} are kept free";
    }

    /// <summary>The node of Elasticsearch that goes next; null: none does.</summary>
    public static string? Leaving(ScalingDefinition how, int from, int to) => how is { Shards: true, Workload: { } workload } && to < from ? Leaving(workload, from, from - 1)[0] : null;

    /// <summary>The pods of a StatefulSet that go, those with the highest ordinals first.</summary>
    public static IReadOnlyList<string> Leaving(ScaledWorkload workload, int from, int to) => [.. Enumerable.Range(to, from - to).Reverse().Select(ordinal => $"{workload.Name}-{ordinal.ToString(CultureInfo.InvariantCulture)}")];

    /// <summary>The workers that are to go: those that do least, and of them those with the fewest workflows in their cache. Fewer than asked for when too few do nothing and the others would be cut off.</summary>
    public static IReadOnlyList<string> Spare(ScalingDefinition how, WorkerTasks tasks, int count) =>
    [
        .. (tasks.Workers ?? new Dictionary<string, WorkerLoad>()).Where(worker => worker.Value.Idle || EndsWhatItBegan(how, tasks))
            .OrderBy(worker => (worker.Value.Activities ?? int.MaxValue / 2) + (worker.Value.WorkflowTasks ?? int.MaxValue / 2)).ThenBy(worker => worker.Value.StickyWorkflows).ThenBy(worker => worker.Key, StringComparer.Ordinal)
            .Take(count).Select(worker => worker.Key),
    ];

    /// <summary>A worker that is told to stop takes nothing new and ends what it has begun, when its pod is given the time for that.</summary>
    private static bool EndsWhatItBegan(ScalingDefinition how, WorkerTasks tasks) => how.Tasks?.Longest is { } longest && tasks.Grace >= longest;

    private static ScalingDecision? Connections(string component, ScalingDecision wanted, ConnectionBudget? budget)
    {
        if (budget is null)
            return null;
        if (budget.Limit is null)
            return ScalingDecision.Refuse(wanted.From, "How many connections the database accepts could not be found out: more replicas might take the last ones from all.");
        var after = budget with { Pools = [.. budget.Pools.Select(pool => pool.Component == component ? pool with { Replicas = wanted.To!.Value } : pool)] };
        if (Exceeded(after) is not { } exceeded)
            return null;
        var own = after.Pools.First(pool => pool.Component == component);
        var room = (budget.Limit.Value - ReservedConnections - after.Pools.Sum(pool => pool.All) + own.All) / Math.Max(own.Each, 1);
        return ScalingDecision.Refuse(wanted.From, $"With {wanted.To} replicas {exceeded}. At most {Math.Max(room, 0)} replicas fit: raise the database's connections first, or make the pools smaller.");
    }

    private static ScalingDecision? Room(ScalingDecision wanted, PodRoom? room)
    {
        if (room is null)
            return null;
        var more = wanted.To!.Value - wanted.From!.Value;
        if (room.Pods is null)
            return ScalingDecision.Refuse(wanted.From, $"Whether the nodes have room could not be found out. {room.Detail}");
        if (room.Quota is { } quota && quota < more)
            return ScalingDecision.Refuse(wanted.From, $"{more} more pods are wanted, and the namespace's quota leaves room for {quota}. {room.Detail} Raise the quota first.");
        return room.Pods < more
            ? ScalingDecision.Refuse(wanted.From, $"{more} more pods are wanted, and the nodes have room for {room.Pods}. {room.Detail} Add nodes first.")
            : null;
    }

    private static ScalingDecision? Search(ScalingDefinition how, ScalingDecision wanted, SearchNodes? search)
    {
        if (!how.Shards)
            return null;
        var (from, to) = (wanted.From!.Value, wanted.To!.Value);
        if (from >= Quorum && to < Quorum)
            return ScalingDecision.Refuse(from, $"With {to} nodes Elasticsearch could not lose one and still elect a master: {Quorum} are the fewest.");
        if (search is not { Status: { } status, Nodes.Count: > 0 })
            return ScalingDecision.Refuse(from, "Elasticsearch did not say how it is: no node goes on a guess.");
        if (status != "green")
            return ScalingDecision.Wait(from, $"Elasticsearch is {status}: a node that went now might take the only copy of something with it.");
        // One at a time: the shards of several nodes at once would be a storm.
        var node = Leaving(how.Workload!, from, from - 1)[0];
        if (!search.Nodes.TryGetValue(node, out var leaving))
            return ScalingDecision.Refuse(from, $"Elasticsearch does not know a node {node}, which would be the one to go. It knows {string.Join(", ", search.Nodes.Keys.Order(StringComparer.Ordinal))}.");
        var (shards, heap) = (search.Nodes.Values.Sum(known => known.Shards), search.Nodes.Where(known => known.Key != node).Sum(known => known.Value.HeapBytes) / Gibibyte);
        if (shards > heap * ShardsForGibibyte)
            return ScalingDecision.Refuse(from, string.Create(
                CultureInfo.InvariantCulture, $"The {from - 1} nodes that stay have {heap:0.#} GiB of heap, which serve {(int)(heap * ShardsForGibibyte)} shards well ({ShardsForGibibyte} for each GiB), and there are {shards}. Delete or merge indices first, or give the nodes more memory."));
        if (leaving.Shards > 0)
            return new(search.Emptied.Contains(node) ? ScalingVerdict.Wait : ScalingVerdict.Empty, from, from, $"{node} still holds {leaving.Shards} shards: it goes when they have moved to the others.");
        // A node that is empty and may be given shards again at any moment is not empty when it goes.
        return !search.Emptied.Contains(node)
            ? new(ScalingVerdict.Empty, from, from, $"{node} holds no shards, and must not be given any before it goes.")
            : ScalingDecision.Scale(from, from - 1, $"{wanted.Why.TrimEnd('.')}; {node} holds no shards any more.");
    }

    /// <remarks>Invariant: after the change commits wait for nobody who is gone, and as many standbys as they wait for are there.</remarks>
    private static ScalingDecision? Database(ScalingDefinition how, ScalingDecision wanted, DatabaseInstances? database)
    {
        if (database is null)
            return null;
        if (database is not { Primary: { } primary, Standbys: { } standbys })
            return ScalingDecision.Refuse(wanted.From, $"Which instances are the primary and the synchronous standbys could not be found out: none goes on a guess. {database.Trouble}".TrimEnd());
        var leaving = Leaving(how.Workload!, wanted.From!.Value, wanted.To!.Value);
        if (leaving.Contains(primary))
            return ScalingDecision.Refuse(wanted.From, $"{primary}, which would go, is the primary. Hand over to another instance first.");
        var waitedFor = standbys.Where(standby => standby.State is "sync" or "quorum").ToList();
        // Whoever is waited for and gives another name than its pod's may be the one that goes, unless all that go are known by theirs.
        if (waitedFor.FirstOrDefault(standby => !IsOf(how.Workload!, standby.Name)) is { } stranger && leaving.FirstOrDefault(pod => standbys.All(standby => standby.Name != pod)) is { } unknown)
            return ScalingDecision.Refuse(wanted.From, $"Commits wait for a standby that calls itself {stranger.Name}, and that may be {unknown}, which would go. Have each standby give its pod's name as application_name.");
        if (waitedFor.FirstOrDefault(standby => standby.State == "sync" && leaving.Contains(standby.Name)) is { } synchronous)
            return ScalingDecision.Refuse(wanted.From, $"{synchronous.Name}, which would go, is a synchronous standby: commits wait for it. Let another one take its place first.");
        var staying = waitedFor.Count(standby => !leaving.Contains(standby.Name));
        return staying < database.Needed && waitedFor.Exists(standby => leaving.Contains(standby.Name))
            ? ScalingDecision.Refuse(wanted.From, $"Commits wait for {database.Needed} of the standbys {string.Join(", ", waitedFor.Select(standby => standby.Name))}, and {staying} of them would stay: no commit would end any more. Change synchronous_standby_names first.")
            : null;
    }

    private static bool IsOf(ScaledWorkload workload, string pod) => pod.StartsWith($"{workload.Name}-", StringComparison.Ordinal);

    private static ScalingDecision? Workers(ScalingDefinition how, ScalingDecision wanted, WorkerTasks? tasks, IReadOnlyList<string> pods)
    {
        if (how.Tasks is null || tasks is null)
            return null;
        var (from, to) = (wanted.From!.Value, wanted.To!.Value);
        if (EndsWhatItBegan(how, tasks))
            return null;
        if (tasks.Workers is not { } workers || pods.FirstOrDefault(pod => !workers.ContainsKey(pod)) is { })
            return ScalingDecision.Wait(from, tasks.Workers is null
                ? "Temporal could not be asked what the workers do: none goes on a guess."
                : $"{string.Join(", ", pods.Where(pod => !tasks.Workers!.ContainsKey(pod)))} did not tell Temporal what it does: none goes before all have.");
        var spare = Spare(how, tasks with { Workers = pods.ToDictionary(pod => pod, pod => workers[pod]) }, from - to).Count;
        return spare == 0
            ? ScalingDecision.Wait(from, $"All {from} workers are in the middle of something ({pods.Sum(pod => workers[pod].Activities ?? 0)} activities run): one goes when it is done.")
            : ScalingDecision.Scale(from, from - spare, $"{wanted.Why.TrimEnd('.')}; {spare} of {from} workers do nothing and may go.");
    }
}
