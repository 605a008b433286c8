using System.Text.Json.Nodes;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Binds a checked item of <c>rotations</c>.</summary>
internal static class RotationReader
{
    private static readonly Dictionary<RotationKind, Rule> Rules = new()
    {
        [RotationKind.PostgresqlUsers] = new(Username.Needed, null, Gate<PostgresqlGate>("postgresql")),
        [RotationKind.ElasticsearchUsers] = new(Username.Needed, null, Gate<ElasticsearchGate>("elasticsearch")),
        [RotationKind.RedisUsers] = new(Username.Possible, "redis"),
        [RotationKind.IamAccessKeys] = new(Username.Needed, "iamUser"),
        [RotationKind.AppRoleSecretId] = new(Username.None, "appRole"),
        [RotationKind.VaultToken] = new(Username.None, "token"),
        [RotationKind.ServiceToken] = new(Username.Possible, "api"),
        [RotationKind.ServicePassword] = new(Username.Needed, "api"),
        [RotationKind.CodecKey] = new(Username.None, null),
        [RotationKind.Value] = new(Username.None, null),
    };

    private static readonly string[] Targets = ["redis", "iamUser", "appRole", "token", "api"];

    /// <summary>The keys that name consumers.</summary>
    /// <summary>The word for <see cref="RotationDefinition.ProvedBySnapshots"/>.</summary>
    public const string SnapshotRepositories = "snapshot-repositories";

    private static readonly string[] Consumers = ["reloads", "readBy", "servers"];

    private static readonly string[] Methods = ["get", "post", "put", "patch", "delete"];

    private enum Username
    {
        None,
        Possible,
        Needed,
    }

    /// <summary>The kinds by their words.</summary>
    public static IReadOnlyDictionary<string, RotationKind> Kinds { get; } = new Dictionary<string, RotationKind>
    {
        ["postgresql-users"] = RotationKind.PostgresqlUsers,
        ["elasticsearch-users"] = RotationKind.ElasticsearchUsers,
        ["redis-users"] = RotationKind.RedisUsers,
        ["iam-access-keys"] = RotationKind.IamAccessKeys,
        ["approle-secret-id"] = RotationKind.AppRoleSecretId,
        ["vault-token"] = RotationKind.VaultToken,
        ["service-token"] = RotationKind.ServiceToken,
        ["service-password"] = RotationKind.ServicePassword,
        ["codec-key"] = RotationKind.CodecKey,
        ["value"] = RotationKind.Value,
    };

    /// <summary>The services whose API can be declared.</summary>
    public static IReadOnlyList<string> Services { get; } = ["artifactory", "authentik", "cloudflare", "datadog", "gitlab", "grafana"];

