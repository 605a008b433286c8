using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Temporalio.Common;

namespace PlatformOps.PlatformWorkflows.Tests.Replay;

/// <summary>The histories in this folder's <c>Histories</c>, one JSON file for each behaviour.</summary>
internal static class CommittedHistories
{
    public static string Folder { get; } = Path.Combine(
        typeof(CommittedHistories).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!,
        "tests", "PlatformWorkflows.Tests", "Replay", "Histories");

    public static TheoryData<string> Names =>
        [.. Directory.EnumerateFiles(Folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    public static string Text(string name) => File.ReadAllText(Path.Combine(Folder, name + ".json"));

    /// <summary>A history under the id of its workflow, from which the ids of its children are made.</summary>
    public static WorkflowHistory Read(string name)
    {
        var text = Text(name);
        var started = WorkflowHistory.FromJson(name, text).Events.First().WorkflowExecutionStartedEventAttributes;
        return WorkflowHistory.FromJson(started.WorkflowId, text);
    }

    /// <summary>Writes a history as it is committed: indented, and without stack traces, which name folders of the machine it comes from.</summary>
    public static void Write(string name, WorkflowHistory history)
    {
        var json = JsonNode.Parse(history.ToJson())!;
        foreach (var map in Maps(json).Where(map => map.ContainsKey("stackTrace")).ToList())
            map.Remove("stackTrace");
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, name + ".json"), json.ToJsonString(new() { WriteIndented = true }) + "\n");
    }

    /// <summary>A history as people would read it: also what its payloads hold, and what base64 in those holds.</summary>
    public static string InClear(string text)
    {
        var clear = new StringBuilder(text);
        foreach (var data in Maps(JsonNode.Parse(text)!).Select(map => map["data"]).OfType<JsonValue>().Select(value => value.GetValue<string>()))
            clear.Append('\n').Append(Encoding.UTF8.GetString(Convert.FromBase64String(data)));
        return clear.ToString();
    }

    private static IEnumerable<JsonObject> Maps(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(pair => Maps(pair.Value)).Prepend(map),
        JsonArray list => list.SelectMany(Maps),
        _ => [],
    };
}
