using System.Collections.Concurrent;
using System.Text;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.SearchAttributeTypes;

/// <summary>
/// The search attributes that exist: those of the system and those that the server predefines in every namespace, and custom
/// ones with their types in the namespace that they were added to.
/// </summary>
internal sealed class SearchAttributeRegistry
{
    private const string DocumentKind = "searchAttribute";

    private static readonly ConcurrentDictionary<string, IndexedValueType> None = new();

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, IndexedValueType>> custom = new();
    private readonly IStore store;

    /// <summary>Those of the options are in every namespace of the options.</summary>
    public SearchAttributeRegistry(IStore store, NamespaceDirectory namespaces, BootstrapServerOptions options)
    {
        this.store = store;
        var kept = Load(namespaces);
        foreach (var ns in options.Namespaces.Select(namespaces.Find).OfType<Namespace>())
        {
            foreach (var (name, type) in options.SearchAttributes.Where(a => In(ns.Id).TryAdd(a.Key, a.Value)))
                kept.Documents.Add(Document(ns.Id, name, type));
        }
        Ready = kept.Documents.Count == 0 ? Task.CompletedTask : store.Commit(kept);
    }

    /// <summary>Completes when the search attributes of the options are durable, and those of earlier versions in their present form.</summary>
    public Task Ready { get; }

    /// <summary>Set by the server; nobody else can.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> System { get; } = new Dictionary<string, IndexedValueType>
    {
        ["WorkflowId"] = IndexedValueType.Keyword,
        ["RunId"] = IndexedValueType.Keyword,
        ["WorkflowType"] = IndexedValueType.Keyword,
        ["StartTime"] = IndexedValueType.Datetime,
        ["ExecutionTime"] = IndexedValueType.Datetime,
        ["CloseTime"] = IndexedValueType.Datetime,
        ["ExecutionStatus"] = IndexedValueType.Keyword,
        ["TaskQueue"] = IndexedValueType.Keyword,
        ["HistoryLength"] = IndexedValueType.Int,
        ["ExecutionDuration"] = IndexedValueType.Int,
        ["StateTransitionCount"] = IndexedValueType.Int,
        ["HistorySizeBytes"] = IndexedValueType.Int,
        ["ParentWorkflowId"] = IndexedValueType.Keyword,
        ["ParentRunId"] = IndexedValueType.Keyword,
        ["RootWorkflowId"] = IndexedValueType.Keyword,
        ["RootRunId"] = IndexedValueType.Keyword,
    };

    /// <summary>Known from the start; the server or a client sets them.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> Predefined { get; } = new Dictionary<string, IndexedValueType>
    {
        ["BatcherUser"] = IndexedValueType.Keyword,
        ["BinaryChecksums"] = IndexedValueType.KeywordList,
        ["BuildIds"] = IndexedValueType.KeywordList,
        ["BatcherNamespace"] = IndexedValueType.Keyword,
        ["TemporalChangeVersion"] = IndexedValueType.KeywordList,
        ["TemporalNamespaceDivision"] = IndexedValueType.Keyword,
        ["TemporalPauseInfo"] = IndexedValueType.KeywordList,
        ["TemporalReportedProblems"] = IndexedValueType.KeywordList,
        ["TemporalScheduledById"] = IndexedValueType.Keyword,
        ["TemporalSchedulePaused"] = IndexedValueType.Bool,
        ["TemporalScheduledStartTime"] = IndexedValueType.Datetime,
        ["TemporalUsedWorkerDeploymentVersions"] = IndexedValueType.KeywordList,
        ["TemporalWorkerDeployment"] = IndexedValueType.Keyword,
        ["TemporalWorkerDeploymentVersion"] = IndexedValueType.Keyword,
        ["TemporalWorkflowVersioningBehavior"] = IndexedValueType.Keyword,
    };

    /// <summary>Whatever exists in any namespace.</summary>
    public IEnumerable<KeyValuePair<string, IndexedValueType>> All => System.Concat(Predefined).Concat(custom.Values.SelectMany(c => c));

    public IReadOnlyDictionary<string, IndexedValueType> CustomOf(string namespaceId) => custom.GetValueOrDefault(namespaceId, None);

    /// <summary>The type of an attribute of this name in a namespace, or null when there is none.</summary>
    public IndexedValueType? TypeOf(string namespaceId, string name) =>
        System.TryGetValue(name, out var type) || Predefined.TryGetValue(name, out type) || CustomOf(namespaceId).TryGetValue(name, out type) ? type : null;

    /// <summary>Adds a custom attribute. False when one of that name and type exists; an error when it has another type.</summary>
    public async Task<bool> AddAsync(string namespaceId, string name, IndexedValueType type)
    {
        if (TypeOf(namespaceId, name) is { } existing)
        {
            return existing == type
                ? false
                : throw Protocol.ServiceError.InvalidArgument($"Search attribute {name} already exists with type {existing}; it cannot become {type}.");
        }
        In(namespaceId)[name] = type;
        await store.Commit(new Transaction { Documents = { Document(namespaceId, name, type) } });
        return true;
    }

    /// <summary>Removes a custom attribute; runs keep the values that they have. One that is not there is fine.</summary>
    public async Task RemoveAsync(string namespaceId, string name)
    {
        if (In(namespaceId).TryRemove(name, out _))
            await store.Commit(new Transaction { Documents = { Document(namespaceId, name, null) } });
    }

    /// <summary>Forgets those of a namespace that goes away.</summary>
    public async Task RemoveAllAsync(string namespaceId)
    {
        foreach (var name in CustomOf(namespaceId).Keys)
            await RemoveAsync(namespaceId, name);
        custom.TryRemove(namespaceId, out _);
    }

    /// <summary>What is wrong with values that a client or workflow sets, or null.</summary>
    public string? Problem(Namespace ns, Temporalio.Api.Common.V1.SearchAttributes? values)
    {
        foreach (var (name, payload) in values?.IndexedFields ?? [])
        {
            if (System.ContainsKey(name))
                return $"{name} attribute can't be set in SearchAttributes";
            if (TypeOf(ns.Id, name) is not { } type)
                return $"Namespace {ns.Name} has no mapping defined for search attribute {name}";
            if (SearchAttributeValue.Problem(name, type, payload) is { } problem)
                return problem;
        }
        return null;
    }

    /// <returns>What of it has to be kept in another form.</returns>
    private Transaction Load(NamespaceDirectory namespaces)
    {
        var moved = new Transaction();
        foreach (var (id, data) in store.Documents(DocumentKind))
        {
            var type = Enum.Parse<IndexedValueType>(Encoding.UTF8.GetString(data));
            if (id.Split('/', 2) is [var namespaceId, var name])
            {
                In(namespaceId)[name] = type;
                continue;
            }
            // Earlier versions kept one list for all namespaces.
            moved.Documents.Add(new DocumentChange(DocumentKind, id, null));
            foreach (var ns in namespaces.All)
            {
                In(ns.Id)[id] = type;
                moved.Documents.Add(Document(ns.Id, id, type));
            }
        }
        return moved;
    }

    private ConcurrentDictionary<string, IndexedValueType> In(string namespaceId) => custom.GetOrAdd(namespaceId, _ => new());

    private static DocumentChange Document(string namespaceId, string name, IndexedValueType? type) =>
        new(DocumentKind, $"{namespaceId}/{name}", type is { } given ? Encoding.UTF8.GetBytes(given.ToString()) : null);
}
