using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.Prometheus;

/// <summary>A Prometheus server.</summary>
public sealed class PrometheusServer(JsonApi api) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => api.Dispose();

    /// <summary>Returns when it says that it is ready to answer queries.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Unavailable"/>: not yet, or not at all.</exception>
    public Task ReadyAsync(CancellationToken ct) => api.GetTextAsync("-/ready", "say that it is ready", ct);

    /// <summary>What it scrapes, each with <c>health</c> up, down or unknown.</summary>
    public async Task<IReadOnlyList<JsonObject>> TargetsAsync(CancellationToken ct)
    {
        var answer = await api.GetAsync("api/v1/targets?state=active", "list its targets", ct);
        return [.. (answer?["data"]?["activeTargets"] as JsonArray ?? []).OfType<JsonObject>()];
    }
}
