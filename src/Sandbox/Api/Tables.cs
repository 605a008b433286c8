using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Api;

/// <summary>Objects as a table for <c>kubectl get</c>.</summary>
internal static class Tables
{
    private static readonly Dictionary<string, (string Name, Func<JsonObject, string> Cell)[]> Columns = new()
    {
        ["Pod"] =
        [
            ("Ready", pod => $"{Statuses(pod).Count(status => (bool?)status["ready"] == true)}/{(pod["spec"]?["containers"] as JsonArray)?.Count ?? 0}"),
            ("Status", PodStatus),
            ("Restarts", pod => Text(Statuses(pod).Sum(status => status["restartCount"].Number() ?? 0))),
        ],
        ["Deployment"] =
        [
            ("Ready", item => $"{Count(item["status"]?["readyReplicas"])}/{Count(item["spec"]?["replicas"])}"),
            ("Up-to-date", item => Count(item["status"]?["updatedReplicas"])),
            ("Available", item => Count(item["status"]?["availableReplicas"])),
        ],
        ["StatefulSet"] = [("Ready", item => $"{Count(item["status"]?["readyReplicas"])}/{Count(item["spec"]?["replicas"])}")],
        ["ReplicaSet"] =
        [
            ("Desired", item => Count(item["spec"]?["replicas"])),
            ("Current", item => Count(item["status"]?["replicas"])),
            ("Ready", item => Count(item["status"]?["readyReplicas"])),
        ],
        ["DaemonSet"] =
        [
            ("Desired", item => Count(item["status"]?["desiredNumberScheduled"])),
            ("Ready", item => Count(item["status"]?["numberReady"])),
        ],
        ["Job"] =
        [
            ("Status", item => Conditions(item).FirstOrDefault(condition => condition["type"].Text() is "Complete" or "Failed" && condition["status"].Text() == "True")?["type"].Text() ?? "Running"),
            ("Completions", item => $"{Count(item["status"]?["succeeded"])}/{Count(item["spec"]?["completions"])}"),
        ],
        ["Service"] =
        [
            ("Type", item => item["spec"]?["type"].Text() ?? ""),
            ("Cluster-IP", item => item["spec"]?["clusterIP"].Text() ?? ""),
            ("Port(s)", item => string.Join(',', (item["spec"]?["ports"] as JsonArray ?? []).Select(port => $"{port?["port"]}/{port?["protocol"].Text()}"))),
        ],
        ["Namespace"] = [("Status", item => item["status"]?["phase"].Text() ?? "")],
        ["Node"] = [("Status", item => Conditions(item).Any(condition => condition["type"].Text() == "Ready" && condition["status"].Text() == "True") ? "Ready" : "NotReady")],
        ["PersistentVolumeClaim"] =
        [
            ("Status", item => item["status"]?["phase"].Text() ?? ""),
            ("Capacity", item => item["status"]?["capacity"]?["storage"].Text() ?? ""),
        ],
        ["Secret"] = [("Type", item => item["type"].Text() ?? ""), ("Data", item => Text((item["data"] as JsonObject)?.Count ?? 0))],
        ["ConfigMap"] = [("Data", item => Text((item["data"] as JsonObject)?.Count ?? 0))],
    };

    public static bool IsWanted(string accept) => accept.Contains("as=Table", StringComparison.Ordinal);

    /// <param name="include">What each row carries of its object: <c>Metadata</c> (default), <c>Object</c> or <c>None</c>.</param>
    public static JsonObject Of(ResourceKind kind, IReadOnlyList<JsonObject> items, JsonObject metadata, string include, DateTimeOffset now)
    {
        var columns = Columns.GetValueOrDefault(kind.Custom ? "" : kind.Kind, []);
        var definitions = new JsonArray(Definition("Name", "name"));
        foreach (var (name, _) in columns)
            definitions.Add(Definition(name, ""));
        definitions.Add(Definition("Age", ""));
        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata,
            ["columnDefinitions"] = definitions,
            ["rows"] = new JsonArray([.. items.Select(item => Row(item, columns, include, now))]),
        };
    }

    private static JsonObject Row(JsonObject item, (string Name, Func<JsonObject, string> Cell)[] columns, string include, DateTimeOffset now)
    {
        var cells = new JsonArray(item["metadata"]?["name"]?.DeepClone());
        foreach (var (_, cell) in columns)
            cells.Add(cell(item));
        cells.Add(Age(item, now));
        var row = new JsonObject { ["cells"] = cells };
        if (include == "Object")
            row["object"] = item.DeepClone();
        else if (include != "None")
            row["object"] = new JsonObject { ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = item["metadata"]?.DeepClone() };
        return row;
    }

    private static JsonObject Definition(string name, string format) => new()
    {
        ["name"] = name,
        ["type"] = "string",
        ["format"] = format,
        ["description"] = "",
        ["priority"] = 0,
    };

    private static IEnumerable<JsonObject> Statuses(JsonObject pod) => (pod["status"]?["containerStatuses"] as JsonArray ?? []).OfType<JsonObject>();

    private static IEnumerable<JsonObject> Conditions(JsonObject item) => (item["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>();

    private static string PodStatus(JsonObject pod)
    {
        if (pod["metadata"]?["deletionTimestamp"] is not null)
            return "Terminating";
        return Statuses(pod).Select(status => status["state"]?["waiting"]?["reason"].Text()).FirstOrDefault(reason => reason is not null)
            ?? pod["status"]?["phase"].Text() ?? "Pending";
    }

    private static string Count(JsonNode? number) => Text(number.Number() ?? 0);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Age(JsonObject item, DateTimeOffset now)
    {
        if (!DateTimeOffset.TryParse(item["metadata"]?["creationTimestamp"].Text(), CultureInfo.InvariantCulture, out var created))
            return "<unknown>";
        var age = now - created;
        return age.TotalMinutes < 2 ? $"{(int)age.TotalSeconds}s" : age.TotalHours < 2 ? $"{(int)age.TotalMinutes}m" : age.TotalDays < 2 ? $"{(int)age.TotalHours}h" : $"{(int)age.TotalDays}d";
    }
}
