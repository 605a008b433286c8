using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Namespace.V1;
using Temporalio.Api.Replication.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Namespaces;

/// <summary>All namespaces, in memory and in the store.</summary>
internal sealed class NamespaceDirectory
{
    /// <summary>The namespace of the server's own; it exists so that tools that look at it find it.</summary>
    public const string SystemNamespace = "temporal-system";

    private const string DocumentKind = "namespace";

    /// <summary>What a development server keeps when nobody says.</summary>
    private static readonly TimeSpan DefaultRetention = TimeSpan.FromDays(1);

    /// <summary>What workers and clients may count on. Each is claimed because the server does it.</summary>
    private static readonly NamespaceInfo.Types.Capabilities Capabilities = new()
    {
        EagerWorkflowStart = true,
        SyncUpdate = true,
        AsyncUpdate = true,
        WorkerHeartbeats = true,
        WorkerPollCompleteOnShutdown = true,
        PollerAutoscaling = true,
    };

    private readonly ConcurrentDictionary<string, Namespace> byName = new();
    private readonly ConcurrentDictionary<string, Namespace> byId = new();
    private readonly IStore store;
    private readonly Lock gate = new();
    private readonly Task ready = Task.CompletedTask;

    public NamespaceDirectory(IStore store, BootstrapServerOptions options)
    {
        this.store = store;
        foreach (var (id, data) in store.Documents(DocumentKind))
            Remember(new Namespace(id, "", DescribeNamespaceResponse.Parser.ParseFrom(data)));
        foreach (var name in options.Namespaces.Append(SystemNamespace).Where(n => !byName.ContainsKey(n)))
            ready = Save(Describe(new RegisterNamespaceRequest { Namespace = name, WorkflowExecutionRetentionPeriod = Duration.FromTimeSpan(DefaultRetention) }));
    }

    /// <summary>Completes when the namespaces of the options are durable.</summary>
    public Task Ready => ready;

    public IEnumerable<Namespace> All => byName.Values.OrderBy(n => n.Name, StringComparer.Ordinal);

    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND with a NamespaceNotFoundFailure.</exception>
    public Namespace Get(string name)
    {
        if (name.Length == 0)
            throw ServiceError.InvalidArgument("Namespace not set on request.");
        return byName.TryGetValue(name, out var found) ? found : throw ServiceError.NamespaceNotFound(name);
    }

    public Namespace? FindById(string id) => byId.GetValueOrDefault(id);

    public Namespace? Find(string name) => byName.GetValueOrDefault(name);

    public Task RegisterAsync(RegisterNamespaceRequest request)
    {
        if (request.Namespace.Length == 0)
            throw ServiceError.InvalidArgument("Namespace not set on request.");
        if (request.WorkflowExecutionRetentionPeriod is null || request.WorkflowExecutionRetentionPeriod.ToTimeSpan() < TimeSpan.FromHours(1))
            throw ServiceError.InvalidArgument("A valid retention period is not set on request: at least 1h.");
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
            if (request.UpdateInfo is { } info)
            {
                if (info.Description.Length > 0)
                    description.NamespaceInfo.Description = info.Description;
                if (info.OwnerEmail.Length > 0)
                    description.NamespaceInfo.OwnerEmail = info.OwnerEmail;
                foreach (var (key, value) in info.Data)
                    description.NamespaceInfo.Data[key] = value;
                if (info.State != NamespaceState.Unspecified)
                    description.NamespaceInfo.State = info.State;
            }
            if (request.Config is { } config)
            {
                if (config.WorkflowExecutionRetentionTtl is { } retention)
                    description.Config.WorkflowExecutionRetentionTtl = retention;
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

    /// <summary>Forgets the namespace; its executions are deleted by the caller.</summary>
    public Task DeleteAsync(Namespace target)
    {
        lock (gate)
        {
            byName.TryRemove(target.Name, out _);
            byId.TryRemove(target.Id, out _);
            var transaction = new Transaction();
            transaction.Documents.Add(new DocumentChange(DocumentKind, target.Id, null));
            return store.Commit(transaction);
        }
    }

    private static Namespace Describe(RegisterNamespaceRequest request)
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
            ReplicationConfig = new NamespaceReplicationConfig { ActiveClusterName = "active", Clusters = { new ClusterReplicationConfig { ClusterName = "active" } } },
            IsGlobalNamespace = false,
        };
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
        byName[target.Name] = target;
        byId[target.Id] = target;
    }
}
