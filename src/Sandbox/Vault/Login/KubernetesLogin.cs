using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Login;

/// <summary>Login with the token of a Kubernetes service account. Whose it is, says a review.</summary>
internal sealed class KubernetesLogin(MountStorage storage, TokenStore tokens, Func<string, CancellationToken, Task<SandboxServiceAccount?>>? review) : IEngine
{
    private static readonly Dictionary<string, JsonNode?> Configuration = new()
    {
        ["kubernetes_host"] = null,
        ["kubernetes_ca_cert"] = "",
        ["token_reviewer_jwt"] = "",
        ["disable_local_ca_jwt"] = false,
        ["issuer"] = "",
        ["pem_keys"] = new JsonArray(),
    };

    private static readonly Dictionary<string, JsonNode?> Known = new(TokenFields.Known)
    {
        ["bound_service_account_names"] = new JsonArray(),
        ["bound_service_account_namespaces"] = new JsonArray(),
        ["audience"] = "",
        ["alias_name_source"] = "serviceaccount_uid",
    };

    public bool IsOpen(string path) => path == "login";

    public bool? Exists(VaultRequest request) => request.Parts is ["role", var name] ? storage.Has($"role/{name}") : null;

    public Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct) => (request.Operation, request.Parts) switch
    {
        (VaultOperation.Update, ["login"]) => LoginAsync(request, ct),
        (VaultOperation.Update, ["config"]) => Done(Configure(request.Fields)),
        (VaultOperation.Read, ["config"]) => Done(ShowConfiguration()),
        (VaultOperation.List, ["role"]) => Done(EngineAnswer.Keys(storage.Names("role/"))),
        (VaultOperation.Update, ["role", var name]) => Done(Write(name, request.Fields)),
        (VaultOperation.Read, ["role", var name]) => Done(new(storage.Get($"role/{name}") ?? throw VaultFailure.Missing())),
        (VaultOperation.Delete, ["role", var name]) => Done(Delete(name)),
        _ => throw VaultFailure.UnsupportedPath(),
    };

    private static Task<EngineAnswer> Done(EngineAnswer answer) => Task.FromResult(answer);

    private EngineAnswer Configure(JsonObject sent)
    {
        var merged = VaultFields.Merged(storage.Get("config"), sent, Configuration);
        merged.Required("kubernetes_host");
        storage.Put("config", merged);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer ShowConfiguration()
    {
        var config = storage.Get("config") ?? throw VaultFailure.Missing();
        config["token_reviewer_jwt_set"] = config.String("token_reviewer_jwt") is { Length: > 0 };
        config.Remove("token_reviewer_jwt");
        return new(config);
    }

    private EngineAnswer Write(string name, JsonObject sent)
    {
        var role = VaultFields.Merged(storage.Get($"role/{name}"), sent, Known);
        TokenFields.Normalize(role);
        foreach (var bound in (string[])["bound_service_account_names", "bound_service_account_namespaces"])
        {
            role[bound] = VaultFields.Array(role.Words(bound) ?? []);
            if (role.Words(bound) is not { Count: > 0 })
                throw VaultFailure.Rejected($"\"{bound}\" can not be empty");
        }

        storage.Put($"role/{name}", role);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Delete(string name)
    {
        storage.Remove($"role/{name}");
        return EngineAnswer.Nothing;
    }

    private async Task<EngineAnswer> LoginAsync(VaultRequest request, CancellationToken ct)
    {
        if (request.Fields.String("role") is not { Length: > 0 } name)
            throw VaultFailure.Rejected("missing role");
        if (request.Fields.String("jwt") is not { Length: > 0 } jwt)
            throw VaultFailure.Rejected("missing jwt");
        var role = storage.Get($"role/{name}") ?? throw VaultFailure.Rejected($"invalid role name \"{name}\"");
        if (!storage.Has("config"))
            throw new VaultFailure(500, "could not load backend configuration");
        var account = review is null ? null : await review(jwt, ct);
        if (account is null)
            throw VaultFailure.Denied();
        if (!Allows(role, "bound_service_account_namespaces", account.Namespace))
            throw new VaultFailure(403, "namespace not authorized");
        if (!Allows(role, "bound_service_account_names", account.Name))
            throw new VaultFailure(403, "service account name not authorized");
        var metadata = new JsonObject { ["role"] = name, ["service_account_name"] = account.Name, ["service_account_namespace"] = account.Namespace };
        return new() { Auth = tokens.Auth(tokens.Create(TokenFields.Token(role, $"{request.Mount}login", $"kubernetes-{account.Namespace}-{account.Name}", metadata))) };
    }

    private static bool Allows(JsonObject role, string field, string name) => role.Words(field)!.Any(allowed =>
        allowed == "*" || allowed == name || (allowed.EndsWith('*') && name.StartsWith(allowed[..^1], StringComparison.Ordinal)));
}
