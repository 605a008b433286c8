using System.Text.Json.Nodes;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Alerts;

/// <summary>What the alert receiver's configuration may say.</summary>
internal static class AlertShape
{
    private static readonly MapShape Sender = new("How a sender proves who it is.",
    [
        new("tokenFile", new TextShape("A file with a bearer token.")),
        new("hmacKeyFile", new TextShape("A file with the key of an HMAC-SHA256 over the body.")),
    ]);

    private static readonly MapShape Limits = new("How much is taken.",
    [
        new("bodyBytes", new IntegerShape("The longest body.", 1024, 16 * 1024 * 1024), Default: 1024L * 1024),
        new("requestsPerSecond", new IntegerShape("How many requests are taken in the long run.", 1, 100_000), Default: 50L),
        new("repeatAfter", new DurationShape("For how long repetitions are answered without passing them on.", TimeSpan.Zero, TimeSpan.FromHours(1)), Default: "1m"),
    ]);

    private static readonly MapShape Route = new("For which alerts, which environment, to which runbook.",
    [
        new("name", new TextShape("For messages and metrics."), Required: true),
        new("matchers", new ListShape("Conditions as in Alertmanager; all have to match.", new TextShape("label=\"value\".")), Required: true),
        new("environment", new TextShape("The environment's name. Default: what environmentLabel says.")),
        new("environmentLabel", new TextShape("The label that has the environment's name."), Default: "environment"),
        new("runbook", new TextShape("The workflow type.", AlertRouting.Runbooks), Required: true),
    ]);

    /// <summary>The whole file.</summary>
    public static readonly MapShape Configuration = new("The alert receiver.",
    [
        new("apiVersion", new TextShape("The form of this file.", ["platformops.io/v1"]), Required: true),
        new("kind", new TextShape("What it is.", ["Alerts"]), Required: true),
        new("listen", new TextShape("Address and port.", Pattern: @"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$", PatternInWords: "an IP address with a port, such as 0.0.0.0:9095"), Default: "127.0.0.1:9095"),
        new("tls", new MapShape("The receiver's certificate.",
        [
            new("certificateFile", new TextShape("PEM, with intermediates."), Required: true),
            new("keyFile", new TextShape("PEM."), Required: true),
        ])),
        new("alertmanager", Sender),
        new("cloudEvents", Sender),
        new("sns", new MapShape("Amazon SNS.", [new("topics", new ListShape("The topics that are believed.", new TextShape("An ARN.", Pattern: "^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$", PatternInWords: "the ARN of an SNS topic")), Required: true)])),
        new("limits", Limits, Default: Defaults(Limits)),
        new("deadLetters", new TextShape("A file that keeps what could not be routed.")),
        new("environments", new ListShape("The environments that there are.", new TextShape("A name.")), Required: true),
        new("routes", new ListShape("The first that matches decides.", Route), Required: true),
    ]);

    private static JsonObject Defaults(MapShape shape) => new(shape.Keys.Select(key => KeyValuePair.Create(key.Name, key.Default?.DeepClone())));
}
