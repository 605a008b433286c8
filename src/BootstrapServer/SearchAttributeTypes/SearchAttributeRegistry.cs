using System.Collections.Concurrent;
using System.Text;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.SearchAttributeTypes;

/// <summary>
/// The search attributes that exist: those of the system, those that the server predefines, and custom ones with their
/// types. Custom ones are the same in every namespace.
/// </summary>
internal sealed class SearchAttributeRegistry
{
    private const string DocumentKind = "searchAttribute";

    private readonly ConcurrentDictionary<string, IndexedValueType> custom = new();
    private readonly IStore store;

    public SearchAttributeRegistry(IStore store, BootstrapServerOptions options)
    {
        this.store = store;
        foreach (var (name, type) in store.Documents(DocumentKind))
            custom[name] = Enum.Parse<IndexedValueType>(Encoding.UTF8.GetString(type));
        var given = new Transaction();
        foreach (var (name, type) in options.SearchAttributes.Where(a => custom.TryAdd(a.Key, a.Value)))
            given.Documents.Add(new DocumentChange(DocumentKind, name, Encoding.UTF8.GetBytes(type.ToString())));
        Ready = given.Documents.Count == 0 ? Task.CompletedTask : store.Commit(given);
    }

    /// <summary>Completes when the search attributes of the options are durable.</summary>
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
        ["TemporalWorkerDeployment"] = IndexedValueType.Keyword,
        ["TemporalWorkerDeploymentVersion"] = IndexedValueType.Keyword,
        ["TemporalWorkflowVersioningBehavior"] = IndexedValueType.Keyword,
    };

    public IReadOnlyDictionary<string, IndexedValueType> Custom => custom;

    public IEnumerable<KeyValuePair<string, IndexedValueType>> All => System.Concat(Predefined).Concat(custom);

    /// <summary>The type of an attribute of this name, or null when there is none.</summary>
    public IndexedValueType? TypeOf(string name) =>
        System.TryGetValue(name, out var type) || Predefined.TryGetValue(name, out type) || custom.TryGetValue(name, out type) ? type : null;

    /// <summary>Adds a custom attribute. False when one of that name and type exists; an error when it has another type.</summary>
    public async Task<bool> AddAsync(string name, IndexedValueType type)
    {
        if (TypeOf(name) is { } existing)
        {
            return existing == type
                ? false
                : throw Protocol.ServiceError.InvalidArgument($"Search attribute {name} already exists with type {existing}; it cannot become {type}.");
        }
        custom[name] = type;
        await SaveAsync(name, Encoding.UTF8.GetBytes(type.ToString()));
        return true;
    }

    /// <summary>Removes a custom attribute; runs keep the values that they have.</summary>
    public Task RemoveAsync(string name) => custom.TryRemove(name, out _)
        ? SaveAsync(name, null)
        : throw Protocol.ServiceError.NotFound($"Search attribute {name} does not exist, or is not a custom one.");

    /// <summary>What is wrong with values that a client or workflow sets, or null.</summary>
    public string? Problem(Namespace ns, Temporalio.Api.Common.V1.SearchAttributes? values)
    {
        foreach (var (name, payload) in values?.IndexedFields ?? [])
        {
            if (System.ContainsKey(name))
                return $"{name} attribute can't be set in SearchAttributes";
            if (TypeOf(name) is not { } type)
                return $"Namespace {ns.Name} has no mapping defined for search attribute {name}";
            if (SearchAttributeValue.Problem(name, type, payload) is { } problem)
                return problem;
        }
        return null;
    }

    private Task SaveAsync(string name, byte[]? type)
    {
        var transaction = new Transaction();
        transaction.Documents.Add(new DocumentChange(DocumentKind, name, type));
        return store.Commit(transaction);
    }
}
