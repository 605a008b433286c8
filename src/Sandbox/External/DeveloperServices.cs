using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>GitLab's REST API, for projects and their protected branches.</summary>
internal sealed class GitLabPlayer(DeclaredObjects objects) : IExternalService
{
    public ExternalAnswer? Refuse(ExternalCall call, string token) =>
        call.Credential("PRIVATE-TOKEN") == token ? null : ExternalAnswer.Refusal(401, new JsonObject { ["message"] = "401 Unauthorized" });

    public ExternalAnswer? Answer(ExternalCall call)
    {
        if (call.Method != "GET" || call.Path is not ["api", "v4", "projects", var path, .. var rest])
            return null;
        if (objects.Find("GitLabProject", "path_with_namespace", path) is not { } spec)
            return ExternalAnswer.Refusal(404, new JsonObject { ["message"] = "404 Project Not Found" });
        var branches = spec["protected_branches"] as JsonObject ?? [];
        spec.Remove("protected_branches");
        return rest switch
        {
            [] => spec.Over(new()
            {
                ["id"] = 1,
                ["name"] = path.Split('/')[^1],
                ["default_branch"] = "main",
                ["visibility"] = "private",
                ["archived"] = false,
                ["merge_method"] = "merge",
                ["only_allow_merge_if_pipeline_succeeds"] = false,
            }),
            ["protected_branches"] => new JsonArray([.. branches.Select(branch => (branch.Value as JsonObject ?? []).Over(new()
            {
                ["name"] = branch.Key,
                ["allow_force_push"] = false,
                ["code_owner_approval_required"] = false,
            }))]),
            _ => null,
        };
    }
}

/// <summary>JFrog Artifactory's REST API, for its ping and repositories.</summary>
internal sealed class ArtifactoryPlayer(DeclaredObjects objects) : IExternalService
{
    public ExternalAnswer? Refuse(ExternalCall call, string token) => call.Credential("Authorization") == token ? null : Error(401, "Bad credentials");

    public ExternalAnswer? Answer(ExternalCall call) => (call.Method, call.Path) switch
    {
        ("GET", ["artifactory", "api", "system", "ping"]) => new(200, null, "OK"),
        ("GET", ["artifactory", "api", "repositories", var key]) => objects.Find("ArtifactoryRepository", "key", key) is { } spec
            ? spec.Over(new() { ["rclass"] = "local", ["packageType"] = "generic", ["description"] = "", ["repoLayoutRef"] = "simple-default" })
            // Not 404: as the real one.
            : Error(400, "Bad Request"),
        _ => null,
    };

    private static ExternalAnswer Error(int status, string message) =>
        ExternalAnswer.Refusal(status, new JsonObject { ["errors"] = new JsonArray(new JsonObject { ["status"] = status, ["message"] = message }) });
}
