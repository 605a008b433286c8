using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>Whether Argo CD has brought an Application to what is declared: Synced at the declared revision, and Healthy.</summary>
public static class ApplicationStatus
{
    /// <param name="live">The Application; null when it does not exist.</param>
    public static GateStatus Judge(string name, JsonObject? live)
    {
        if (live is null)
            return GateStatus.OnTheWay($"{name} does not exist");
        var (source, status) = (live["spec"]?["source"], live["status"] as JsonObject ?? []);
        var revision = ResourceStatus.Text(source?["targetRevision"]);
        if (Errors(status).FirstOrDefault(error => ResourceStatus.Text(error["type"]) is "InvalidSpecError" or "SyncError") is { } refused)
            return GateStatus.Hopeless($"{name}: {Problem(refused)}. Correct what it names");
        if (Failed(status["operationState"] as JsonObject, source) is { } failure)
            return GateStatus.Hopeless($"{name}: the sync to {revision} failed ({failure}). Correct the cause, then sync it again in Argo CD");
        var trouble = Errors(status).Select(Problem).FirstOrDefault() is { } problem ? $" ({problem})" : "";
        if (status["sync"] is not JsonObject sync || (sync["comparedTo"]?["source"] is { } compared && !JsonNode.DeepEquals(compared, source)))
            return GateStatus.OnTheWay($"{name}: Argo CD has not looked at the newest declaration yet{trouble}");
        if (ResourceStatus.Text(sync["status"]) != "Synced" || ResourceStatus.Text(sync["revision"]) != revision)
            return GateStatus.OnTheWay($"{name}: {sync["status"] ?? "Unknown"} at {sync["revision"] ?? "no revision"}, wanted is Synced at {revision}{trouble}");
        var (health, message) = (ResourceStatus.Text(status["health"]?["status"]) ?? "Unknown", ResourceStatus.Text(status["health"]?["message"]) ?? Unhealthy(status));
        var said = message is null ? "" : $" ({message.TrimEnd('.')})";
        return health switch
        {
            "Healthy" => GateStatus.Passed($"{name}: Synced at {revision} and Healthy"),
            "Degraded" => GateStatus.Hopeless($"{name}: Synced at {revision}, but Degraded{said}. Look at its resources in Argo CD"),
            _ => GateStatus.OnTheWay($"{name}: Synced at {revision}, {health}{said}"),
        };
    }

    /// <summary>Why the last sync of this very source failed; null when it did not. An automated sync is not tried again for the same source.</summary>
    private static string? Failed(JsonObject? operation, JsonNode? source)
    {
        if (ResourceStatus.Text(operation?["phase"]) is not ("Failed" or "Error"))
            return null;
        return operation!["syncResult"]?["source"] is { } synced && !JsonNode.DeepEquals(synced, source)
            ? null
            : (ResourceStatus.Text(operation["message"]) ?? "no reason is given").TrimEnd('.');
    }

    /// <summary>The first resource that is not healthy, since the Application itself may say nothing.</summary>
    private static string? Unhealthy(JsonObject status) =>
        (status["resources"] as JsonArray ?? []).OfType<JsonObject>()
            .FirstOrDefault(resource => ResourceStatus.Text(resource["health"]?["status"]) is not (null or "Healthy"))
            is { } resource ? $"{resource["kind"]} {resource["name"]} is {resource["health"]!["status"]}: {resource["health"]!["message"] ?? "no reason is given"}" : null;

    private static IEnumerable<JsonObject> Errors(JsonObject status) => (status["conditions"] as JsonArray ?? []).OfType<JsonObject>()
        .Where(condition => ResourceStatus.Text(condition["type"])?.EndsWith("Error", StringComparison.Ordinal) == true);

    private static string Problem(JsonObject error) => $"{error["type"]}: {ResourceStatus.Text(error["message"])?.TrimEnd('.')}";
}
