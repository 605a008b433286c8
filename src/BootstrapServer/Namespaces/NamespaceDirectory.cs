using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Namespace.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Namespaces;

/// <summary>All namespaces, in memory and in the store.</summary>
internal sealed class NamespaceDirectory
{
    /// <summary>The namespace of the server's own; it exists so that tools that look at it find it.</summary>
    public const string SystemNamespace = "temporal-system";

    private const string DocumentKind = "namespace";

    private const int LongestName = 1000;

    /// <summary>What a development server keeps when nobody says.</summary>
    private static readonly TimeSpan DefaultRetention = TimeSpan.FromDays(1);

    private static readonly TimeSpan ShortestRetention = TimeSpan.FromHours(1);

    /// <summary>So much of its id a deleted namespace's name gets at least.</summary>
    private const int ShortestSuffix = 5;

    /// <summary>What workers and clients may count on. Each is claimed because the server does it.</summary>
    private static readonly NamespaceInfo.Types.Capabilities Capabilities = new()
    {
        EagerWorkflowStart = true,
        SyncUpdate = true,
        AsyncUpdate = true,
        WorkerHeartbeats = true,
        WorkerPollCompleteOnShutdown = true,
        PollerAutoscaling = true,
        WorkflowPause = true,
    };

    /// <summary>Where years pass in seconds a day is nothing: a test wants to look at all that happened.</summary>
    private static readonly TimeSpan RetentionOfSkippedTime = TimeSpan.FromDays(36_500);

    private readonly ConcurrentDictionary<string, Namespace> byName = new();
    private readonly ConcurrentDictionary<string, Namespace> byId = new();
    private readonly IStore store;
    private readonly NamespaceInfo.Types.Limits limits;
    private readonly Replication replication;
    private readonly Lock gate = new();
    private readonly Task ready = Task.CompletedTask;

    public NamespaceDirectory(IStore store, BootstrapServerOptions options)
    {
        this.store = store;
        replication = new(options.Cluster, options.Clusters, options.TimeProvider);
        (Cluster, InitialFailoverVersion) = (options.Cluster, Replication.Initial(options.Cluster, options.Clusters));
        limits = new NamespaceInfo.Types.Limits { BlobSizeLimitError = options.Limits.BlobBytes, MemoSizeLimitError = options.Limits.MemoBytes };
        foreach (var (id, data) in store.Documents(DocumentKind))
            Remember(new Namespace(id, "", DescribeNamespaceResponse.Parser.ParseFrom(data)));
        var retention = Duration.FromTimeSpan(options.SkipTime ? RetentionOfSkippedTime : DefaultRetention);
        foreach (var name in options.Namespaces.Append(SystemNamespace).Where(n => !byName.ContainsKey(n)))
            ready = Save(Describe(new RegisterNamespaceRequest { Namespace = name, WorkflowExecutionRetentionPeriod = retention }));
    }

    /// <summary>The name of the cluster that this server is.</summary>
    public string Cluster { get; }

    public long InitialFailoverVersion { get; }

    /// <summary>Completes when the namespaces of the options are durable.</summary>
    public Task Ready => ready;

    public IEnumerable<Namespace> All => byName.Values.OrderBy(n => n.Name, StringComparer.Ordinal);

    /// <summary>A namespace that can be used; one that is being deleted cannot.</summary>
    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND with a NamespaceNotFoundFailure.</exception>
    public Namespace Get(string name)
    {
        if (name.Length == 0)
            throw ServiceError.InvalidArgument("Namespace is not set on request.");
        return Find(name) is { State: not NamespaceState.Deleted } found ? found : throw ServiceError.NamespaceNotFound(name);
    }

    public Namespace? FindById(string id) => byId.GetValueOrDefault(id);

    public Namespace? Find(string name) => byName.GetValueOrDefault(name);

    public Task RegisterAsync(RegisterNamespaceRequest request)
    {
        if (request.Namespace.Length == 0)
            throw ServiceError.InvalidArgument("Namespace is not set on request.");
        if (request.Namespace.Length > LongestName)
            throw ServiceError.InvalidArgument($"Namespace length exceeds limit: {request.Namespace.Length} of {LongestName}.");
        RequireRetention(request.WorkflowExecutionRetentionPeriod);
        replication.Require(request);
        lock (gate)
        {
            if (byName.ContainsKey(request.Namespace))
                throw ServiceError.NamespaceAlreadyExists(request.Namespace);
            return Save(Describe(request));
        }
    }

