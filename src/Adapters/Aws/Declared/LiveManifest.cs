using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>What AWS reports, in the form of a Kubernetes object.</summary>
internal static class LiveManifest
{
    /// <param name="optional">Fields of the specification that are on only because we set them: one that is no longer declared is to go.</param>
    public static ObservedObject Of(ResourceAddress address, string? uid, IReadOnlyDictionary<string, string> tags, JsonObject spec, params string[] optional)
    {
        var metadata = ObjectMarks.Metadata(address.Name, uid, tags);
        if (tags.GetValueOrDefault(Ownership.ManagedByLabel) == Ownership.ManagedBy)
            metadata["managedFields"] = new JsonArray(new JsonObject
            {
                ["manager"] = Ownership.FieldManager,
                ["fieldsV1"] = new JsonObject { ["f:spec"] = new JsonObject(optional.Where(spec.ContainsKey).Select(field => KeyValuePair.Create($"f:{field}", (JsonNode?)new JsonObject()))) },
            });
        return new(address, new() { ["apiVersion"] = address.ApiVersion, ["kind"] = address.Kind, ["metadata"] = metadata, ["spec"] = spec });
    }

    /// <summary>A map without the fields that have no value.</summary>
    public static JsonObject Fields(params (string Name, JsonNode? Value)[] fields) =>
        new(fields.Where(field => field.Value is not null).Select(field => KeyValuePair.Create(field.Name, field.Value)));

    /// <summary>A list whose order means nothing, in the order in which it is wanted when it holds the same.</summary>
    public static ObservedObject Aligned(ObservedObject live, IEnumerable<DesiredObject> wanted, string field)
    {
        if (live.Manifest["spec"]![field] is JsonArray there && wanted.FirstOrDefault(item => item.Address == live.Address)?.Manifest["spec"]?[field] is JsonArray here
            && Sorted(here).SequenceEqual(Sorted(there)))
            live.Manifest["spec"]![field] = here.DeepClone();
        return live;

        static IEnumerable<string> Sorted(JsonArray list) => list.Select(item => item?.ToJsonString() ?? "").Order(StringComparer.Ordinal);
    }

    public static JsonArray? Texts(IReadOnlyCollection<string> values) => values.Count == 0 ? null : new([.. values.Select(value => (JsonNode?)value)]);

    /// <summary>Whose a declared object is to be, with all its marks.</summary>
    public static AwsOwner Owner(DesiredObject wanted) => Owner(ObjectMarks.Of(wanted.Manifest));

    public static AwsOwner Owner(IReadOnlyDictionary<string, string> marks) => new(
        marks.GetValueOrDefault(Ownership.PlatformLabel) ?? "", marks.GetValueOrDefault(Ownership.EnvironmentLabel) ?? "", marks.GetValueOrDefault(Ownership.ComponentLabel) ?? "")
    {
        More = marks,
    };

    /// <summary>The operation that creates it.</summary>
    public static string Creator(this AwsOwner owner) => owner.KnownCreator() ?? owner.More.GetValueOrDefault(Ownership.OperationIdAnnotation) ?? "";

    /// <summary>The operation that created what is there already; null: it is not known of any, and who only changes it does not become it.</summary>
    public static string? KnownCreator(this AwsOwner owner) => owner.More.GetValueOrDefault(Ownership.CreatedByAnnotation);
}
