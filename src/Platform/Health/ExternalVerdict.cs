using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Health;

/// <summary>Whether an object of an external service is as declared.</summary>
public static class ExternalVerdict
{
    /// <summary>What is wrong, a sentence for each field without its end, naming field, declared and found value; none when all is as declared. Fields that are not declared do not count.</summary>
    /// <param name="live">With the fields of the service's API, as <c>spec</c> has them; null: the service has no such object.</param>
    public static IReadOnlyList<string> Problems(DesiredObject declared, JsonObject? live)
    {
        var name = $"{declared.Address.Kind} {declared.Address.Name}";
        if (live is null)
            return [$"{name} does not exist"];
        var spec = declared.Manifest["spec"] as JsonObject ?? [];
        return [.. FieldDiff.Compare(new JsonObject { ["spec"] = spec.DeepClone() }, new JsonObject { ["spec"] = live.DeepClone() })
            .Select(change => $"{name}: {change.Path} is {change.From ?? "not set"}, and declared as {change.To}")];
    }
}
