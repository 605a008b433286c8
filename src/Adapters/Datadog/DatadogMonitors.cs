using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.Datadog;

/// <summary>Monitors of Datadog (API v1) by <c>name</c>. Our key is validated first.</summary>
internal sealed class DatadogMonitors(JsonApi api) : IExternalObjects
{
    public async Task<JsonObject?> ReadAsync(JsonObject declared, CancellationToken ct)
    {
        var name = declared.Need("DatadogMonitor", "name");
        await api.GetAsync("api/v1/validate", "validate our API key", ct);
        // The filter finds every monitor whose name contains it.
        var found = ((await api.GetAsync($"api/v1/monitor?name={Uri.EscapeDataString(name)}", $"find monitor {name}", ct) as JsonArray) ?? [])
            .OfType<JsonObject>().Where(monitor => monitor.Word("name") == name).ToList();
        if (found.Count > 1)
            throw new AdapterException(AdapterFailureKind.Rejected, $"Datadog has {found.Count} monitors with the name {name}: rename or delete all but one.");
        return found.SingleOrDefault();
    }
}
