using System.Collections.Concurrent;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>
/// All worker deployments, in memory and in the store, and the routes of task queues that follow from them. Deployments
/// change rarely: one lock guards all of them. Routes are read all the time, without it.
/// </summary>
internal sealed class DeploymentDirectory
{
    private const string DocumentKind = "workerDeployment";

    /// <summary>The real server's limits.</summary>
    public const int MostVersions = 100;
    private const int MostDeployments = 100;
    private const int MostQueues = 100;

    private readonly Engine engine;
    private readonly Lock gate = new();
    private readonly Dictionary<(string NamespaceId, string Name), StoredDeployment> deployments = [];
    private readonly ConcurrentDictionary<QueueName, QueueRoute> routes = new();
    private readonly ConcurrentDictionary<(QueueName Queue, WorkerVersion Version), bool> registered = new();
    private volatile bool any;

    public DeploymentDirectory(Engine engine)
    {
        this.engine = engine;
        Held = new HeldVersions();
        foreach (var (_, data) in engine.Store.Documents(DocumentKind))
        {
            var stored = StateSerializer.Read<StoredDeployment>(data);
            deployments[(stored.NamespaceId, stored.Name)] = stored;
        }
        foreach (var stored in deployments.Values)
        {
            foreach (var version in stored.Versions)
            {
                foreach (var queue in version.Queues)
                    registered[(NameOf(stored, queue), stored.VersionOf(version.BuildId)!)] = true;
            }
            UpdateRoutes(stored);
        }
    }

    /// <summary>How many open runs each version holds.</summary>
    public HeldVersions Held { get; }

    /// <summary>False as long as no worker used versions: then nothing has to be asked here.</summary>
    public bool Any => any;

    public QueueRoute? RouteOf(QueueName queue) => routes.GetValueOrDefault(queue);

    /// <summary>Where the workflow tasks of a run's queue go.</summary>
    public QueueRoute? RouteOf(WorkflowRun run) => Any ? RouteOf(new QueueName(run.Name.NamespaceId, run.TaskQueue, TaskQueueType.Workflow)) : null;

    /// <summary>True when workers of the version poll the workflow queue.</summary>
    public bool Serves(Namespace ns, string queue, WorkerVersion version) =>
        RouteOf(new QueueName(ns.Id, queue, TaskQueueType.Workflow))?.Versions.Contains(version) == true;

    /// <summary>A worker polls: its version, and that it serves the queue, are known from now on.</summary>
    public Task RegisterAsync(Namespace ns, WorkerDeploymentOptions? options, string queue, TaskQueueType type)
    {
        if (options is not { WorkerVersioningMode: WorkerVersioningMode.Versioned })
            return Task.CompletedTask;
        var version = WorkerVersion.Of(options)!;
        var name = new QueueName(ns.Id, queue, type);
        if (registered.ContainsKey((name, version)))
            return Task.CompletedTask;
        DeploymentChecks.Version(version);
        return ChangeAsync(ns, version.Deployment, create: true, deployment =>
        {
            var found = FindOrAdd(deployment, version.BuildId, "");
            if (found.Serves(queue, type))
                return true;
            if (found.Queues.Select(q => q.Name).Append(queue).Distinct().Count() > MostQueues)
                throw ServiceError.ResourceExhausted($"cannot add task queue {queue} since maximum number of task queues ({MostQueues}) have been registered in deployment", ResourceExhaustedCause.WorkerDeploymentLimits);
            found.Queues.Add(new VersionQueue(queue, type));
            if (found.Status == WorkerDeploymentVersionStatus.Created)
                found.Status = WorkerDeploymentVersionStatus.Inactive;
            registered[(name, version)] = true;
            return true;
        });
    }

    /// <summary>Reads a deployment.</summary>
    /// <exception cref="RpcException">NOT_FOUND when there is none of that name.</exception>
    public T Read<T>(Namespace ns, string name, Func<StoredDeployment, T> read)
    {
        lock (gate)
            return read(Find(ns, name));
    }

    public List<T> ReadAll<T>(Namespace ns, Func<StoredDeployment, T> read)
    {
        lock (gate)
            return [.. deployments.Values.Where(d => d.NamespaceId == ns.Id).Select(read)];
    }

