using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Short hashes by which acting tells whether the facts are still those of the plan: 16 hexadecimal digits.</summary>
public static class Fingerprint
{
    /// <summary>Of a live object: only what the declaration speaks of, and what we own besides; status updates do not change it.</summary>
    public static string OfObserved(JsonObject desired, JsonObject live) => Of(new JsonObject
    {
        ["fields"] = (string?)desired["kind"] == "Secret" ? Identity(live) : FieldDiff.Project(desired, live),
        ["owned"] = new JsonArray([.. new OwnedFields(live).Ours.Where(path => !FieldDiff.IsOurSignature(path)).Order(StringComparer.Ordinal).Select(path => JsonValue.Create(path))]),
        ["uid"] = live["metadata"]?["uid"]?.DeepClone(),
    });

    /// <summary>Of a live object that is no longer declared.</summary>
    public static string OfUndeclared(JsonObject live) => Of(new JsonObject { ["uid"] = live["metadata"]?["uid"]?.DeepClone(), ["identity"] = Identity(live) });

    /// <summary>Of a declaration.</summary>
    public static string OfDesired(JsonObject desired) => Of(desired);

    private static JsonObject Identity(JsonObject live) => new()
    {
        ["labels"] = live["metadata"]?["labels"]?.DeepClone(),
        ["name"] = live["metadata"]?["name"]?.DeepClone(),
    };

    private static string Of(JsonNode node) => CanonicalJson.Digest(node)[..16];
}
