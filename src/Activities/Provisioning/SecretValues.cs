using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Platform.Catalog;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Makes the values of a Secret. They are sent to the cluster and kept nowhere else.</summary>
internal static class SecretValues
{
    /// <summary>Letters and digits alone need no quoting in connection strings, shells and configuration files.</summary>
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>A value that nobody had before.</summary>
    /// <param name="length">Characters.</param>
    public static string New(int length) => RandomNumberGenerator.GetString(Alphabet, length);

    /// <summary>The manifest with values that nobody had before.</summary>
    public static JsonObject Fill(JsonObject manifest, SecretDefinition definition) => Fill(manifest, definition.Literals.Concat(definition.Generated.Select(
        key => KeyValuePair.Create(key.Key, New(key.Value)))));

    /// <summary>The manifest with the values of another Secret.</summary>
    public static JsonObject Fill(JsonObject manifest, IReadOnlyDictionary<string, SecretText> copied) =>
        Fill(manifest, copied.Select(value => KeyValuePair.Create(value.Key, value.Value.Reveal())));

    private static JsonObject Fill(JsonObject manifest, IEnumerable<KeyValuePair<string, string>> values)
    {
        var filled = (JsonObject)manifest.DeepClone();
        filled["data"] = new JsonObject(values.Select(
            value => KeyValuePair.Create(value.Key, (JsonNode?)JsonValue.Create(Convert.ToBase64String(Encoding.UTF8.GetBytes(value.Value))))));
        return filled;
    }
}
