using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>What workloads share about their pod template: its name-safe hash, and the pod that it makes.</summary>
internal static class PodTemplate
{
    public const string HashLabel = "pod-template-hash";
    public const string RevisionLabel = "controller-revision-hash";

    // Without vowels and what looks like one, as in the names that Kubernetes makes: no words by accident.
    private const string Letters = "bcdfghjklmnpqrstvwxz2456789";

    /// <summary>Ten letters that are the same for the same template, in whatever order its fields are.</summary>
    public static string Hash(JsonNode? template) => Hash(Canonical(template), 10);

    /// <summary>Letters for a name, the same for the same text.</summary>
    public static string Hash(string text, int length)
    {
        var digest = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var letters = new StringBuilder(length);
        for (; letters.Length < length; digest /= (ulong)Letters.Length)
            letters.Append(Letters[(int)(digest % (ulong)Letters.Length)]);
        return letters.ToString();
    }

    /// <summary>Whether two templates make the same pods; the hash label does not count.</summary>
    public static bool Same(JsonNode? left, JsonNode? right) => JsonDifference.Same(WithoutHash(left), WithoutHash(right));

    /// <summary>A new pod of the owner. The caller names it.</summary>
    public static JsonObject Pod(ClusterObject owner, JsonNode? template, string name)
    {
        var metadata = new JsonObject { ["name"] = name, ["namespace"] = owner.Namespace };
        foreach (var field in (string[])["labels", "annotations", "finalizers"])
            if (template.At("metadata").At(field) is { } value)
                metadata[field] = value.DeepClone();
        metadata["ownerReferences"] = new JsonArray(owner.AsController());
        return new() { ["metadata"] = metadata, ["spec"] = template.Fields("spec")?.Copy() ?? [] };
    }

    /// <summary>Sets a label of a new object.</summary>
    public static void Label(JsonObject item, string name, string value)
    {
        var metadata = item.Fields("metadata")!;
        if (metadata.Fields("labels") is { } labels)
            labels[name] = value;
        else
            metadata["labels"] = new JsonObject { [name] = value };
    }

    private static JsonNode? WithoutHash(JsonNode? template)
    {
        if (template.At("metadata").At("labels").At(HashLabel) is null)
            return template;
        var copy = template!.DeepClone();
        copy.At("metadata").Fields("labels")!.Remove(HashLabel);
        return copy;
    }

    private static string Canonical(JsonNode? node) => node switch
    {
        null => "",
        JsonObject fields => "{" + string.Concat(fields.OrderBy(field => field.Key, StringComparer.Ordinal)
            .Select(field => (field.Key, Value: Canonical(field.Value))).Where(field => field.Value.Length > 0)
            .Select(field => $"\"{field.Key}\":{field.Value},")) + "}",
        JsonArray items => "[" + string.Concat(items.Select(item => Canonical(item) + ",")) + "]",
        _ => node.ToJsonString(),
    };
}
