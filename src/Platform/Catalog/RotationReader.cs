using System.Text.Json.Nodes;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Binds a checked item of <c>rotations</c>.</summary>
internal static class RotationReader
{
    /// <summary>The kinds by their words.</summary>
    public static IReadOnlyDictionary<string, RotationKind> Kinds { get; } = new Dictionary<string, RotationKind>
    {
        ["postgresql-users"] = RotationKind.PostgresqlUsers,
        ["value"] = RotationKind.Value,
    };

    /// <summary>Null, with a problem, when its fields do not fit together.</summary>
    public static RotationDefinition? Read(JsonObject tree, string space, string path, IReadOnlyList<HealthGate> health, ShapeReader reader)
    {
        var kind = Kinds[(string)tree["kind"]!];
        var username = (string?)tree["usernameKey"];
        if (kind == RotationKind.PostgresqlUsers && username is null)
            reader.Report($"{path}.usernameKey", "is missing: two users take turns, and consumers have to know which one is meant");
        else if (kind == RotationKind.PostgresqlUsers && !health.OfType<PostgresqlGate>().Any())
            reader.Report($"{path}.kind", "is postgresql-users, and the component has no gate postgresql that says which server is meant; add one");
        else if (kind == RotationKind.Value && username is not null)
            reader.Report($"{path}.usernameKey", "is only for logins, and a value has no user; remove it");
        else
            return new(
                (string)tree["name"]!, kind, (string)tree["path"]!, (string)tree["secret"]!, (string?)tree["namespace"] ?? space, username, (string)tree["passwordKey"]!,
                (int)(long)tree["length"]!, Duration(tree["every"]), Duration(tree["settle"]), [.. tree["reloads"]!.AsArray().Select(name => (string)name!)]);
        return null;
    }

    private static TimeSpan Duration(JsonNode? node) =>
        Units.TryParseDuration((string)node!, out var duration) ? duration : throw new InvalidOperationException($"'{node}' passed as a duration.");
}
