using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Catalog;

/// <summary>A value that an object of the world tells once it is there, such as the address of a managed database. Manifests refer to it as to a parameter.</summary>
/// <param name="Kind">Of an object that the component itself, or one that it depends on, declares.</param>
/// <param name="Object">The object's name, in which <c>${parameter}</c> is filled in.</param>
/// <param name="Namespace">Null for objects that have none.</param>
/// <param name="Field">Where the object tells it: names with dots between them, numbers for the items of lists.</param>
public sealed record ObservedParameter(string Name, ObjectKind Kind, string Object, string? Namespace, string Field);

/// <summary>Where the value of an <see cref="ObservedParameter"/> comes from in one region.</summary>
public sealed record ObservedSource(string Name, ResourceAddress Address, string Field)
{
    /// <summary>What stands in the place of a value that nobody knows yet.</summary>
    public string Unknown => $"(known once {Address} has {Field})";

    /// <summary>The value; null: the object does not tell it (yet).</summary>
    public JsonNode? In(JsonNode? live)
    {
        foreach (var name in Field.Split('.'))
        {
            live = live switch
            {
                JsonObject map => map[name],
                JsonArray list when int.TryParse(name, CultureInfo.InvariantCulture, out var index) && index < list.Count => list[index],
                _ => null,
            };
        }

        return live is JsonValue ? live : null;
    }
}
