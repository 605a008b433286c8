using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Api;

/// <summary>Tells clients what is served.</summary>
internal static class Discovery
{
    /// <summary>Null when the path is not one of discovery.</summary>
    public static JsonObject? Answer(string path, KindRegistry kinds) => path.Trim('/').Split('/') switch
    {
        ["version"] => new JsonObject
        {
            ["major"] = "1",
            ["minor"] = "32",
            ["gitVersion"] = "v1.32.0+platformops-sandbox",
            ["gitCommit"] = "",
            ["gitTreeState"] = "clean",
            ["buildDate"] = "1970-01-01T00:00:00Z",
            ["goVersion"] = "none",
            ["compiler"] = "none",
            ["platform"] = "linux/amd64",
        },
        ["api"] => new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1"), ["serverAddressByClientCIDRs"] = new JsonArray() },
        ["apis"] => new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. Groups(kinds)]) },
        ["apis", var group] => Groups(kinds).FirstOrDefault(candidate => (string?)candidate["name"] == group),
        ["api", "v1"] => Resources("", "v1", kinds),
        ["apis", var group, var version] => Resources(group, version, kinds),
        ["openapi", "v3"] => OpenApi.Index(kinds),
        ["openapi", "v3", "api", "v1"] => OpenApi.Of("", "v1", kinds),
        ["openapi", "v3", "apis", var group, var version] => OpenApi.Of(group, version, kinds),
        _ => null,
    };

    private static IEnumerable<JsonObject> Groups(KindRegistry kinds) => kinds.All.Where(kind => kind.Group.Length > 0)
        .GroupBy(kind => kind.Group)
        .Select(group =>
        {
            var versions = group.Select(kind => kind.Version).Distinct().Select(version => new JsonObject { ["groupVersion"] = $"{group.Key}/{version}", ["version"] = version }).ToList();
            return new JsonObject
            {
                ["kind"] = "APIGroup",
                ["apiVersion"] = "v1",
                ["name"] = group.Key,
                ["preferredVersion"] = versions[0].DeepClone(),
                ["versions"] = new JsonArray([.. versions]),
            };
        });

    private static JsonObject? Resources(string group, string version, KindRegistry kinds)
    {
        var served = kinds.All.Where(kind => kind.Group == group && kind.Version == version).ToList();
        return served.Count == 0 ? null : new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = served[0].ApiVersion,
            ["resources"] = new JsonArray([.. served.SelectMany(Describe)]),
        };
    }

    private static IEnumerable<JsonObject> Describe(ResourceKind kind)
    {
        var resource = new JsonObject
        {
            ["name"] = kind.Plural,
            ["singularName"] = kind.Singular,
            ["namespaced"] = kind.Namespaced,
            ["kind"] = kind.Kind,
            ["verbs"] = Verbs("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
        };
        if (kind.ShortNames.Count > 0)
            resource["shortNames"] = Verbs([.. kind.ShortNames]);
        if (kind.Categories.Count > 0)
            resource["categories"] = Verbs([.. kind.Categories]);
        yield return resource;
        if (kind.HasStatus)
            yield return Sub(kind, "status", kind.Kind, "get", "patch", "update");
        if (kind.HasScale)
            yield return Sub(kind, "scale", "Scale", "get", "patch", "update");
        if (kind.Kind == "Namespace")
            yield return Sub(kind, "finalize", "Namespace", "update");
        if (kind is { Kind: "Pod", Group: "" })
        {
            yield return Sub(kind, "binding", "Binding", "create");
            yield return Sub(kind, "log", "Pod", "get");
        }
    }

    private static JsonObject Sub(ResourceKind kind, string name, string answer, params string[] verbs)
    {
        var resource = new JsonObject
        {
            ["name"] = $"{kind.Plural}/{name}",
            ["singularName"] = "",
            ["namespaced"] = kind.Namespaced,
            ["kind"] = answer,
            ["verbs"] = Verbs(verbs),
        };
        if (answer == "Scale")
            (resource["group"], resource["version"]) = ("autoscaling", "v1");
        return resource;
    }

    private static JsonArray Verbs(params string[] verbs) => new([.. verbs.Select(verb => JsonValue.Create(verb))]);
}