    /// <summary>Null, with a problem, when its fields do not fit together.</summary>
    public static RotationDefinition? Read(JsonObject tree, string space, string path, IReadOnlyList<HealthGate> health, ShapeReader reader)
    {
        var (word, kind) = ((string)tree["kind"]!, Kinds[(string)tree["kind"]!]);
        var (rule, username) = (Rules[kind], (string?)tree["usernameKey"]);
        if (rule.Username == Username.Needed && username is null)
            reader.Report($"{path}.usernameKey", kind is RotationKind.PostgresqlUsers or RotationKind.ElasticsearchUsers
                ? "is missing: two users take turns, and consumers have to know which one is meant"
                : "is missing: consumers have to know whose value it is");
        else if (rule.Username == Username.None && username is not null)
            reader.Report($"{path}.usernameKey", "is only for logins, and a value has no user; remove it");
        else if (rule.Gate is { } gate && !health.Any(gate.Passes))
            reader.Report($"{path}.kind", $"is {word}, and the component has no gate {gate.Name} that says which server is meant; add one");
        else if (rule.Target is { } needed && !tree.ContainsKey(needed))
            reader.Report($"{path}.{needed}", $"is missing: {word} needs it");
        else if (Targets.FirstOrDefault(target => target != rule.Target && tree.ContainsKey(target)) is { } foreign)
            reader.Report($"{path}.{foreign}", $"is not for the kind {word}; remove it");
        else if (tree["reads"]!.AsArray().Count > 0 && kind is not (RotationKind.AppRoleSecretId or RotationKind.VaultToken))
            reader.Report($"{path}.reads", $"is only for credentials of Vault, and this is {word}; remove it");
        else if (tree["servers"]!.AsArray().Count > 0 && kind is not (RotationKind.PostgresqlUsers or RotationKind.ElasticsearchUsers or RotationKind.RedisUsers))
            reader.Report($"{path}.servers", $"is only for users of PostgreSQL, Elasticsearch and Redis, and {word} is of none that could be asked; remove it");
        else if (tree.ContainsKey("provedBy") && kind != RotationKind.IamAccessKeys)
            reader.Report($"{path}.provedBy", $"is only for access keys of IAM, which can be made inactive and active again, and this is {word}; remove it");
        else if (tree.ContainsKey("noConsumers") && Consumers.FirstOrDefault(key => tree[key]!.AsArray().Count > 0) is { } consumers)
            reader.Report($"{path}.noConsumers", $"says that nobody uses it, and {consumers} names who does; remove one of the two");
        else if (Target(kind, tree, space, path, reader) is var (target, right) && right)
            return new(
                (string)tree["name"]!, kind, (string)tree["path"]!, (string)tree["secret"]!, (string?)tree["namespace"] ?? space, username, (string)tree["passwordKey"]!,
                (int)(long)tree["length"]!, Duration(tree["every"]), Duration(tree["settle"]), [.. tree["reloads"]!.AsArray().Select(name => (string)name!)])
            {
                Target = target,
                ReadBy = [.. tree["readBy"]!.AsArray().Select(name => (string)name!)],
                Reads = [.. tree["reads"]!.AsArray().Select(path => (string)path!)],
                Servers = [.. tree["servers"]!.AsArray().Select(name => (string)name!)],
                ProvedBySnapshots = tree.ContainsKey("provedBy"),
                NoConsumers = (string?)tree["noConsumers"],
                When = (string?)tree["when"],
            };
        return null;
    }

    /// <summary>Every parameter that a rotation refers to, in its condition too.</summary>
    public static IEnumerable<string> NamesIn(RotationDefinition rotation) => Texts(rotation.Target).Append(rotation.NoConsumers ?? "").SelectMany(Placeholders.NamesIn)
        .Concat(rotation.When is { } when && Condition.Parse(when) is { } condition ? [condition.Parameter] : []);

    /// <summary>With every <c>${parameter}</c> replaced. What is inserted into a path is one part of it.</summary>
    public static RotationTarget? Filled(RotationTarget? target, Func<string, string> text, Func<JsonNode?, JsonNode?> body)
    {
        return target switch
        {
            IamTarget iam => iam with { User = Placeholders.Replace(iam.User, text) },
            AppRoleTarget role => role with { Role = Placeholders.Replace(role.Role, text) },
            ServiceTarget service => service with
            {
                Create = Call(service.Create),
                View = Call(service.View),
                List = Call(service.List),
                Set = Call(service.Set),
                Test = Call(service.Test)!,
                Revoke = Call(service.Revoke),
                Address = service.Address is { } address ? Placeholders.Replace(address, text) : null,
            },
            _ => target,
        };

        ServiceCall? Call(ServiceCall? call) => call is null ? null : call with { Path = Placeholders.Replace(call.Path, name => Uri.EscapeDataString(text(name))), Body = (JsonObject?)body(call.Body) };
    }

    private static IEnumerable<string> Texts(RotationTarget? target) => target switch
    {
        IamTarget iam => [iam.User],
        AppRoleTarget role => [role.Role],
        ServiceTarget service => new[] { service.Create, service.View, service.List, service.Set, service.Test, service.Revoke }.OfType<ServiceCall>()
            .SelectMany(call => ManifestReader.TextsOf(call.Body).Append(call.Path)).Concat(service.Address is { } address ? [address] : []),
        _ => [],
    };

