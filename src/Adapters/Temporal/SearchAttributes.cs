using System.Text.Json.Nodes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.OperatorService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>The custom search attributes of Temporal namespaces: <c>spec.searchAttributes</c>, type by name. They are added, never removed and never given
/// another type: executions may carry values of them.</summary>
internal sealed class SearchAttributes(TemporalCluster cluster)
{
    public const string Field = "searchAttributes";

    /// <summary>Name and type of each, as one reads them: <c>{"OrderStatus": "Keyword"}</c>.</summary>
    public async Task<JsonObject> ListAsync(string space, CancellationToken ct)
    {
        var answer = await cluster.CallAsync(
            $"list the search attributes of namespace {space}",
            (connection, rpc) => connection.OperatorService.ListSearchAttributesAsync(new ListSearchAttributesRequest { Namespace = space }, rpc), ct);
        return new(answer.CustomAttributes.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value.ToString()))));
    }

    /// <summary>Adds those that a namespace's manifest declares and that are not there.</summary>
    /// <exception cref="AdapterException">There is no such type, or the attribute has another one already.</exception>
    public async Task EnsureAsync(JsonObject manifest, CancellationToken ct)
    {
        var space = (string)manifest["metadata"]!["name"]!;
        if (manifest["spec"]?[Field] is not JsonObject { Count: > 0 } declared)
            return;
        var live = await ListAsync(space, ct);
        var request = new AddSearchAttributesRequest { Namespace = space };
        foreach (var (name, type) in declared.Select(pair => (pair.Key, Type(space, pair.Key, (string?)pair.Value))))
        {
            if (live[name] is not { } there)
                request.SearchAttributes[name] = type;
            else if ((string?)there != type.ToString())
                throw Refused($"search attribute {name} of namespace {space} is of type {there} and cannot become {type}: executions carry values of it. Give the new one another name");
        }

        if (request.SearchAttributes.Count > 0)
        {
            await cluster.CallAsync(
                $"add search attributes to namespace {space}", (connection, rpc) => connection.OperatorService.AddSearchAttributesAsync(request, rpc), ct);
        }
    }

    private static IndexedValueType Type(string space, string name, string? type) =>
        Enum.TryParse<IndexedValueType>(type, out var known) && known != IndexedValueType.Unspecified && known.ToString() == type
            ? known
            : throw Refused(
                $"{TemporalNamespaces.Kind} {space}: spec.{Field}.{name} is '{type}'; one of {string.Join(", ", Enum.GetValues<IndexedValueType>().Where(value => value != IndexedValueType.Unspecified))} is expected");

    private static AdapterException Refused(string what) => new(AdapterFailureKind.Rejected, $"{char.ToUpperInvariant(what[0])}{what[1..]}. Correct the catalog.");
}
