using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Reconciling;

/// <summary>One line of <c>status.conditions</c>.</summary>
internal sealed record Condition(string Type, bool True, string? Reason = null, string? Message = null);

internal static class Conditions
{
    public static bool IsTrue(JsonNode status, string type) => status.Item("conditions", "type", type)?.Text("status") == "True";

    /// <summary>
    /// The conditions with these set and all others kept. The time of the last transition changes only with the status; <paramref name="updated"/>
    /// says whether the kind also notes when a condition last changed in any way.
    /// </summary>
    public static JsonArray Set(JsonObject status, DateTimeOffset now, IEnumerable<Condition> conditions, bool updated = false)
    {
        var all = status.Items("conditions").OfType<JsonObject>().Select(condition => condition.Copy()).ToList();
        foreach (var wanted in conditions)
        {
            var before = all.FirstOrDefault(condition => condition.Text("type") == wanted.Type);
            var value = wanted.True ? "True" : "False";
            var next = new JsonObject { ["type"] = wanted.Type, ["status"] = value };
            if (wanted.Reason is not null)
                next["reason"] = wanted.Reason;
            if (wanted.Message is not null)
                next["message"] = wanted.Message;
            next["lastTransitionTime"] = before?.Text("status") == value ? before.Text("lastTransitionTime") : now.Stamp();
            if (updated)
                next["lastUpdateTime"] = Unchanged(before, wanted, value) ? before!.Text("lastUpdateTime") : now.Stamp();
            if (before is null)
                all.Add(next);
            else
                all[all.IndexOf(before)] = next;
        }
        return all.ToJson();
    }

    private static bool Unchanged(JsonObject? before, Condition wanted, string value) => before is not null
        && before.Text("status") == value && before.Text("reason") == wanted.Reason && before.Text("message") == wanted.Message;
}
