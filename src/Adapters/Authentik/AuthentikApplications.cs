using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.Authentik;

/// <summary>Applications of Authentik (API v3) by <c>slug</c>, with their provider in <c>provider_obj</c>.</summary>
internal sealed class AuthentikApplications(JsonApi api) : IExternalObjects
{
    public async Task<JsonObject?> ReadAsync(JsonObject declared, CancellationToken ct)
    {
        var slug = declared.Need("AuthentikApplication", "slug");
        return await api.GetAsync($"api/v3/core/applications/{Uri.EscapeDataString(slug)}/", $"read application {slug}", ct) as JsonObject;
    }
}
