using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.Artifactory;

/// <summary>Repositories of JFrog Artifactory: by <c>key</c>.</summary>
internal sealed class ArtifactoryRepositories(JsonApi api) : IExternalObjects
{
    public async Task<JsonObject?> ReadAsync(JsonObject declared, CancellationToken ct)
    {
        var key = declared.Need("ArtifactoryRepository", "key");
        // It says OK only when its own stores are well.
        if ((await api.GetTextAsync("artifactory/api/system/ping", "answer a ping", ct)).Trim() is var said && said != "OK")
            throw new AdapterException(AdapterFailureKind.Unavailable, $"Artifactory does not answer OK to a ping, but {said.Length} characters. Look at its health.");
        try
        {
            return await api.GetAsync($"artifactory/api/repositories/{Uri.EscapeDataString(key)}", $"read repository {key}", ct) as JsonObject;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Rejected)
        {
            // Artifactory answers 400, not 404, for a repository that it does not have.
            return null;
        }
    }
}