    public async Task<Namespace> UpdateAsync(UpdateNamespaceRequest request)
    {
        Task durable;
        Namespace updated;
        lock (gate)
        {
            var description = Get(request.Namespace).Description.Clone();
            replication.Update(description, request);
            if (request.UpdateInfo is { } info)
            {
                if (info.Description.Length > 0)
                    description.NamespaceInfo.Description = info.Description;
                if (info.OwnerEmail.Length > 0)
                    description.NamespaceInfo.OwnerEmail = info.OwnerEmail;
                foreach (var (key, value) in info.Data)
                    description.NamespaceInfo.Data[key] = value;
                if (info.State != NamespaceState.Unspecified && info.State != description.NamespaceInfo.State && description.ReplicationConfig.State == ReplicationState.Handover)
                    throw ServiceError.InvalidArgument($"cannot update namespace state while its replication state in {ReplicationState.Handover}");
                if (info.State != NamespaceState.Unspecified && info.State != description.NamespaceInfo.State)
                    description.NamespaceInfo.State = Next(description.NamespaceInfo.State, info.State);
            }
            if (request.Config is { } config)
            {
                if (config.WorkflowExecutionRetentionTtl is { } retention)
                    description.Config.WorkflowExecutionRetentionTtl = RequireRetention(retention);
                foreach (var (key, value) in config.CustomSearchAttributeAliases)
                    description.Config.CustomSearchAttributeAliases[key] = value;
            }
            updated = new Namespace(description.NamespaceInfo.Id, description.NamespaceInfo.Name, description);
            durable = Save(updated);
        }
        await durable;
        return updated;
    }

    public Task DeprecateAsync(string name) =>
        UpdateAsync(new UpdateNamespaceRequest { Namespace = name, UpdateInfo = new UpdateNamespaceInfo { State = NamespaceState.Deprecated } });

    /// <summary>Renames a namespace that is to go, so that its name is free at once and nobody uses it any more.</summary>
    public async Task<Namespace> MarkDeletedAsync(Namespace target)
    {
        Task durable;
        Namespace renamed;
        lock (gate)
        {
            if (FindById(target.Id) is not { } current)
                throw ServiceError.NamespaceNotFound(target.Name);
            if (current.State == NamespaceState.Deleted)
                return current;
            var description = current.Description.Clone();
            description.NamespaceInfo.State = NamespaceState.Deleted;
            description.NamespaceInfo.Name = Enumerable.Range(ShortestSuffix, current.Id.Length - ShortestSuffix)
                .Select(length => $"{current.Name}-deleted-{current.Id[..length]}").First(name => !byName.ContainsKey(name));
            byName.TryRemove(current.Name, out _);
            renamed = new Namespace(current.Id, description.NamespaceInfo.Name, description);
            durable = Save(renamed);
        }
        await durable;
        return renamed;
    }

    /// <summary>Forgets the namespace; its executions are deleted by the caller.</summary>
    public Task DeleteAsync(Namespace target)
    {
        lock (gate)
        {
            if (FindById(target.Id) is { } current)
                byName.TryRemove(current.Name, out _);
            byId.TryRemove(target.Id, out _);
            var transaction = new Transaction();
            transaction.Documents.Add(new DocumentChange(DocumentKind, target.Id, null));
            return store.Commit(transaction);
        }
    }

    private static Duration RequireRetention(Duration? retention) => retention is not null && retention.ToTimeSpan() >= ShortestRetention
        ? retention
        : throw ServiceError.InvalidArgument("A valid retention period is not set on request: at least one hour.");

    /// <summary>A namespace is deprecated or deleted, and never comes back.</summary>
    private static NamespaceState Next(NamespaceState current, NamespaceState wanted) =>
        wanted == NamespaceState.Deprecated && current == NamespaceState.Registered ? wanted
        : throw ServiceError.InvalidArgument($"Invalid namespace state update: from {current} to {wanted}; delete a namespace with DeleteNamespace.");

    private Namespace Describe(RegisterNamespaceRequest request)
    {
        var id = Guid.NewGuid().ToString();
        var description = new DescribeNamespaceResponse
        {
            NamespaceInfo = new NamespaceInfo
            {
                Id = id,
                Name = request.Namespace,
                State = NamespaceState.Registered,
                Description = request.Description,
                OwnerEmail = request.OwnerEmail,
                SupportsSchedules = true,
            },
            Config = new NamespaceConfig
            {
                WorkflowExecutionRetentionTtl = request.WorkflowExecutionRetentionPeriod,
                HistoryArchivalState = ArchivalState.Disabled,
                VisibilityArchivalState = ArchivalState.Disabled,
            },
        };
        replication.Describe(description, request);
        foreach (var (key, value) in request.Data)
            description.NamespaceInfo.Data[key] = value;
        return new Namespace(id, request.Namespace, description);
    }

    private Task Save(Namespace target)
    {
        Remember(target);
        var transaction = new Transaction();
        transaction.Documents.Add(new DocumentChange(DocumentKind, target.Id, target.Description.ToByteArray()));
        return store.Commit(transaction);
    }

    private void Remember(Namespace target)
    {
        target = target with { Name = target.Description.NamespaceInfo.Name };
        target.Description.NamespaceInfo.Capabilities = Capabilities.Clone(); // what this server can, whichever wrote the file
        target.Description.NamespaceInfo.Limits = limits.Clone(); // workers check what they send before they do
        byName[target.Name] = target;
        byId[target.Id] = target;
    }
}
