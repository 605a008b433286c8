using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Whose an object of a server is, and what we declared of it last: a JSON text that goes with it, for databases and roles in their comment.</summary>
internal sealed record PostgresMark(JsonObject Labels, JsonObject Annotations, JsonObject Spec)
{
    private const string Key = "platformops";

    public bool IsOurs => (string?)Labels[Ownership.ManagedByLabel] == Ownership.ManagedBy;

    public static PostgresMark Of(DesiredObject wanted) => Of(wanted.Manifest["metadata"], wanted.Manifest["spec"]);

    /// <summary>Of a comment; whatever is not ours says nothing.</summary>
    public static PostgresMark Read(string? comment)
    {
        try
        {
            var mark = comment is null ? null : (JsonNode.Parse(comment) as JsonObject)?[Key] as JsonObject;
            return mark?["labels"] is JsonObject labels && labels.All(label => label.Value?.GetValueKind() == JsonValueKind.String) ? Of(mark, mark["spec"]) : Of(null, null);
        }
        catch (JsonException)
        {
            return Of(null, null);
        }
    }

    public string Text => new JsonObject
    {
        [Key] = new JsonObject { ["labels"] = Labels.DeepClone(), ["annotations"] = Annotations.DeepClone(), ["spec"] = Spec.DeepClone() },
    }.ToJsonString();

    /// <summary>The declared object. What was declared last is ours: a field that no longer is declared is to go.</summary>
    public ObservedObject ToObserved(ResourceAddress address, string? uid, JsonObject spec)
    {
        var metadata = new JsonObject { ["name"] = address.Name, ["uid"] = uid, ["labels"] = Labels.DeepClone(), ["annotations"] = Annotations.DeepClone() };
        if (IsOurs)
        {
            var ours = new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = Labels.DeepClone(), ["annotations"] = Annotations.DeepClone() },
                ["spec"] = Spec.DeepClone(),
            };
            metadata["managedFields"] = new JsonArray(new JsonObject { ["manager"] = Ownership.FieldManager, ["fieldsV1"] = Fields(ours) });
        }

        return new(address, new() { ["apiVersion"] = address.ApiVersion, ["kind"] = address.Kind, ["metadata"] = metadata, ["spec"] = spec });
    }

    private static PostgresMark Of(JsonNode? metadata, JsonNode? spec) => new(Part(metadata?["labels"]), Part(metadata?["annotations"]), Part(spec));

    private static JsonObject Part(JsonNode? node) => node?.DeepClone() as JsonObject ?? [];

    private static JsonObject Fields(JsonNode? node) =>
        node is JsonObject map ? new(map.Select(pair => KeyValuePair.Create($"f:{pair.Key}", (JsonNode?)Fields(pair.Value)))) : [];
}
