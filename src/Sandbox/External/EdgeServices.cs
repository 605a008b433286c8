using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>Gravitee's management API (v2), for APIs.</summary>
internal sealed class GraviteePlayer(DeclaredObjects objects) : IExternalService
{
    public ExternalAnswer? Refuse(ExternalCall call, string token) => call.Credential("Authorization") == token ? null
        : ExternalAnswer.Refusal(401, new JsonObject { ["httpStatus"] = 401, ["message"] = "Unauthorized" });

    public ExternalAnswer? Answer(ExternalCall call)
    {
        if (call.Method != "GET" || call.Path is not ["management", "v2", "environments", var environment, "apis", var id])
            return null;
        return objects.Of("GraviteeApi").FirstOrDefault(spec => (string?)spec["id"] == id && ((string?)spec["environment"] ?? "DEFAULT") == environment) is { } found
            ? found.Over(new()
            {
                ["name"] = id,
                ["apiVersion"] = "1",
                ["definitionVersion"] = "V4",
                ["state"] = "STARTED",
                ["deploymentState"] = "DEPLOYED",
                ["lifecycleState"] = "PUBLISHED",
                ["visibility"] = "PRIVATE",
            })
            : ExternalAnswer.Refusal(404, new JsonObject
            {
                ["httpStatus"] = 404,
                ["message"] = $"Api [{id}] cannot be found.",
                ["technicalCode"] = "api.notFound",
                ["parameters"] = new JsonObject { ["api"] = id },
            });
    }
}

/// <summary>Authentik's API (v3), for applications.</summary>
internal sealed class AuthentikPlayer(DeclaredObjects objects) : IExternalService
{
    // 403, not 401: as the real one.
    public ExternalAnswer? Refuse(ExternalCall call, string token) =>
        call.Credential("Authorization") == token ? null : ExternalAnswer.Refusal(403, new JsonObject { ["detail"] = "Token invalid/expired" });

    public ExternalAnswer? Answer(ExternalCall call)
    {
        if (call.Method != "GET" || call.Path is not ["api", "v3", "core", "applications", var slug, ..])
            return null;
        return objects.Find("AuthentikApplication", "slug", slug) is { } spec
            ? spec.Over(new() { ["pk"] = "00000000-0000-0000-0000-000000000001", ["name"] = slug, ["group"] = "", ["policy_engine_mode"] = "any", ["provider_obj"] = null })
            : ExternalAnswer.Refusal(404, new JsonObject { ["detail"] = "No Application matches the given query." });
    }
}
