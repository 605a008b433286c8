using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>What a <c>component.yaml</c> may say.</summary>
internal static class ComponentShape
{
    private static readonly TextShape Name = new("A name.", Pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", PatternInWords: "a name of lower-case letters, digits and dashes");

    private static readonly MapShape Rollout = new("A workload whose newest template must be rolled out.",
    [
        new("kind", new TextShape("The workload's kind.", ["Deployment", "StatefulSet", "DaemonSet"]), Required: true),
        new("name", Name, Required: true),
        new("namespace", Name),
    ]);

    private static readonly MapShape Endpoints = new("A Service that must have ready endpoints.",
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("minimum", new IntegerShape("How many endpoints must be ready.", 1, 1000), Default: 1L),
    ]);

    private static readonly MapShape Job = new("A Job that must have completed.",
        [new("name", Name, Required: true), new("namespace", Name)]);

    private static readonly MapShape TemporalFrontend = new("The platform's own Temporal frontend: it must answer, with every namespace visible.",
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("port", new IntegerShape("The port of its gRPC API.", 1, 65535), Default: 7233L),
    ]);

    private static readonly MapShape Vault = new("Vault: it must be initialized, unsealed and active.",
    [
        new("service", Name, Required: true),
        new("namespace", Name),
        new("port", new IntegerShape("The port of its API.", 1, 65535), Default: 8200L),
        new("tls", new BooleanShape("Whether its API speaks TLS."), Default: true),
        new("policy", new TextShape("A policy that we must be able to log in for and read.")),
    ]);

    public static MapShape Gate { get; } = new("One health gate; exactly one key.",
    [
        new("rollout", Rollout), new("endpoints", Endpoints), new("job", Job), new("temporalFrontend", TemporalFrontend),
        new("vault", Vault),
    ]);

    private static readonly MapShape Parameter = new("What the manifests may refer to.",
    [
        new("type", new TextShape("The type of its value.", ["string", "integer", "boolean", "quantity", "duration"]), Required: true),
        new("default", new AnyShape("The value when the specification is silent; without it the parameter is required.")),
        new("minimum", new IntegerShape("The smallest integer.", long.MinValue, long.MaxValue)),
        new("maximum", new IntegerShape("The largest integer.", long.MinValue, long.MaxValue)),
        new("allowed", new ListShape("The possible strings.", new TextShape("A possible value."))),
        new("immutable", new TextShape("Why it can be set once and never be changed.")),
        new("summary", new TextShape("One sentence."), Required: true),
    ]);

    private static readonly MapShape Secret = new("A secret whose values are generated when it is created, and never read back.",
    [
        new("name", Name, Required: true),
        new("namespace", Name),
        new("literals", new WordsShape("Keys whose values are not secret.", new TextShape("The value."))),
        new("generated", new WordsShape("Keys whose values are generated.", new IntegerShape("How many characters.", 16, 128))),
    ]);

    public static MapShape Component { get; } = new("One system of the catalog.",
    [
        new("name", Name, Required: true),
        new("summary", new TextShape("One sentence."), Required: true),
        new("plane", Name, Required: true),
        new("namespace", Name, Required: true),
        new("dependsOn", new ListShape("Components that must be healthy first.", Name)),
        new("delivery", new TextShape("How it gets into the world.", ["manifests"]), Default: "manifests"),
        new("repeatFor", new TextShape("What its manifests are repeated for.", ["namespaces"])),
        new("parameters", new WordsShape("What the manifests may refer to as ${name}.", Parameter)),
        new("imports", new WordsShape("Parameters of other components that the manifests may refer to as well: each with the component that declares it.", Name)),
        new("secrets", new ListShape("Secrets that must exist first.", Secret)),
        new("health", new ListShape("What it must do to count as healthy.", Gate), Required: true),
        new("manifests", new ListShape("The manifests in the order in which they are applied.", new AnyShape("A file, or {file, when}.")), Required: true),
    ]);
}
