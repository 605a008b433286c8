using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Login;

/// <summary>Login of machines: a role id, and a secret id that can be limited and destroyed.</summary>
internal sealed class AppRole(MountStorage storage, TokenStore tokens, TimeProvider time) : IEngine
{
    private static readonly Dictionary<string, JsonNode?> Known = new(TokenFields.Known)
    {
        ["bind_secret_id"] = true,
        ["secret_id_num_uses"] = 0,
        ["secret_id_ttl"] = 0,
        ["secret_id_bound_cidrs"] = null,
        ["local_secret_ids"] = false,
    };

    public bool IsOpen(string path) => path == "login";

    public bool? Exists(VaultRequest request) => request.Parts is ["role", var name] ? storage.Has(Role(name)) : null;

    public async Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct) => (request.Operation, request.Parts) switch
    {
        (VaultOperation.Update, ["login"]) => await LoginAsync(request),
        (VaultOperation.List, ["role"]) => EngineAnswer.Keys(storage.Names("role/")),
        (VaultOperation.Update, ["role", var name]) => Write(name, request.Fields),
        (VaultOperation.Read, ["role", var name]) => new(Shown(Find(name) ?? throw VaultFailure.Missing())),
        (VaultOperation.Delete, ["role", var name]) => Delete(name),
        (VaultOperation.Read, ["role", var name, "role-id"]) => new(new JsonObject { ["role_id"] = Required(name).String("role_id") }),
        (VaultOperation.Update, ["role", var name, "role-id"]) => SetRoleId(name, request.Fields.Required("role_id")),
        (VaultOperation.Update, ["role", var name, "secret-id"]) => NewSecretId(name, request.Fields),
        (VaultOperation.List, ["role", var name, "secret-id"]) => EngineAnswer.Keys(SecretIds(name).Select(secret => secret.Stored.String("secret_id_accessor")!)),
        (VaultOperation.Update, ["role", var name, "secret-id", "lookup"]) => Look(name, BySecret(name, request.Fields)),
        (VaultOperation.Update, ["role", var name, "secret-id", "destroy"]) => Destroy(BySecret(name, request.Fields)),
        (VaultOperation.Update, ["role", var name, "secret-id-accessor", "lookup"]) => Look(name, ByAccessor(name, request.Fields)),
        (VaultOperation.Update, ["role", var name, "secret-id-accessor", "destroy"]) => Destroy(ByAccessor(name, request.Fields)),
        _ => throw VaultFailure.UnsupportedPath(),
    };

    private static string Role(string name) => $"role/{name}";

    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private JsonObject? Find(string name) => storage.Get(Role(name));

    private JsonObject Required(string name) => Find(name) ?? throw VaultFailure.Missing();

    private static JsonObject Shown(JsonObject role)
    {
        role.Remove("role_id");
        return role;
    }

    private EngineAnswer Write(string name, JsonObject sent)
    {
        var before = Find(name);
        var role = VaultFields.Merged(before, sent, Known);
        TokenFields.Normalize(role);
        role["secret_id_ttl"] = VaultFields.Seconds(role.Duration("secret_id_ttl") ?? default);
        role["role_id"] = sent.String("role_id") ?? before?.String("role_id") ?? Guid.NewGuid().ToString();
        storage.Put(Role(name), role);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Delete(string name)
    {
        storage.Remove(Role(name));
        storage.RemoveAll($"secret/{name}/");
        return EngineAnswer.Nothing;
    }

    private EngineAnswer SetRoleId(string name, string id)
    {
        var role = Required(name);
        role["role_id"] = id;
        storage.Put(Role(name), role);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer NewSecretId(string name, JsonObject fields)
    {
        var role = Required(name);
        var secret = Guid.NewGuid().ToString();
        var (now, ttl) = (time.GetUtcNow(), fields.Duration("ttl") ?? role.Duration("secret_id_ttl") ?? default);
        var uses = fields.Integer("num_uses") ?? role.Integer("secret_id_num_uses") ?? 0;
        var stored = new JsonObject
        {
            ["secret_id_accessor"] = Guid.NewGuid().ToString(),
            ["secret_id_num_uses"] = uses,
            ["secret_id_ttl"] = VaultFields.Seconds(ttl),
            ["creation_time"] = VaultFields.Time(now),
            ["last_updated_time"] = VaultFields.Time(now),
            ["expiration_time"] = ttl > TimeSpan.Zero ? VaultFields.Time(now + ttl) : "0001-01-01T00:00:00Z",
            ["metadata"] = fields.String("metadata") is { } metadata ? JsonNode.Parse(metadata) : new JsonObject(),
        };
        storage.Put($"secret/{name}/{Hash(secret)}", stored);
        return new(new JsonObject
        {
            ["secret_id"] = secret,
            ["secret_id_accessor"] = stored.String("secret_id_accessor"),
            ["secret_id_num_uses"] = uses,
            ["secret_id_ttl"] = VaultFields.Seconds(ttl),
        });
    }

    private Task<EngineAnswer> LoginAsync(VaultRequest request)
    {
        var id = request.Fields.String("role_id") is { Length: > 0 } given ? given : throw VaultFailure.Rejected("missing role_id");
        var name = storage.Names("role/").FirstOrDefault(role => Find(role)!.String("role_id") == id) ?? throw VaultFailure.Rejected("invalid role or secret ID");
        var role = Find(name)!;
        if (role.Flag("bind_secret_id", otherwise: true))
            UseSecretId(name, request.Fields);
        var token = tokens.Create(TokenFields.Token(role, $"{request.Mount}login", "approle", new JsonObject { ["role_name"] = name }));
        return Task.FromResult(new EngineAnswer { Auth = tokens.Auth(token) });
    }

    private void UseSecretId(string name, JsonObject fields)
    {
        if (fields.String("secret_id") is not { Length: > 0 } secret)
            throw VaultFailure.Rejected("missing secret_id");
        var path = $"secret/{name}/{Hash(secret)}";
        if (storage.Get(path) is not { } stored || IsOver(stored))
            throw VaultFailure.Rejected("invalid role or secret ID");
        var uses = stored.Integer("secret_id_num_uses") ?? 0;
        if (uses == 1)
            storage.Remove(path);
        if (uses <= 1)
            return;
        stored["secret_id_num_uses"] = uses - 1;
        storage.Put(path, stored);
    }

    private bool IsOver(JsonObject secret) => secret.Duration("secret_id_ttl") > TimeSpan.Zero && secret.Moment("expiration_time") <= time.GetUtcNow();

    private IEnumerable<(string Path, JsonObject Stored)> SecretIds(string role)
    {
        Required(role);
        return storage.Names($"secret/{role}/").Select(hash => ($"secret/{role}/{hash}", storage.Get($"secret/{role}/{hash}")!)).Where(secret => !IsOver(secret.Item2));
    }

    private (string Path, JsonObject Stored)? BySecret(string role, JsonObject fields)
    {
        var path = $"secret/{role}/{Hash(fields.Required("secret_id"))}";
        return SecretIds(role).Where(secret => secret.Path == path).Cast<(string, JsonObject)?>().FirstOrDefault();
    }

    private (string Path, JsonObject Stored)? ByAccessor(string role, JsonObject fields)
    {
        var accessor = fields.Required("secret_id_accessor");
        return SecretIds(role).Where(secret => secret.Stored.String("secret_id_accessor") == accessor).Cast<(string, JsonObject)?>().FirstOrDefault()
            ?? throw new VaultFailure(404, $"failed to find accessor entry for secret_id_accessor: \"{accessor}\"");
    }

    /// <summary>A secret id that is unknown is answered with nothing; that is how one asks whether it is still good.</summary>
    private static EngineAnswer Look(string role, (string Path, JsonObject Stored)? secret)
    {
        if (secret is null)
            return EngineAnswer.Nothing;
        secret.Value.Stored["role_name"] = role;
        return new(secret.Value.Stored);
    }

    private EngineAnswer Destroy((string Path, JsonObject Stored)? secret)
    {
        if (secret is { } found)
            storage.Remove(found.Path);
        return EngineAnswer.Nothing;
    }
}
