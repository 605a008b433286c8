using System.Text.Json.Nodes;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Reads objects. Never changes anything, and never reads the values of Secrets.</summary>
public sealed class LiveObjects(KubernetesConnection connection)
{
    private const int PageSize = 500;

    /// <summary>How many reads are under way at once.</summary>
    private const int Parallel = 8;

    /// <summary>Everything of some kinds that carries labels, wherever it is, and every object at some addresses, whoever owns it.</summary>
    /// <param name="labels">All must match.</param>
    /// <exception cref="AdapterException">Something could not be read: what is unknown is never reported as absent.</exception>
    public async Task<IReadOnlyList<ObservedObject>> ObserveAsync(
        IEnumerable<ObjectKind> kinds, IReadOnlyDictionary<string, string> labels, IEnumerable<ResourceAddress> addresses, CancellationToken ct)
    {
        var selector = string.Join(',', labels.Select(label => $"{label.Key}={label.Value}"));
        var listed = await InParallelAsync(kinds.Distinct(), (kind, token) => ListAsync(kind, null, selector, token), ct);
        var objects = listed.SelectMany(items => items).DistinctBy(item => item.Address).ToDictionary(item => item.Address);
        var others = await InParallelAsync(addresses.Distinct().Where(address => !objects.ContainsKey(address)), FindAsync, ct);
        return [.. objects.Values, .. others.OfType<ObservedObject>()];
    }

    /// <summary>The kinds among these that the cluster serves: of the others there can be no objects.</summary>
    public async Task<IReadOnlyList<ObjectKind>> ServedAsync(IEnumerable<ObjectKind> kinds, CancellationToken ct)
    {
        var served = new List<ObjectKind>();
        foreach (var kind in kinds.Distinct())
        {
            if (await connection.Kinds.FindOrNullAsync(kind, ct) is not null)
                served.Add(kind);
        }

        return served;
    }

    /// <summary>Everything of some kinds in one namespace, whoever owns it.</summary>
    public async Task<IReadOnlyList<ObservedObject>> InNamespaceAsync(string space, IEnumerable<ObjectKind> kinds, CancellationToken ct)
    {
        var listed = await InParallelAsync(kinds.Distinct(), ListedAsync, ct);
        return [.. listed.SelectMany(items => items)];

        async Task<IReadOnlyList<ObservedObject>> ListedAsync(ObjectKind kind, CancellationToken token) =>
            (await connection.Kinds.FindAsync(kind, token)).Namespaced ? await ListAsync(kind, space, "", token) : [];
    }

    /// <summary>The pods that a workload's selector selects.</summary>
    public async Task<IReadOnlyList<ObservedObject>> PodsAsync(ObservedObject workload, CancellationToken ct) =>
        LabelSelector.Of(workload.Manifest["spec"]?["selector"]) is { } selector ? await ListAsync(new("v1", "Pod"), workload.Address.Namespace, selector.ToString(), ct) : [];

    /// <summary>The object, or null when the API server says that there is none.</summary>
    public async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct)
    {
        var kind = await connection.Kinds.FindAsync(new(address.ApiVersion, address.Kind), ct);
        var answer = await connection.SendAsync(
            ApiCall.Get(kind.Path(address.Namespace, address.Name), "get", InWords(address)) with { Accept = Accept(address.Kind, "PartialObjectMetadata") }, ct);
        return answer.Missing ? null : Observed(answer.Body, new(address.ApiVersion, address.Kind));
    }

    /// <summary>All objects of a kind that match, in pages.</summary>
    /// <param name="space">Null: in all namespaces.</param>
    /// <param name="selector">A label selector.</param>
    public async Task<IReadOnlyList<ObservedObject>> ListAsync(ObjectKind kind, string? space, string selector, CancellationToken ct)
    {
        var served = await connection.Kinds.FindAsync(kind, ct);
        var path = $"{served.Path(space, null)}?limit={PageSize}&labelSelector={Uri.EscapeDataString(selector)}";
        var subject = $"{served.Resource}{(space is null ? "" : $" in namespace {space}")}";
        var items = new List<ObservedObject>();
        for (var next = ""; ;)
        {
            if (await PageAsync(path + next) is not { } page)
                return items;
            if ((string?)page["kind"] is not { } answered || !answered.EndsWith("List", StringComparison.Ordinal))
                throw new AdapterException(AdapterFailureKind.Unavailable, $"What was answered to the list of {subject} in {connection.Region} is no list: that is no answer of an API server.");
            items.AddRange((page["items"] as JsonArray ?? []).OfType<JsonObject>().Select(item => Observed((JsonObject)item.DeepClone(), kind)));
            if ((string?)page["metadata"]?["continue"] is not { Length: > 0 } token)
                return items;
            next = $"&continue={Uri.EscapeDataString(token)}";
        }

        // Null: the definition of the kind was removed since it was asked for, as by whoever takes a component down.
        async Task<JsonObject?> PageAsync(string page)
        {
            try
            {
                var answer = await connection.SendAsync(ApiCall.Get(page, "list", subject) with { Accept = Accept(kind.Kind, "PartialObjectMetadataList") }, ct);
                return answer.Missing && await connection.Kinds.IsGoneAsync(kind, ct) ? null : answer.Body;
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
            {
                if (!await connection.Kinds.IsGoneAsync(kind, ct))
                    throw;
                return null;
            }
        }
    }

    internal static string InWords(ResourceAddress address) =>
        address.Namespace is null ? $"{address.Kind} {address.Name}" : $"{address.Kind} {address.Namespace}/{address.Name}";

    /// <summary>The values of a Secret are not even transferred.</summary>
    private static string Accept(string kind, string metadata) =>
        kind == "Secret" ? $"application/json;as={metadata};g=meta.k8s.io;v=v1,application/json" : "application/json";

    private ObservedObject Observed(JsonObject item, ObjectKind kind)
    {
        item["apiVersion"] = kind.ApiVersion;
        item["kind"] = kind.Kind;
        if (kind.Kind == "Secret")
            WithoutValues(item);
        var metadata = (JsonObject)item["metadata"]!;
        return new(new(connection.Region, kind.ApiVersion, kind.Kind, (string?)metadata["namespace"], (string)metadata["name"]!), item);
    }

    private static void WithoutValues(JsonObject secret)
    {
        secret.Remove("data");
        secret.Remove("stringData");
        (secret["metadata"]?["annotations"] as JsonObject)?.Remove("kubectl.kubernetes.io/last-applied-configuration");
    }

    private static async Task<TResult[]> InParallelAsync<T, TResult>(IEnumerable<T> items, Func<T, CancellationToken, Task<TResult>> read, CancellationToken ct)
    {
        using var room = new SemaphoreSlim(Parallel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        return await Task.WhenAll(items.Select(ReadAsync).ToList());

        async Task<TResult> ReadAsync(T item)
        {
            await room.WaitAsync(stop.Token);
            try
            {
                return await read(item, stop.Token);
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
            finally
            {
                room.Release();
            }
        }
    }
}
