using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;

namespace PlatformOps.Adapters;

/// <summary>Labels and annotations of a declared object side by side in one map under their own names, for systems that only have tags or texts.</summary>
internal static class ObjectMarks
{
    /// <summary>The labels and annotations of a manifest.</summary>
    public static Dictionary<string, string> Of(JsonObject manifest) => Part(manifest, "labels").Concat(Part(manifest, "annotations"))
        .ToDictionary(pair => pair.Key, pair => (string?)pair.Value ?? "");

    /// <summary>The metadata of an object that carries these marks.</summary>
    public static JsonObject Metadata(string name, string? uid, IReadOnlyDictionary<string, string> marks) => new()
    {
        ["name"] = name,
        ["uid"] = uid,
        ["labels"] = Map(marks.Where(mark => !IsAnnotation(mark.Key))),
        ["annotations"] = Map(marks.Where(mark => IsAnnotation(mark.Key))),
    };

    private static JsonObject Part(JsonObject manifest, string name) => manifest["metadata"]?[name] as JsonObject ?? [];

    private static bool IsAnnotation(string key) =>
        key is Ownership.OperationIdAnnotation or Ownership.CreatedByAnnotation || key.StartsWith(Ownership.ImmutablePrefix, StringComparison.Ordinal) || ScaleMarks.Contain(key);

    private static JsonObject Map(IEnumerable<KeyValuePair<string, string>> pairs) =>
        new(pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));
}
