using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Cloudflare;

/// <summary>A DNS record as Cloudflare has it, and as it is declared: <c>zone</c>, <c>name</c> (in full), <c>type</c>, <c>content</c>, <c>proxied</c>, <c>ttl</c> (seconds; 1: automatic), <c>priority</c>.</summary>
internal sealed record CloudflareRecord(string Zone, string Name, string Type, string Content)
{
    private static readonly string[] Known = ["zone", "name", "type", "content", "proxied", "ttl", "priority"];

    /// <summary>Cloudflare's id; null for what is only declared.</summary>
    public string? Id { get; init; }

    public bool? Proxied { get; init; }

    public int? Ttl { get; init; }

    public int? Priority { get; init; }

    /// <exception cref="AdapterException">A field is missing, unknown or wrong.</exception>
    public static CloudflareRecord Read(DesiredObject wanted)
    {
        var spec = wanted.Manifest["spec"] as JsonObject ?? [];
        if (spec.FirstOrDefault(field => !Known.Contains(field.Key)).Key is { } unknown)
            throw Wrong(wanted.Address, unknown, $"is unknown; known are {string.Join(", ", Known)}");
        var record = new CloudflareRecord(Text(wanted.Address, spec, "zone"), Text(wanted.Address, spec, "name"), Text(wanted.Address, spec, "type"), Text(wanted.Address, spec, "content"))
        {
            Proxied = Value<bool>(wanted.Address, spec, "proxied"),
            Ttl = Value<int>(wanted.Address, spec, "ttl"),
            Priority = Value<int>(wanted.Address, spec, "priority"),
        };
        return record.Name == record.Zone || record.Name.EndsWith($".{record.Zone}", StringComparison.Ordinal)
            ? record
            : throw Wrong(wanted.Address, "name", $"is {record.Name}, which is not in zone {record.Zone}: the name is stated in full");
    }

    /// <summary>Of an answer of the API.</summary>
    public static CloudflareRecord Of(string zone, JsonObject answer) => new(zone, (string?)answer["name"] ?? "", (string?)answer["type"] ?? "", (string?)answer["content"] ?? "")
    {
        Id = (string?)answer["id"],
        Proxied = (bool?)answer["proxied"],
        Ttl = (int?)answer["ttl"],
        Priority = (int?)answer["priority"],
    };

    /// <summary>What the API takes. What is not declared is as usual, so that a field which is no longer declared goes back.</summary>
    public JsonObject ToBody()
    {
        var body = new JsonObject { ["name"] = Name, ["type"] = Type, ["content"] = Content, ["ttl"] = Ttl ?? 1, ["proxied"] = Proxied ?? false };
        if (Priority is not null)
            body["priority"] = Priority;
        if (Id is not null)
            body["id"] = Id;
        return body;
    }

    /// <summary>The declared object that it is.</summary>
    public ObservedObject ToObserved(ResourceAddress address, IReadOnlyDictionary<string, string> marks)
    {
        var spec = new JsonObject { ["zone"] = Zone, ["name"] = Name, ["type"] = Type, ["content"] = Content, ["proxied"] = Proxied ?? false, ["ttl"] = Ttl ?? 1 };
        if (Priority is not null)
            spec["priority"] = Priority;
        return new(address, new()
        {
            ["apiVersion"] = address.ApiVersion,
            ["kind"] = address.Kind,
            ["metadata"] = Metadata(address.Name, marks, spec),
            ["spec"] = spec,
        });
    }

    /// <summary>The TXT record beside it, which says whose it is.</summary>
    public CloudflareRecord Companion(IReadOnlyDictionary<string, string> marks) => new(Zone, RecordMarks.NameFor(Type, Name), "TXT", RecordMarks.Text(marks));

    /// <summary>Fields beyond the usual are ours: one that is no longer declared is to go.</summary>
    private JsonObject Metadata(string name, IReadOnlyDictionary<string, string> marks, JsonObject spec)
    {
        var metadata = ObjectMarks.Metadata(name, Id, marks.Where(mark => mark.Key != RecordMarks.Name).ToDictionary());
        if (marks.GetValueOrDefault(Ownership.ManagedByLabel) != Ownership.ManagedBy)
            return metadata;
        var set = new JsonObject();
        if ((bool?)spec["proxied"] == true)
            set["f:proxied"] = new JsonObject();
        if ((int?)spec["ttl"] > 1)
            set["f:ttl"] = new JsonObject();
        metadata["managedFields"] = new JsonArray(new JsonObject { ["manager"] = Ownership.FieldManager, ["fieldsV1"] = new JsonObject { ["f:spec"] = set } });
        return metadata;
    }

    private static string Text(ResourceAddress address, JsonObject spec, string field) => spec[field] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
        ? text
        : throw Wrong(address, field, "is missing, or no text");

    private static T? Value<T>(ResourceAddress address, JsonObject spec, string field)
        where T : struct
    {
        if (spec[field] is null)
            return null;
        return spec[field] is JsonValue value && value.TryGetValue<T>(out var found) ? found : throw Wrong(address, field, $"is {spec[field]!.ToJsonString()}, which it cannot be");
    }

    private static AdapterException Wrong(ResourceAddress address, string field, string what) =>
        new(AdapterFailureKind.Rejected, $"{address}: spec.{field} {what}. Correct the catalog or the specification.");
}
