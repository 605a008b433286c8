using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.GitLab;

/// <summary>Projects of GitLab (REST API v4) by <c>path_with_namespace</c>, with <c>protected_branches</c> by name. A project that our token may not see does not exist for us.</summary>
internal sealed class GitLabProjects(JsonApi api) : IExternalObjects
{
    public async Task<JsonObject?> ReadAsync(JsonObject declared, CancellationToken ct)
    {
        var path = declared.Need("GitLabProject", "path_with_namespace");
        var project = $"api/v4/projects/{Uri.EscapeDataString(path)}";
        if (await api.GetAsync(project, $"read project {path}", ct) is not JsonObject live)
            return null;
        if (declared["protected_branches"] is JsonObject)
            live["protected_branches"] = await ProtectedAsync(project, path, ct);
        return live;
    }

    private async Task<JsonObject> ProtectedAsync(string project, string path, CancellationToken ct)
    {
        // A hundred is a page; nobody protects more.
        var listed = await api.GetAsync($"{project}/protected_branches?per_page=100", $"list the protected branches of project {path}", ct) as JsonArray;
        return new((listed ?? []).OfType<JsonObject>().Select(branch => KeyValuePair.Create(branch.Word("name") ?? "", (JsonNode?)branch.DeepClone())));
    }
}
