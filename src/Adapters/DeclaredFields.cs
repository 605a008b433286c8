using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters;

/// <summary>Reads the fields of a declared object. A field that nobody asked for is one that we do not know, and is refused.</summary>
internal sealed class DeclaredFields
{
    private readonly ResourceAddress address;
    private readonly string path;
    private readonly JsonObject fields;
    private readonly HashSet<string> read = [];

    private DeclaredFields(ResourceAddress address, string path, JsonObject fields) => (this.address, this.path, this.fields) = (address, path, fields);

    public static DeclaredFields Of(DesiredObject wanted) => new(wanted.Address, "spec", wanted.Manifest["spec"] as JsonObject ?? []);

    public string? Text(string name) => Take(name) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text.Length > 0 ? text : null,
        var other => throw Wrong(name, $"is {other.ToJsonString()}: a text is expected"),
    };

    public string Required(string name) => Text(name) ?? throw Wrong(name, "is missing");

    public int? Number(string name) => Take(name) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<long>(out var number) && number is >= 0 and <= int.MaxValue => (int)number,
        // As what we made ourselves holds it.
        JsonValue value when value.TryGetValue<int>(out var number) && number >= 0 => number,
        var other => throw Wrong(name, $"is {other.ToJsonString()}: a whole number is expected"),
    };

    public int RequiredNumber(string name) => Number(name) ?? throw Wrong(name, "is missing");

    public bool? Flag(string name) => Take(name) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        var other => throw Wrong(name, $"is {other.ToJsonString()}: true or false is expected"),
    };

    /// <summary>A switch that we never leave off.</summary>
    public void AlwaysOn(string name, string why)
    {
        if (Flag(name) == false)
            throw Wrong(name, $"is false, and {why}. Remove the field or set it to true");
    }

    public IReadOnlyList<string> Texts(string name) => Take(name) switch
    {
        null => [],
        JsonArray list when list.All(item => item is JsonValue value && value.TryGetValue<string>(out _)) => [.. list.Select(item => (string)item!)],
        var other => throw Wrong(name, $"is {other.ToJsonString()}: a list of texts is expected"),
    };

    public JsonObject Map(string name) => Take(name) switch
    {
        null => [],
        JsonObject map => map,
        var other => throw Wrong(name, $"is {other.ToJsonString()}: a map is expected"),
    };

    public DeclaredFields? Part(string name) => Take(name) switch
    {
        null => null,
        JsonObject part => new(address, $"{path}.{name}", part),
        var other => throw Wrong(name, $"is {other.ToJsonString()}: a map is expected"),
    };

    public IReadOnlyList<DeclaredFields> Parts(string name) => Take(name) switch
    {
        null => [],
        JsonArray list when list.All(item => item is JsonObject) => [.. list.Select((item, index) => new DeclaredFields(address, $"{path}.{name}[{index}]", (JsonObject)item!))],
        var other => throw Wrong(name, $"is {other.ToJsonString()}: a list of maps is expected"),
    };

    /// <summary>Called when all known fields were read.</summary>
    public void NothingElse()
    {
        if (fields.FirstOrDefault(field => field.Value is not null && !read.Contains(field.Key)).Key is { } unknown)
            throw Wrong(unknown, $"is unknown; known are {string.Join(", ", read.Order(StringComparer.Ordinal))}");
    }

    public AdapterException Wrong(string name, string what) => new(AdapterFailureKind.Rejected, $"{address}: {path}.{name} {what}. Correct the catalog or the specification.");

    private JsonNode? Take(string name)
    {
        read.Add(name);
        return fields[name];
    }
}
