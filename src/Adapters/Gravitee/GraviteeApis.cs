using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.Gravitee;

/// <summary>APIs of Gravitee (management API v2) by <c>id</c>, in <c>environment</c> (default DEFAULT).</summary>
internal sealed class GraviteeApis(JsonApi api) : IExternalObjects
{
    public async Task<JsonObject?> ReadAsync(JsonObject declared, CancellationToken ct)
    {
        var id = declared.Need("GraviteeApi", "id");
        var environment = declared.Word("environment") ?? "DEFAULT";
        var path = $"management/v2/environments/{Uri.EscapeDataString(environment)}/apis/{Uri.EscapeDataString(id)}";
        var live = await api.GetAsync(path, $"read API {id} of environment {environment}", ct) as JsonObject;
        live?["environment"] = environment;
        return live;
    }
}