    public bool Exists(Namespace ns, string name)
    {
        lock (gate)
            return deployments.ContainsKey((ns.Id, name));
    }

    /// <summary>True when nothing is pinned to the version and none of its workers would answer.</summary>
    public bool IsDrained(string namespaceId, WorkerVersion version)
    {
        lock (gate)
            return deployments.GetValueOrDefault((namespaceId, version.Deployment))?.Find(version.BuildId)?.Status == WorkerDeploymentVersionStatus.Drained;
    }

    /// <summary>Changes a deployment, writes it, and lets queues know what it means for them; done when it is durable.</summary>
    /// <param name="create">Make one when there is none.</param>
    public async Task<T> ChangeAsync<T>(Namespace ns, string name, bool create, Func<StoredDeployment, T> change)
    {
        T result;
        Task durable;
        bool mayHaveDrained;
        HashSet<QueueName> affected;
        lock (gate)
        {
            var deployment = create ? FindOrCreate(ns, name) : Find(ns, name);
            // A change that is refused half-way leaves nothing behind.
            var before = StateSerializer.Write(deployment);
            var tried = StateSerializer.Read<StoredDeployment>(before);
            result = change(tried);
            var after = StateSerializer.Write(tried);
            if (after.AsSpan().SequenceEqual(before) && deployments.ContainsKey((ns.Id, name)))
                return result;
            deployments[(ns.Id, name)] = tried;
            affected = UpdateRoutes(tried, QueuesOf(deployment));
            durable = CommitAsync(tried, after);
            mayHaveDrained = tried.Versions.Exists(v => v.Drainage == VersionDrainageStatus.Draining && !Held.Any(ns.Id, tried.VersionOf(v.BuildId)!));
        }
        foreach (var queue in affected)
            engine.Matching.RouteChanged(queue);
        await durable;
        if (mayHaveDrained)
            engine.Background(CheckDrainageAsync(ns, name));
        return result;
    }

    public async Task DeleteAsync(Namespace ns, string name, Action<StoredDeployment> check)
    {
        Task durable;
        lock (gate)
        {
            var deployment = Find(ns, name);
            check(deployment);
            deployments.Remove((ns.Id, name));
            durable = CommitAsync(deployment, null);
        }
        await durable;
    }

    /// <summary>Forgets the deployments of a namespace that goes away.</summary>
    public async Task DeleteAllAsync(Namespace ns)
    {
        List<StoredDeployment> all;
        lock (gate)
        {
            all = [.. deployments.Values.Where(d => d.NamespaceId == ns.Id)];
            foreach (var deployment in all)
            {
                deployments.Remove((ns.Id, deployment.Name));
                foreach (var queue in QueuesOf(deployment))
                    routes.TryRemove(queue, out _);
            }
        }
        foreach (var key in registered.Keys.Where(k => k.Queue.NamespaceId == ns.Id))
            registered.TryRemove(key, out _);
        foreach (var deployment in all)
            await CommitAsync(deployment, null);
    }

    /// <summary>The version of a build; added when it is new.</summary>
    public StoredVersion FindOrAdd(StoredDeployment deployment, string buildId, string identity, WorkerDeploymentVersionStatus status = WorkerDeploymentVersionStatus.Inactive)
    {
        if (deployment.Find(buildId) is { } found)
            return found;
        if (deployment.Versions.Count >= MostVersions && !DropUnused(deployment))
        {
            throw ServiceError.ResourceExhausted(
                $"cannot add version {deployment.VersionOf(buildId)!.ToOldString()} since maximum number of versions ({MostVersions}) have been registered in the deployment",
                ResourceExhaustedCause.WorkerDeploymentLimits);
        }
        var added = new StoredVersion { BuildId = buildId, Created = engine.Clock.GetUtcNow(), Status = status, LastModifier = identity };
        deployment.Versions.Add(added);
        return added;
    }

    public void Remove(StoredDeployment deployment, StoredVersion version)
    {
        deployment.Versions.Remove(version);
        foreach (var queue in version.Queues)
            registered.TryRemove((NameOf(deployment, queue), deployment.VersionOf(version.BuildId)!), out _);
    }

