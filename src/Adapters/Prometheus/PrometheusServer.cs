using System.Globalization;
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

    /// <summary>What a query says now.</summary>
    /// <param name="freshFor">Samples that are older do not count.</param>
    /// <returns>Null: it says nothing. <c>NaN</c> and infinities are numbers here.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is no query, or says several numbers.</exception>
    public async Task<double?> NumberAsync(string query, TimeSpan freshFor, CancellationToken ct)
    {
        // Servers before 2.37 do not know the look-back of a query and take theirs, which is 5 minutes unless somebody has changed it.
        var answer = await api.GetAsync($"api/v1/query?query={Uri.EscapeDataString(query)}&lookback_delta={(int)freshFor.TotalSeconds}s", "answer a query", ct);
        var (kind, result) = ((string?)answer?["data"]?["resultType"], answer?["data"]?["result"] as JsonArray ?? []);
        var sample = (kind, result) switch
        {
            ("scalar", _) => result,
            ("vector", []) => null,
            ("vector", [var one]) => one?["value"] as JsonArray,
            _ => throw new AdapterException(AdapterFailureKind.Rejected, $"The query {query} says {(kind == "vector" ? $"{result.Count} numbers" : $"a {kind}")}, and one number is expected. Sum it up, or take an average."),
        };
        return sample is [_, var value] ? Number((string?)value) : null;
    }

    private static double? Number(string? text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
    };
}
