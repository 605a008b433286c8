using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Kinds;

/// <summary>Every kind that the API serves at this moment: the built-in ones and those that CustomResourceDefinitions declare.</summary>
internal sealed class KindRegistry
{
    private volatile IReadOnlyList<ResourceKind> all = BuiltInKinds.All;

    public IReadOnlyList<ResourceKind> All => all;

    public ResourceKind? Find(string group, string version, string plural) =>
        all.FirstOrDefault(kind => kind.Group == group && kind.Version == version && kind.Plural == plural);

    /// <summary>Takes over what the definitions declare; replaces all earlier custom kinds.</summary>
    public void Reload(IEnumerable<JsonObject> definitions) => all = [.. BuiltInKinds.All, .. definitions.SelectMany(Declared)];

    private static IEnumerable<ResourceKind> Declared(JsonObject definition)
    {
        var spec = definition["spec"]!;
        var names = spec["names"]!;
        foreach (var version in spec["versions"]!.AsArray().OfType<JsonObject>().Where(version => (bool?)version["served"] == true))
        {
            yield return new((string)spec["group"]!, (string)version["name"]!, (string)names["kind"]!, (string)names["plural"]!, (string?)spec["scope"] == "Namespaced")
            {
                Singular = (string?)names["singular"] ?? ((string)names["kind"]!).ToLowerInvariant(),
                ShortNames = Texts(names["shortNames"]),
                Categories = Texts(names["categories"]),
                HasStatus = version["subresources"]?["status"] is not null,
                HasScale = version["subresources"]?["scale"] is not null,
                HasGeneration = true,
                Custom = true,
                Terminating = definition["metadata"]?["deletionTimestamp"] is not null,
                Schema = version["schema"]?["openAPIV3Schema"] as JsonObject,
            };
        }
    }

    private static IReadOnlyList<string> Texts(JsonNode? list) => list is JsonArray items ? [.. items.Select(item => (string)item!)] : [];
}