    /// <summary>True when a worker of the version polled lately.</summary>
    public bool HasPollers(StoredDeployment deployment, StoredVersion version)
    {
        var name = deployment.VersionOf(version.BuildId);
        return version.Queues.Exists(q => engine.Matching.Find(NameOf(deployment, q))?.HasPollerOf(name) == true);
    }

    public static QueueName NameOf(StoredDeployment deployment, VersionQueue queue) => new(deployment.NamespaceId, queue.Name, queue.Type);

    /// <summary>The number of runs that a version holds went to or from zero.</summary>
    public void HeldChanged(Namespace ns, WorkerVersion version)
    {
        WorkerDeploymentVersionStatus status;
        lock (gate)
            status = deployments.GetValueOrDefault((ns.Id, version.Deployment))?.Find(version.BuildId)?.Status ?? WorkerDeploymentVersionStatus.Current;
        if (status is not (WorkerDeploymentVersionStatus.Current or WorkerDeploymentVersionStatus.Ramping))
            engine.Background(CheckDrainageAsync(ns, version.Deployment));
    }

    /// <summary>After recovery: what drained meanwhile, or did not, is noted.</summary>
    public async Task RecoverAsync()
    {
        foreach (var ns in engine.Namespaces.All)
        {
            foreach (var name in ReadAll(ns, d => d.Name))
                await CheckDrainageAsync(ns, name);
        }
    }

    /// <summary>Looks which versions of a deployment that get no new work still hold runs. It may be gone meanwhile.</summary>
    private async Task CheckDrainageAsync(Namespace ns, string name)
    {
        try
        {
            await ChangeAsync(ns, name, create: false, deployment =>
            {
                foreach (var version in deployment.Versions)
                    RoutingChange.SetHeld(version, Held.Any(ns.Id, deployment.VersionOf(version.BuildId)!), engine.Clock.GetUtcNow());
                return true;
            });
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // Deleted: nobody wants to know any more.
        }
    }

    private bool DropUnused(StoredDeployment deployment)
    {
        var unused = deployment.Versions.OrderBy(v => v.Created).FirstOrDefault(v =>
            v.Status is not (WorkerDeploymentVersionStatus.Current or WorkerDeploymentVersionStatus.Ramping or WorkerDeploymentVersionStatus.Draining) && !HasPollers(deployment, v));
        if (unused is not null)
            Remove(deployment, unused);
        return unused is not null;
    }

    private StoredDeployment Find(Namespace ns, string name) => deployments.GetValueOrDefault((ns.Id, name))
        ?? throw ServiceError.NotFound($"no Worker Deployment found with name '{name}'; does your Worker Deployment have pollers?");

    private StoredDeployment FindOrCreate(Namespace ns, string name)
    {
        if (deployments.TryGetValue((ns.Id, name), out var found))
            return found;
        if (deployments.Keys.Count(k => k.NamespaceId == ns.Id) >= MostDeployments)
            throw ServiceError.ResourceExhausted($"reached maximum deployments in namespace ({MostDeployments})", ResourceExhaustedCause.WorkerDeploymentLimits);
        var now = engine.Clock.GetUtcNow();
        return new StoredDeployment { NamespaceId = ns.Id, Name = name, Created = now, ConflictToken = now.UtcTicks };
    }

    private static HashSet<QueueName> QueuesOf(StoredDeployment deployment) => [.. deployment.Versions.SelectMany(v => v.Queues).Select(q => NameOf(deployment, q))];

    /// <returns>The queues whose route may be another now.</returns>
    private HashSet<QueueName> UpdateRoutes(StoredDeployment deployment, IEnumerable<QueueName>? before = null)
    {
        var queues = QueuesOf(deployment);
        queues.UnionWith(before ?? []);
        foreach (var queue in queues)
        {
            if (RouteTable.Of(deployments.Values.Where(d => d.NamespaceId == queue.NamespaceId), queue.Name, queue.Type) is { } route)
                (routes[queue], any) = (route, true);
            else
                routes.TryRemove(queue, out _);
        }
        return queues;
    }

    private Task CommitAsync(StoredDeployment deployment, byte[]? data) => engine.Store.Commit(new Transaction
    {
        Documents = { new DocumentChange(DocumentKind, $"{deployment.NamespaceId}/{deployment.Name}", data) },
    });
}
