using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>What services answer that make and end credentials, each in the words of the real one: project tokens of GitLab, access tokens of Artifactory, tokens of Cloudflare and Authentik, API keys
/// of Datadog, tokens of service accounts and passwords of users of Grafana. A credential that was made is good for the service until it is ended.</summary>
internal sealed class IssuedCredentials
{
    private readonly Lock gate = new();
    private readonly List<Issued> all = [];
    private readonly List<Issued> ended = [];
    private readonly Dictionary<string, string> passwords = [];
    private int last = 100;

    /// <summary>The credential that a call shows, when the service made it and it is still good.</summary>
    public string? Shown(string service, IEnumerable<string> credentials)
    {
        lock (gate)
            return credentials.FirstOrDefault(shown => all.Exists(issued => issued.Service == service && issued.Value == shown));
    }

    /// <summary>Makes one as if somebody had made it before.</summary>
    public (string Id, string Value) Give(string service, string name)
    {
        lock (gate)
            return New(service, name) is var issued ? (issued.Id, issued.Value) : default;
    }

    /// <summary>Whether a credential is good.</summary>
    public bool IsGood(string service, string value) => Shown(service, [value]) is not null;

    /// <summary>Whether a credential was made here and is good no more.</summary>
    public bool HasEnded(string service, string value)
    {
        lock (gate)
            return ended.Exists(issued => issued.Service == service && issued.Value == value);
    }

    /// <summary>How many are good.</summary>
    public int Count(string service)
    {
        lock (gate)
            return all.Count(issued => issued.Service == service);
    }

    /// <summary>Sets the password of a user of Grafana.</summary>
    public void SetPassword(string user, string password)
    {
        lock (gate)
            passwords[user] = password;
    }

    /// <summary>Whether Grafana has a user with a password.</summary>
    public bool HasUser(string user)
    {
        lock (gate)
            return passwords.ContainsKey(user);
    }

    /// <summary>Whether a user of Grafana has this password.</summary>
    public bool HasPassword(string user, string password)
    {
        lock (gate)
            return passwords.GetValueOrDefault(user) == password;
    }

    /// <summary>Null: it is no call about credentials.</summary>
    /// <param name="shown">The credential that the call shows.</param>
    public ExternalAnswer? Answer(string service, ExternalCall call, string shown)
    {
        lock (gate)
            return (service, call.Method, call.Path) switch
            {
                ("gitlab", "POST", ["api", "v4", "projects", _, "access_tokens"]) => Made(service, call, ["name", "scopes", "expires_at"], 201, made => new JsonObject { ["id"] = int.Parse(made.Id, null), ["name"] = made.Name, ["token"] = made.Value }),
                ("gitlab", "GET", ["api", "v4", "projects", _, "access_tokens"]) => List(service, made => new() { ["id"] = int.Parse(made.Id, null), ["name"] = made.Name, ["revoked"] = false }),
                ("gitlab", "DELETE", ["api", "v4", "projects", _, "access_tokens", var id]) => Ended(service, id) ? Nothing : Missing("404 Could not find project access token with id"),
                ("gitlab", "GET", ["api", "v4", "personal_access_tokens", "self"]) => Own(service, shown, own => new() { ["id"] = int.Parse(own.Id, null), ["name"] = own.Name, ["active"] = true }),

                ("artifactory", "POST", ["access", "api", "v1", "tokens"]) => Made(service, call, ["scope", "description"], 200, made => new JsonObject { ["token_id"] = made.Id, ["access_token"] = made.Value, ["token_type"] = "Bearer" }),
                ("artifactory", "GET", ["access", "api", "v1", "tokens"]) => new JsonObject { ["tokens"] = Items(service, made => new() { ["token_id"] = made.Id, ["description"] = made.Name }) },
                ("artifactory", "GET", ["access", "api", "v1", "tokens", "me"]) => Own(service, shown, own => new() { ["token_id"] = own.Id, ["description"] = own.Name }),
                ("artifactory", "DELETE", ["access", "api", "v1", "tokens", var id]) => Ended(service, id) ? new ExternalAnswer(200, null, "") : Nothing,

                ("cloudflare", "POST", ["client", "v4", "user", "tokens"]) => Made(service, call, ["name", "policies"], 200, made => Result(new JsonObject { ["id"] = made.Id, ["name"] = made.Name, ["value"] = made.Value })),
                ("cloudflare", "GET", ["client", "v4", "user", "tokens"]) => Result(Items(service, made => new() { ["id"] = made.Id, ["name"] = made.Name, ["status"] = "active" })),
                ("cloudflare", "GET", ["client", "v4", "user", "tokens", "verify"]) => Own(service, shown, own => Result(new JsonObject { ["id"] = own.Id, ["status"] = "active" })),
                ("cloudflare", "DELETE", ["client", "v4", "user", "tokens", var id]) => Ended(service, id) ? Result(new JsonObject { ["id"] = id }) : Missing("Invalid API Token ID"),

                ("datadog", "POST", ["api", "v2", "api_keys"]) => Made(service, call, ["data"], 201, made => new JsonObject { ["data"] = new JsonObject { ["id"] = made.Id, ["type"] = "api_keys", ["attributes"] = new JsonObject { ["name"] = made.Name, ["key"] = made.Value } } }),
                ("datadog", "GET", ["api", "v2", "api_keys"]) => new JsonObject { ["data"] = Items(service, made => new() { ["id"] = made.Id, ["type"] = "api_keys", ["attributes"] = new JsonObject { ["name"] = made.Name, ["last4"] = made.Value[^4..] } }) },
                ("datadog", "DELETE", ["api", "v2", "api_keys", var id]) => Ended(service, id) ? Nothing : Missing("API key not found"),

                ("authentik", "POST", ["api", "v3", "core", "tokens"]) => Made(service, call, ["identifier", "intent"], 201, made => new JsonObject { ["pk"] = made.Id, ["identifier"] = made.Name, ["intent"] = "api" }),
                ("authentik", "GET", ["api", "v3", "core", "tokens"]) => new JsonObject { ["results"] = Items(service, made => new() { ["pk"] = made.Id, ["identifier"] = made.Name }) },
                ("authentik", "GET", ["api", "v3", "core", "tokens", var name, "view_key"]) => all.Find(issued => issued.Service == service && issued.Name == name) is { } found ? new JsonObject { ["key"] = found.Value } : Missing("Not found."),
                ("authentik", "GET", ["api", "v3", "core", "users", "me"]) => new JsonObject { ["user"] = new JsonObject { ["username"] = "automation" } },
                ("authentik", "DELETE", ["api", "v3", "core", "tokens", var name]) => Ended(issued => issued.Service == service && issued.Name == name) ? Nothing : Missing("Not found."),

                ("grafana", "POST", ["api", "serviceaccounts", _, "tokens"]) => Made(service, call, ["name"], 200, made => new JsonObject { ["id"] = int.Parse(made.Id, null), ["name"] = made.Name, ["key"] = made.Value }),
                ("grafana", "GET", ["api", "serviceaccounts", _, "tokens"]) => List(service, made => new() { ["id"] = int.Parse(made.Id, null), ["name"] = made.Name }),
                ("grafana", "DELETE", ["api", "serviceaccounts", _, "tokens", var id]) => Ended(service, id) ? new JsonObject { ["message"] = "Service account token deleted" } : Missing("Service account token not found"),
                ("grafana", "PUT", ["api", "admin", "users", _, "password"]) => PasswordSet(call),
                ("grafana", "GET", ["api", "user"]) => new JsonObject { ["login"] = "admin" },
                _ => null,
            };
    }

