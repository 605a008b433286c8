using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>Whether Prometheus sees what it is to watch.</summary>
public static class PrometheusStatus
{
    private const int MostShown = 3;

    /// <param name="targets">The active targets, as <c>api/v1/targets</c> lists them.</param>
    /// <param name="minimum">How many have to be up.</param>
    public static GateStatus Judge(string name, IReadOnlyCollection<JsonObject> targets, int minimum)
    {
        var up = targets.Count(target => (string?)target["health"] == "up");
        var message = $"{name} is ready, and {up} of {targets.Count} targets are up";
        if (up >= minimum)
            return GateStatus.Passed(message);
        var down = targets.Where(target => (string?)target["health"] == "down").Take(MostShown).Select(target => $"{target["scrapeUrl"]} ({target["lastError"]})").ToList();
        return GateStatus.OnTheWay($"{message}; at least {minimum} are expected{(down.Count > 0 ? $". Down: {string.Join(", ", down)}" : "")}");
    }
}
