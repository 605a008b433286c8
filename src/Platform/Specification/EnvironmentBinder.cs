using System.Text.Json.Nodes;
using PlatformOps.Platform.Schedules;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Specification;

/// <summary>Makes the record of a tree that has been read by its shape, so that every value is there and well typed.</summary>
internal static class EnvironmentBinder
{
    public static EnvironmentSpecification Bind(string platform, JsonObject tree)
    {
        // A default that depends on the key: said or left out, it means the same, so that the digest is the same.
        foreach (var (name, region) in Entries(tree["regions"]))
            region["kubernetesContext"] ??= name;
        // Nor does an empty list say more than none.
        foreach (var (_, scaling) in Entries(tree["scaling"]).Where(pair => pair.Value["classes"] is JsonArray { Count: 0 }))
            scaling.Remove("classes");
        var canonical = new JsonObject { ["platform"] = platform, ["environment"] = tree.DeepClone() };
        ((JsonObject)canonical["environment"]!).Remove("schedules");
        return new()
        {
            Platform = platform,
            Name = Text(tree["name"]),
            Digest = CanonicalJson.Digest(canonical),
            Regions = [.. Entries(tree["regions"]).Select(Region).OrderBy(region => region.Role)],
            NodeClasses = [.. Entries(tree["nodes"]).Select(NodeClass)],
            Database = Words.Parse<DatabaseTopology>(Text(tree["database"])),
            Monitoring = Words.Parse<MonitoringLevel>(Text(tree["monitoring"])),
            Security = Words.Parse<SecurityLevel>(Text(tree["security"])),
            GuardRails = new(
                Number(tree["guardRails"]!["approvals"]), Number(tree["guardRails"]!["maxParallel"]),
                (bool)tree["guardRails"]!["mayDestroy"]!, Duration(tree["guardRails"]!["approvalTimeout"])),
            Namespaces = [.. Entries(tree["namespaces"]).Select(pair => new NamespaceSpecification(
                pair.Key, Text(pair.Value["purpose"]), Text(pair.Value["networkPolicy"]), Text(pair.Value["resourceClass"])))],
            Components = [.. Entries(tree["components"]).Select(Component)],
            Scaling = [.. Entries(tree["scaling"]).Where(pair => pair.Value["minimum"] is not null && pair.Value["maximum"] is not null).Select(pair => new ScalingRange(pair.Key, Number(pair.Value["minimum"]), Number(pair.Value["maximum"]), Words.Parse<ScaledBy>(Text(pair.Value["by"]))))],
            Classes = [.. Entries(tree["scaling"]).Where(pair => pair.Value["classes"] is not null).Select(pair => new ScalingClasses(pair.Key, [.. pair.Value["classes"]!.AsArray().Select(Text)]))],
            Performance = new(
                Number(tree["performance"]!["workflowStartsPerSecond"]), Number(tree["performance"]!["activityExecutionsPerSecond"]),
                Number(tree["performance"]!["concurrentWorkflows"])),
            Backups = [.. Entries(tree["backups"]).Select(pair => new BackupObjective(
                pair.Key, Duration(pair.Value["frequency"]), Duration(pair.Value["retention"]), Duration(pair.Value["rto"]), Duration(pair.Value["rpo"])))],
            Failover = new(
                Words.Parse<FailoverMode>(Text(tree["failover"]!["database"])), Words.Parse<FailoverMode>(Text(tree["failover"]!["fullStack"])),
                Duration(tree["failover"]!["rto"]), Duration(tree["failover"]!["rpo"])),
            Schedules = [.. Entries(tree["schedules"]).Where(pair => (bool)pair.Value["enabled"]!).Select(Schedule)],
        };
    }

    private static RegionSpecification Region(KeyValuePair<string, JsonObject> pair) => new(
        pair.Key, Words.Parse<RegionRole>(Text(pair.Value["role"])), Text(pair.Value["kubernetesContext"]))
    {
        Etcd = pair.Value["etcd"] is JsonObject etcd ? new(new(Text(etcd["endpoint"])), Text(etcd["secret"])) : null,
    };

    private static NodeClassSpecification NodeClass(KeyValuePair<string, JsonObject> pair) => new(
        pair.Key, Number(pair.Value["count"]), ((JsonObject)pair.Value["labels"]!).ToDictionary(label => label.Key, label => Text(label.Value)),
        Text(pair.Value["profile"]), (bool)pair.Value["tainted"]!);

    private static ComponentSpecification Component(KeyValuePair<string, JsonObject> pair)
    {
        var parameters = (JsonObject)pair.Value.DeepClone();
        parameters.Remove("enabled");
        parameters.Remove("regions");
        return new()
        {
            Name = pair.Key,
            Enabled = (bool)pair.Value["enabled"]!,
            Regions = [.. pair.Value["regions"]!.AsArray().Select(Text)],
            Parameters = parameters,
        };
    }

    private static ScheduleSpecification Schedule(KeyValuePair<string, JsonObject> pair) => ScheduleSpecification.Of(
        pair.Key,
        ScheduledRunbook.Find(Text(pair.Value["runbook"]))!,
        Optional(pair.Value["every"]),
        pair.Value["cron"] is { } cron ? CronExpression.Read(Text(cron), out _) : null,
        (string?)pair.Value["timeZone"],
        Optional(pair.Value["jitter"]),
        Words.Parse<ScheduleOverlap>(Text(pair.Value["overlap"])),
        Optional(pair.Value["catchUpWindow"]),
        (bool?)pair.Value["pauseOnFailure"],
        pair.Value["input"] as JsonObject);

    private static TimeSpan? Optional(JsonNode? node) => node is null ? null : Duration(node);

    private static IEnumerable<KeyValuePair<string, JsonObject>> Entries(JsonNode? table) =>
        ((JsonObject)table!).Select(pair => KeyValuePair.Create(pair.Key, (JsonObject)pair.Value!));

    private static string Text(JsonNode? node) => (string)node!;

    private static int Number(JsonNode? node) => (int)(long)node!;

    private static TimeSpan Duration(JsonNode? node) =>
        Units.TryParseDuration(Text(node), out var duration) ? duration : throw new InvalidOperationException($"'{node}' passed as a duration.");
}
