using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>Datadog's API (v1), for validating keys and for monitors. Both keys are the token.</summary>
internal sealed class DatadogPlayer(DeclaredObjects objects) : IExternalService
{
    public ExternalAnswer? Refuse(ExternalCall call, string token)
    {
        var known = call.Credential("DD-API-KEY") == token && (call.Path[^1] == "validate" || call.Credential("DD-APPLICATION-KEY") == token);
        return known ? null : ExternalAnswer.Refusal(403, new JsonObject { ["errors"] = new JsonArray("Forbidden") });
    }

    public ExternalAnswer? Answer(ExternalCall call) => (call.Method, call.Path) switch
    {
        ("GET", ["api", "v1", "validate"]) => new JsonObject { ["valid"] = true },
        ("GET", ["api", "v1", "monitor"]) => new JsonArray([.. objects.Of("DatadogMonitor")
            .Where(spec => ((string?)spec["name"] ?? "").Contains(call.Query("name") ?? "", StringComparison.OrdinalIgnoreCase)).Select((spec, index) => spec.Over(new() { ["id"] = index + 1, ["type"] = "metric alert", ["message"] = "", ["overall_state"] = "OK" }))]),
        _ => null,
    };
}

/// <summary>New Relic's REST API (v2), for alert policies.</summary>
internal sealed class NewRelicPlayer(DeclaredObjects objects) : IExternalService
{
    public ExternalAnswer? Refuse(ExternalCall call, string token) => call.Credential("Api-Key") == token ? null
        : ExternalAnswer.Refusal(401, new JsonObject { ["error"] = new JsonObject { ["title"] = "The API key provided is invalid" } });

    public ExternalAnswer? Answer(ExternalCall call)
    {
        if (call.Method != "GET" || call.Path is not ["v2", "alerts_policies.json"])
            return null;
        var found = objects.Of("NewRelicAlertPolicy").Where(spec => (string?)spec["name"] == call.Query("filter[name]"));
        return new JsonObject
        {
            ["policies"] = new JsonArray([.. found.Select((spec, index) => spec.Over(new() { ["id"] = index + 1, ["incident_preference"] = "PER_POLICY" }))]),
        };
    }
}

/// <summary>Prometheus' API, for its readiness and targets: <c>PrometheusTarget</c> objects, or one that is up. It asks nobody who they are, as the real one.</summary>
internal sealed class PrometheusPlayer(DeclaredObjects objects) : IExternalService
{
    public ExternalAnswer? Refuse(ExternalCall call, string token) => null;

    public ExternalAnswer? Answer(ExternalCall call) => (call.Method, call.Path) switch
    {
        ("GET", ["-", "ready"]) => new ExternalAnswer(200, null, "Prometheus Server is Ready.\n"),
        ("GET", ["api", "v1", "targets"]) => new JsonObject
        {
            ["status"] = "success",
            ["data"] = new JsonObject { ["activeTargets"] = new JsonArray([.. Targets()]), ["droppedTargets"] = new JsonArray() },
        },
        _ => null,
    };

    private IEnumerable<JsonObject> Targets() => objects.Of("PrometheusTarget").DefaultIfEmpty(new JsonObject()).Select(target => target.Over(new()
    {
        ["labels"] = new JsonObject { ["job"] = "prometheus" },
        ["scrapeUrl"] = "http://127.0.0.1:9090/metrics",
        ["health"] = "up",
        ["lastError"] = "",
    }));
}
