using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>Elasticsearch's API, for its cluster's health (an <c>ElasticsearchCluster</c> object, or green), its native users and their roles (which limit nobody here), its nodes, its indices and their snapshots. Users prove themselves with their password,
/// anybody with the token; until somebody changes its password, <c>elastic</c> has the token only.</summary>
internal sealed class ElasticsearchPlayer : IExternalService, IPasswordUsers
{
    private readonly DeclaredObjects objects;
    private readonly SearchIndices indices;
    private readonly SearchSnapshots snapshots;
    private readonly SearchNodes nodes;
    private readonly Lock gate = new();
    private readonly Dictionary<string, JsonObject> users = new()
    {
        ["elastic"] = new() { ["username"] = "elastic", ["roles"] = new JsonArray("superuser"), ["full_name"] = null, ["email"] = null, ["enabled"] = true, ["metadata"] = new JsonObject { ["_reserved"] = true } },
    };

    private readonly Dictionary<string, string> passwords = [];
    private readonly Dictionary<string, JsonNode> roles = [];

    /// <param name="storage">Where its snapshots lie.</param>
    public ElasticsearchPlayer(DeclaredObjects objects, SearchStorage storage)
    {
        (this.objects, indices, nodes) = (objects, new(storage), new(objects));
        snapshots = new(indices, storage, TimeProvider.System);
    }

    public ExternalAnswer? Refuse(ExternalCall call, string token)
    {
        lock (gate)
        {
            var known = call.Password is { } password
                && (password == token || (call.User is { } user && passwords.GetValueOrDefault(user) == password && (bool?)users.GetValueOrDefault(user)?["enabled"] == true));
            return known ? null : Error(401, "security_exception", $"unable to authenticate user [{call.User}] for REST request [/{string.Join('/', call.Path)}]");
        }
    }

    public bool Knows(string user)
    {
        lock (gate)
            return passwords.ContainsKey(user);
    }

    public string? Asked(ExternalCall call) => call.Path is ["_security", "user", var user, ..] ? user : null;

    public void Give(string user, string password)
    {
        lock (gate)
        {
            passwords[user] = password;
            users.TryAdd(user, new() { ["username"] = user, ["roles"] = new JsonArray("superuser"), ["enabled"] = true, ["metadata"] = new JsonObject() });
        }
    }

    public ExternalAnswer? Answer(ExternalCall call)
    {
        lock (gate)
            return (call.Method, call.Path) switch
            {
                ("GET", ["_cluster", "health"]) => Health(),
                ("GET", ["_security", "_authenticate"]) => users.GetValueOrDefault(call.User ?? "")?.DeepClone() is JsonObject user ? user : new JsonObject { ["username"] = call.User },
                ("GET", ["_security", "user", var name]) => users.TryGetValue(name, out var found) ? new JsonObject { [name] = found.DeepClone() } : ExternalAnswer.Refusal(404, new JsonObject()),
                ("GET", ["_security", "role", var name]) => roles.TryGetValue(name, out var role) ? new JsonObject { [name] = role.DeepClone() } : ExternalAnswer.Refusal(404, new JsonObject()),
                ("PUT" or "POST", ["_security", "role", var name]) => PutRole(name, call.Body),
                ("PUT" or "POST", ["_security", "user", var name]) => Put(name, call.Body),
                ("PUT" or "POST", ["_security", "user", var name, "_password"]) => SetPassword(name, call.Body),
                ("PUT" or "POST", ["_security", "user", var name, "_enable"]) => Enable(name, true),
                ("PUT" or "POST", ["_security", "user", var name, "_disable"]) => Enable(name, false),
                _ => nodes.Answer(call) ?? snapshots.Answer(call) ?? indices.Answer(call),
            };
    }

    private JsonObject Health() => objects.Of("ElasticsearchCluster").DefaultIfEmpty(new JsonObject()).First().Over(new()
    {
        ["cluster_name"] = "elasticsearch",
        ["status"] = "green",
        ["timed_out"] = false,
        ["number_of_nodes"] = 3,
        ["active_shards"] = 10,
        ["unassigned_shards"] = 0,
    });

    private ExternalAnswer Put(string name, JsonNode? body)
    {
        if (IsReserved(name))
            return Error(400, "illegal_argument_exception", $"user [{name}] is reserved and only the password can be changed");
        var (created, password) = (!users.ContainsKey(name), (string?)body?["password"]);
        if (body?["roles"] is not JsonArray roles || (created && password is null))
            return Error(400, "action_request_validation_exception", body?["roles"] is null ? "Validation Failed: 1: roles are missing;" : "Validation Failed: 1: password must be specified unless you are updating an existing user;");
        if (password is { Length: < 6 })
            return Error(400, "action_request_validation_exception", "Validation Failed: 1: passwords must be at least [6] characters long;");
        users[name] = new()
        {
            ["username"] = name,
            ["roles"] = roles.DeepClone(),
            ["full_name"] = body["full_name"]?.DeepClone(),
            ["email"] = body["email"]?.DeepClone(),
            ["enabled"] = (bool?)body["enabled"] ?? true,
            ["metadata"] = body["metadata"]?.DeepClone() ?? new JsonObject(),
        };
        if (password is not null)
            passwords[name] = password;
        return new JsonObject { ["created"] = created };
    }

    private JsonObject PutRole(string name, JsonNode? body)
    {
        var created = !roles.ContainsKey(name);
        roles[name] = body?.DeepClone() ?? new JsonObject();
        return new() { ["role"] = new JsonObject { ["created"] = created } };
    }

    private ExternalAnswer SetPassword(string name, JsonNode? body)
    {
        if (!users.ContainsKey(name))
            return Error(404, "validation_exception", "user must exist in order to change password");
        if ((string?)body?["password"] is not { Length: >= 6 } password)
            return Error(400, "action_request_validation_exception", "Validation Failed: 1: passwords must be at least [6] characters long;");
        passwords[name] = password;
        return new JsonObject();
    }

    private ExternalAnswer Enable(string name, bool enabled)
    {
        if (!users.TryGetValue(name, out var user))
            return Error(404, "validation_exception", "user must exist in order to be enabled or disabled");
        user["enabled"] = enabled;
        return new JsonObject();
    }

    private bool IsReserved(string name) => (bool?)users.GetValueOrDefault(name)?["metadata"]?["_reserved"] == true;

    private static ExternalAnswer Error(int status, string type, string reason) => SearchAnswers.Error(status, type, reason);
}
