using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Alerts;

/// <summary>The configuration that was read, or why there is none.</summary>
public sealed record AlertConfigurationResult(AlertConfiguration? Configuration, IReadOnlyList<Problem> Problems);

/// <summary>Reads the alert receiver's YAML; finds every problem, not only the first.</summary>
public static class AlertConfigurationReader
{
    /// <param name="file">For messages.</param>
    public static AlertConfigurationResult Read(string file, string text)
    {
        var problems = new List<Problem>();
        if (SourceReader.ReadMap(file, text, problems) is not { } source)
            return new(null, problems);
        var reader = new ShapeReader(problems);
        var tree = (JsonObject)reader.Read(source, AlertShape.Configuration, "")!;
        if (problems.Count > 0)
            return new(null, problems);
        var read = new AlertConfiguration
        {
            Listen = Text(tree, "listen")!,
            Tls = tree["tls"] is JsonObject tls ? new(Text(tls, "certificateFile")!, Text(tls, "keyFile")!) : null,
            Alertmanager = Sender(tree, "alertmanager"),
            CloudEvents = Sender(tree, "cloudEvents"),
            SnsTopics = Texts(tree["sns"]?["topics"]),
            BodyBytes = (int)(long)tree["limits"]!["bodyBytes"]!,
            RequestsPerSecond = (int)(long)tree["limits"]!["requestsPerSecond"]!,
            RepeatAfter = Units.TryParseDuration(Text((JsonObject)tree["limits"]!, "repeatAfter")!, out var repeat) ? repeat : default,
            DeadLetters = Text(tree, "deadLetters"),
            Environments = Texts(tree["environments"]),
            Routes = [.. ((JsonArray)tree["routes"]!).Select((route, index) => Route((JsonObject)route!, $"routes[{index}]", reader))],
        };
        Check(read, reader);
        return problems.Count > 0 ? new(null, problems) : new(read, []);
    }

    private static void Check(AlertConfiguration read, ShapeReader reader)
    {
        if (!read.Listen.StartsWith("127.", StringComparison.Ordinal) && !read.Listen.StartsWith("[::1]:", StringComparison.Ordinal) && read.Tls is null)
            reader.Report("listen", $"{read.Listen} can be reached by others: state tls, or listen on 127.0.0.1");
        if (read.Alertmanager is null && read.CloudEvents is null && read.SnsTopics.Count == 0)
            reader.Report("", "nobody is listened to: state alertmanager, cloudEvents or sns");
        foreach (var (name, sender) in new[] { ("alertmanager", read.Alertmanager), ("cloudEvents", read.CloudEvents) })
        {
            if (sender is not null && sender.TokenFile is null == sender.HmacKeyFile is null)
                reader.Report(name, "either tokenFile or hmacKeyFile is expected, not both");
        }

        foreach (var (route, index) in read.Routes.Select((route, index) => (route, index)))
        {
            if (route.Environment is { } environment && !read.Environments.Contains(environment))
                reader.Report($"routes[{index}].environment", $"'{environment}' is not one of environments: {string.Join(", ", read.Environments)}");
            if (read.Routes.Take(index).Any(other => other.Name == route.Name))
                reader.Report($"routes[{index}].name", $"'{route.Name}' is the name of two routes");
        }
    }

    private static AlertRoute Route(JsonObject route, string path, ShapeReader reader)
    {
        var matchers = new List<AlertMatcher>();
        foreach (var (text, index) in Texts(route["matchers"]).Select((text, index) => (text, index)))
        {
            if (AlertMatcher.Parse(text, out var problem) is { } matcher)
                matchers.Add(matcher);
            else
                reader.Report($"{path}.matchers[{index}]", problem!);
        }

        if (Texts(route["matchers"]).Count == 0)
            reader.Report($"{path}.matchers", "has no condition: an alert of any kind would go there; state at least one");
        return new(Text(route, "name")!, matchers, Text(route, "environment"), Text(route, "environmentLabel")!, Text(route, "runbook")!);
    }

    private static AlertSender? Sender(JsonObject tree, string name) =>
        tree[name] is JsonObject sender ? new(Text(sender, "tokenFile"), Text(sender, "hmacKeyFile")) : null;

    private static string? Text(JsonObject tree, string name) => (string?)tree[name];

    private static IReadOnlyList<string> Texts(JsonNode? list) => list is JsonArray items ? [.. items.Select(item => (string)item!)] : [];
}
