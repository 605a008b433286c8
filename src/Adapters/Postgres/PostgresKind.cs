using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Postgres;

/// <summary>One kind of object of a PostgreSQL server.</summary>
internal abstract class PostgresKind(string name)
{
    /// <summary>Longer names are cut off by the server without a word (63 bytes); a database has a longer one while it is made.</summary>
    private const int LongestName = 51;

    public string Name => name;

    /// <summary>All that the server has.</summary>
    /// <param name="wanted">By name: in what order and words their lists and settings are declared.</param>
    public abstract Task<IReadOnlyList<ObservedObject>> ListAsync(PostgresSession session, string region, IReadOnlyDictionary<string, JsonObject> wanted);

    public abstract Task CreateAsync(PostgresSession session, DesiredObject wanted);

    public abstract Task ChangeAsync(PostgresSession session, DesiredObject wanted, ObservedObject live);

    /// <summary>Null: it may be removed.</summary>
    public abstract Task<string?> WhyKeepAsync(PostgresSession session, ObservedObject live);

    public abstract Task DropAsync(PostgresSession session, ObservedObject live);

    /// <exception cref="AdapterException">What is declared cannot be; the message names the field.</exception>
    public void Check(DesiredObject wanted)
    {
        if (Encoding.UTF8.GetByteCount(wanted.Address.Name) > LongestName)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{wanted.Address}: metadata.name is longer than {LongestName} bytes. Correct the catalog or the specification.");
        var fields = DeclaredFields.Of(wanted);
        Check(fields);
        fields.NothingElse();
    }

    /// <summary>Reads every field that it knows.</summary>
    protected abstract void Check(DeclaredFields fields);

    protected static JsonObject Spec(JsonObject manifest) => manifest["spec"] as JsonObject ?? [];

    protected static IReadOnlyList<string> Texts(JsonNode? list) => [.. (list as JsonArray ?? []).Select(item => (string)item!)];

    protected static JsonArray List(IEnumerable<string> items) => new([.. items.Select(item => (JsonNode?)JsonValue.Create(item))]);

    /// <summary>What is there, in the order in which it is wanted; then what nobody wants.</summary>
    protected static IEnumerable<string> InOrder(IReadOnlyCollection<string> there, IReadOnlyCollection<string> wanted) => [.. wanted.Intersect(there), .. there.Except(wanted)];

    protected static long? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<long>(out var number) ? number : null;

    protected ResourceAddress Address(string region, string name) => new(region, ResourceAddress.PostgresqlApiVersion, Name, null, name);
}