    private static ExternalAnswer Nothing => new(204, null, "");

    private static ExternalAnswer Missing(string message) => ExternalAnswer.Refusal(404, new JsonObject { ["message"] = message });

    private static JsonObject Result(JsonNode result) => new() { ["success"] = true, ["result"] = result, ["errors"] = new JsonArray() };

    private ExternalAnswer Made(string service, ExternalCall call, string[] needed, int status, Func<Issued, JsonObject> shown)
    {
        if (Array.Find(needed, field => call.Body?[field] is null) is { } missing)
            return ExternalAnswer.Refusal(400, new JsonObject { ["message"] = $"{missing} is missing" });
        var name = call.Body!["name"] ?? call.Body["identifier"] ?? call.Body["description"] ?? call.Body["data"]?["attributes"]?["name"];
        return new(status, shown(New(service, (string?)name ?? "")));
    }

    private Issued New(string service, string name)
    {
        var made = new Issued(service, $"{++last}", name, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20)));
        all.Add(made);
        return made;
    }

    private ExternalAnswer List(string service, Func<Issued, JsonObject> shown) => Items(service, shown);

    private JsonArray Items(string service, Func<Issued, JsonObject> shown) => new([.. all.Where(issued => issued.Service == service).Select(shown)]);

    private ExternalAnswer? Own(string service, string shown, Func<Issued, JsonObject> answer) =>
        all.Find(issued => issued.Service == service && issued.Value == shown) is { } own ? answer(own) : new JsonObject { ["id"] = 1, ["token_id"] = "1", ["name"] = "somebody's" };

    private bool Ended(string service, string id) => Ended(issued => issued.Service == service && issued.Id == id);

    private bool Ended(Predicate<Issued> which)
    {
        ended.AddRange(all.FindAll(which));
        return all.RemoveAll(which) > 0;
    }

    private ExternalAnswer PasswordSet(ExternalCall call)
    {
        if ((string?)call.Body?["password"] is not { Length: >= 4 } password)
            return ExternalAnswer.Refusal(400, new JsonObject { ["message"] = "New password is too short" });
        passwords["admin"] = password;
        return new JsonObject { ["message"] = "User password updated" };
    }

    private sealed record Issued(string Service, string Id, string Name, string Value);
}