    private static (RotationTarget? Target, bool Right) Target(RotationKind kind, JsonObject tree, string space, string path, ShapeReader reader) => kind switch
    {
        RotationKind.RedisUsers when tree["redis"] is { } redis => (new RedisTarget((string)redis["service"]!, (string?)redis["namespace"] ?? space, (int)(long)redis["port"]!, (bool)redis["tls"]!), true),
        RotationKind.IamAccessKeys => (new IamTarget((string)tree["iamUser"]!), true),
        RotationKind.AppRoleSecretId when tree["appRole"] is { } role => (new AppRoleTarget((string)role["role"]!, (string)role["mount"]!), true),
        RotationKind.VaultToken when tree["token"] is { } token => (new VaultTokenTarget((string?)token["role"], Duration(token["period"])), true),
        RotationKind.ServiceToken or RotationKind.ServicePassword => Api((JsonObject)tree["api"]!, kind, $"{path}.api", reader) is { } api ? (api, true) : (null, false),
        _ => (null, true),
    };

    private static ServiceTarget? Api(JsonObject tree, RotationKind kind, string path, ShapeReader reader)
    {
        string[] needed = kind == RotationKind.ServiceToken ? ["create", "revoke"] : ["set"];
        string[] foreign = kind == RotationKind.ServiceToken ? ["set"] : ["create", "view", "list", "revoke"];
        if (needed.FirstOrDefault(call => !tree.ContainsKey(call)) is { } missing)
            reader.Report($"{path}.{missing}", $"is missing: it says how that is done");
        else if (foreign.FirstOrDefault(tree.ContainsKey) is { } extra)
            reader.Report($"{path}.{extra}", "is not for this kind; remove it");
        else if (tree.Select(call => call.Key).FirstOrDefault(key => tree[key] is JsonObject call && Methods.Count(call.ContainsKey) != 1) is { } vague)
            reader.Report($"{path}.{vague}", "needs exactly one of get, post, put, patch, delete with a path");
        else if (tree["create"] is JsonObject create && (!create.ContainsKey("id") || (!create.ContainsKey("value") && tree["view"]?["value"] is null)))
            reader.Report($"{path}.create", "needs id and value: where they stand in the answer; the value can be that of view");
        else if (tree["list"] is JsonObject list && (!list.ContainsKey("id") || !list.ContainsKey("rotation")))
            reader.Report($"{path}.list", "needs id and rotation: where they stand in an item, so that what was made and got lost can be found");
        else
            return new(
                (string)tree["service"]!, Call(tree["create"]), Call(tree["view"]), Call(tree["list"]), Call(tree["set"]), Call(tree["test"])!, Call(tree["revoke"]), (string?)tree["address"]);
        return null;
    }

    private static ServiceCall? Call(JsonNode? tree) => tree is not JsonObject call ? null : Methods.First(call.ContainsKey) is var method
        ? new(method.ToUpperInvariant(), ((string)call[method]!).TrimStart('/'), call["body"]?.DeepClone() as JsonObject, (string?)call["id"], (string?)call["value"], (string?)call["items"], (string?)call["rotation"])
        : null;

    private static (string, Func<HealthGate, bool>) Gate<T>(string name) where T : HealthGate => (name, gate => gate is T);

    private static TimeSpan Duration(JsonNode? node) =>
        Units.TryParseDuration((string)node!, out var duration) ? duration : throw new InvalidOperationException($"'{node}' passed as a duration.");

    /// <param name="Target">The key that says what of the system is meant; null: none does.</param>
    /// <param name="Gate">The gate that says which server; null: none does.</param>
    private sealed record Rule(Username Username, string? Target, (string Name, Func<HealthGate, bool> Passes)? Gate = null);
}
