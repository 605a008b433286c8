using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Storage;

/// <summary>Names an object in the store.</summary>
/// <param name="Storage"><see cref="ResourceKind.StorageKey"/>.</param>
/// <param name="Namespace">Empty for cluster-scoped objects.</param>
internal readonly record struct ObjectKey(string Storage, string Namespace, string Name)
{
    public static ObjectKey Of(ResourceKind kind, string? space, string name) => new(kind.StorageKey, kind.Namespaced ? space ?? "" : "", name);
}

/// <summary>An object as it was at one resource version. Never changed: who wants another one clones <see cref="Value"/>.</summary>
internal sealed class StoredObject
{
    public StoredObject(ObjectKey key, JsonObject value, long resourceVersion)
    {
        Key = key;
        Value = value;
        ResourceVersion = resourceVersion;
        Materialise(value);
        Json = Encoding.UTF8.GetBytes(value.ToJsonString(JsonText.Options));
    }

    public ObjectKey Key { get; }

    public JsonObject Value { get; }

    public long ResourceVersion { get; }

    /// <summary>The value as UTF-8.</summary>
    public byte[] Json { get; }

    /// <summary>JSON trees fill in lazily, which is not safe for several readers at once: fill in before sharing.</summary>
    private static void Materialise(JsonNode? node)
    {
        if (node is JsonObject map)
        {
            foreach (var (_, value) in map)
                Materialise(value);
        }
        else if (node is JsonArray list)
        {
            foreach (var value in list)
                Materialise(value);
        }
    }
}

/// <summary>Something happened to an object.</summary>
/// <param name="Object">After; for a deletion the last state, at the resource version of the deletion.</param>
/// <param name="Previous">Before; null for an addition.</param>
internal sealed record StoreEvent(long ResourceVersion, StoreEventType Type, StoredObject Object, StoredObject? Previous);

internal enum StoreEventType
{
    Added,
    Modified,
    Deleted,
}
