using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Api;

/// <summary>As much of OpenAPI as clients look at: that the server checks the fields of what it is sent, so that they need not.</summary>
internal static class OpenApi
{
    public static JsonObject Index(KindRegistry kinds) => new()
    {
        ["paths"] = new JsonObject(kinds.All.Select(kind => kind.GroupVersionPath.TrimStart('/')).Distinct()
            .Select(path => KeyValuePair.Create(path, (JsonNode?)new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}" }))),
    };

    public static JsonObject? Of(string group, string version, KindRegistry kinds)
    {
        var served = kinds.All.Where(kind => kind.Group == group && kind.Version == version).ToList();
        return served.Count == 0 ? null : new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.32.0" },
            ["paths"] = new JsonObject(served.Select(kind => KeyValuePair.Create(
                $"{kind.GroupVersionPath}{(kind.Namespaced ? "/namespaces/{namespace}" : "")}/{kind.Plural}/{{name}}", (JsonNode?)Paths(kind)))),
            ["components"] = new JsonObject { ["schemas"] = new JsonObject() },
        };
    }

    private static JsonObject Paths(ResourceKind kind)
    {
        var paths = new JsonObject();
        foreach (var method in new[] { "patch", "post", "put" })
        {
            paths[method] = new JsonObject
            {
                ["x-kubernetes-group-version-kind"] = new JsonObject { ["group"] = kind.Group, ["version"] = kind.Version, ["kind"] = kind.Kind },
                ["parameters"] = new JsonArray(Parameter("dryRun"), Parameter("fieldManager"), Parameter("fieldValidation"), Parameter("force")),
                ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
            };
        }

        return paths;
    }

    private static JsonObject Parameter(string name) => new()
    {
        ["name"] = name,
        ["in"] = "query",
        ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
    };
}
