using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Makes the values of a Secret. They are sent to the cluster and kept nowhere else.</summary>
internal static class SecretValues
{
    /// <summary>Letters and digits alone need no quoting in connection strings, shells and configuration files.</summary>
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>The manifest with its values.</summary>
    public static JsonObject Fill(JsonObject manifest, SecretDefinition definition)
    {
        var filled = (JsonObject)manifest.DeepClone();
        var values = definition.Literals.Concat(definition.Generated.Select(
            key => KeyValuePair.Create(key.Key, RandomNumberGenerator.GetString(Alphabet, key.Value))));
        filled["data"] = new JsonObject(values.Select(
            value => KeyValuePair.Create(value.Key, (JsonNode?)JsonValue.Create(Convert.ToBase64String(Encoding.UTF8.GetBytes(value.Value))))));
        return filled;
    }
}
