using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.Database;

/// <summary>Users of databases: dynamic ones that live as long as their lease, and static ones whose password changes by the clock.</summary>
internal sealed class DatabaseEngine(MountStorage storage, TimeProvider time, Func<SandboxDatabaseCall, CancellationToken, Task> database) : IEngine
{
    /// <summary>Vault's own, where a role says nothing: 32 days.</summary>
    private static readonly TimeSpan DefaultTtl = TokenStore.SystemTtl;

    private static readonly Dictionary<string, JsonNode?> KnownConfig = new()
    {
        ["plugin_name"] = "",
        ["connection_url"] = "",
        ["username"] = "",
        ["password"] = "",
        ["allowed_roles"] = new JsonArray(),
        ["root_rotation_statements"] = new JsonArray(),
        ["password_policy"] = "",
        ["max_open_connections"] = 4,
        ["max_idle_connections"] = 0,
        ["max_connection_lifetime"] = "0s",
        ["username_template"] = "",
        ["password_authentication"] = "password",
    };

    private static readonly Dictionary<string, JsonNode?> KnownRole = new()
    {
        ["db_name"] = "",
        ["creation_statements"] = new JsonArray(),
        ["revocation_statements"] = new JsonArray(),
        ["renew_statements"] = new JsonArray(),
        ["rollback_statements"] = new JsonArray(),
        ["default_ttl"] = 0,
        ["max_ttl"] = 0,
        ["credential_type"] = "password",
    };

    private static readonly Dictionary<string, JsonNode?> KnownStatic = new()
    {
        ["db_name"] = "",
        ["username"] = "",
        ["rotation_period"] = 0,
        ["rotation_statements"] = new JsonArray(),
        ["credential_type"] = "password",
    };

    public bool? Exists(VaultRequest request) => request.Parts switch
    {
        ["config", var name] => storage.Has($"config/{name}"),
        ["roles", var name] => storage.Has($"role/{name}"),
        ["static-roles", var name] => storage.Has($"static/{name}"),
        _ => null,
    };

    public async Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct) => (request.Operation, request.Parts) switch
    {
        (VaultOperation.List, ["config"]) => EngineAnswer.Keys(storage.Names("config/")),
        (VaultOperation.Update, ["config", var name]) => await ConfigureAsync(name, request.Fields, ct),
        (VaultOperation.Read, ["config", var name]) => new(ShownConfig(storage.Get($"config/{name}") ?? throw VaultFailure.Missing())),
        (VaultOperation.Delete, ["config", var name]) => Delete($"config/{name}"),
        (VaultOperation.Update, ["reset", var name]) => Reset(name),
        (VaultOperation.Update, ["rotate-root", var name]) => await RotateRootAsync(name, ct),
        (VaultOperation.List, ["roles"]) => EngineAnswer.Keys(storage.Names("role/")),
        (VaultOperation.Update, ["roles", var name]) => WriteRole(name, request.Fields),
        (VaultOperation.Read, ["roles", var name]) => new(storage.Get($"role/{name}") ?? throw VaultFailure.Missing()),
        (VaultOperation.Delete, ["roles", var name]) => Delete($"role/{name}"),
        (VaultOperation.Read, ["creds", var name]) => await CreateUserAsync(name, request.Caller!, ct),
        (VaultOperation.List, ["static-roles"]) => EngineAnswer.Keys(storage.Names("static/")),
        (VaultOperation.Update, ["static-roles", var name]) => await WriteStaticAsync(name, request.Fields, ct),
        (VaultOperation.Read, ["static-roles", var name]) => new(ShownStatic(Static(name) ?? throw VaultFailure.Missing())),
        (VaultOperation.Delete, ["static-roles", var name]) => Delete($"static/{name}"),
        (VaultOperation.Read, ["static-creds", var name]) => StaticCredentials(name),
        (VaultOperation.Update, ["rotate-role", var name]) => await RotateRoleAsync(name, ct),
        _ => throw VaultFailure.UnsupportedPath(),
    };

    public async Task RevokeAsync(JsonObject remembered, CancellationToken ct)
    {
        var (username, role) = (remembered.String("username")!, storage.Get($"role/{remembered.String("role")}"));
        if (storage.Get($"config/{remembered.String("db_name")}") is not { } config)
            return;
        var statements = role?.Words("revocation_statements") is { Count: > 0 } own ? own : ["DROP ROLE IF EXISTS \"{{name}}\";"];
        await RunAsync(config, Filled(statements, username, "", time.GetUtcNow()), ct);
    }

    public async Task RenewAsync(JsonObject remembered, DateTimeOffset until, CancellationToken ct)
    {
        var username = remembered.String("username")!;
        if (storage.Get($"config/{remembered.String("db_name")}") is not { } config || storage.Get($"role/{remembered.String("role")}") is not { } role)
            throw VaultFailure.Rejected($"could not find role with name: {remembered.String("role")}");
        var statements = role.Words("renew_statements") is { Count: > 0 } own ? own : ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"];
        await RunAsync(config, Filled(statements, username, "", until), ct);
    }

    public async Task<DateTimeOffset?> TickAsync(CancellationToken ct)
    {
        DateTimeOffset? next = null;
        foreach (var name in storage.Names("static/").ToList())
        {
            var due = Due(Static(name)!);
            if (due <= time.GetUtcNow())
                due = await RotatedInTimeAsync(name, ct) ? Due(Static(name)!) : time.GetUtcNow() + TimeSpan.FromSeconds(10);
            next = next is null || due < next ? due : next;
        }

        return next;
    }

    private JsonObject? Static(string name) => storage.Get($"static/{name}");

    private static DateTimeOffset Due(JsonObject role) => role.Moment("last_vault_rotation")!.Value + role.Duration("rotation_period")!.Value;

    private async Task<bool> RotatedInTimeAsync(string name, CancellationToken ct)
    {
        try
        {
            await RotateAsync(name, Static(name)!, ct);
            return true;
        }
        catch (VaultFailure)
        {
            // As Vault: tried again after ten seconds.
            return false;
        }
    }

    private EngineAnswer Delete(string path)
    {
        storage.Remove(path);
        return EngineAnswer.Nothing;
    }

    private async Task<EngineAnswer> ConfigureAsync(string name, JsonObject sent, CancellationToken ct)
    {
        var config = VaultFields.Merged(storage.Get($"config/{name}"), sent, KnownConfig);
        if (config.String("plugin_name") is not { Length: > 0 } plugin)
            throw VaultFailure.Rejected("empty plugin name");
        if (plugin != "postgresql-database-plugin")
            throw VaultFailure.NotPlayed($"the database plugin {plugin}");
        config["allowed_roles"] = VaultFields.Array(config.Words("allowed_roles") ?? []);
        if (sent.Flag("verify_connection", otherwise: true))
            await RunAsync(config, [], ct, "error creating database object: error verifying connection");
        storage.Put($"config/{name}", config);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Reset(string name) => storage.Has($"config/{name}") ? EngineAnswer.Nothing : throw VaultFailure.Rejected($"failed to find entry for connection with name: \"{name}\"");

    private async Task<EngineAnswer> RotateRootAsync(string name, CancellationToken ct)
    {
        var config = Config(name);
        var (username, password) = (config.String("username")!, TokenStore.Random(20));
        if (username.Length == 0)
            throw VaultFailure.Rejected("unable to rotate root credentials: no username in configuration");
        var statements = config.Words("root_rotation_statements") is { Count: > 0 } own ? own : ["ALTER USER \"{{username}}\" WITH PASSWORD '{{password}}';"];
        await RunAsync(config, Filled(statements, username, password, time.GetUtcNow()), ct);
        config["password"] = password;
        config["last_rotated"] = VaultFields.Time(time.GetUtcNow());
        storage.Put($"config/{name}", config);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer WriteRole(string name, JsonObject sent)
    {
        var role = VaultFields.Merged(storage.Get($"role/{name}"), sent, KnownRole);
        if (role.String("db_name") is not { Length: > 0 })
            throw VaultFailure.Rejected("empty database name attribute");
        foreach (var list in KnownRole.Where(field => field.Value is JsonArray))
            role[list.Key] = Statements(role, list.Key);
        foreach (var ttl in (string[])["default_ttl", "max_ttl"])
            role[ttl] = VaultFields.Seconds(role.Duration(ttl) ?? default);
        if (role.Duration("max_ttl") is { } max && max > TimeSpan.Zero && role.Duration("default_ttl") > max)
            throw VaultFailure.Rejected("default_ttl exceeds max_ttl");
        storage.Put($"role/{name}", role);
        return EngineAnswer.Nothing;
    }

    /// <summary>Statements may hold commas: a single text is one statement.</summary>
    private static JsonArray Statements(JsonObject role, string name) => role[name] is JsonArray list ? (JsonArray)list.DeepClone() : VaultFields.Array([role.String(name)!]);

    private async Task<EngineAnswer> CreateUserAsync(string name, TokenEntry caller, CancellationToken ct)
    {
        var role = storage.Get($"role/{name}") ?? throw VaultFailure.Rejected($"unknown role: {name}");
        var config = Allowed(role.String("db_name")!, name);
        var ttl = role.Duration("default_ttl") is { } own && own > TimeSpan.Zero ? own : DefaultTtl;
        var max = role.Duration("max_ttl") is { } limit && limit > TimeSpan.Zero ? limit : DefaultTtl;
        var now = time.GetUtcNow();
        var username = $"v-{Cut(caller.Stored.String("display_name") ?? "token", 8)}-{Cut(name, 8)}-{TokenStore.Random(20)}-{now.ToUnixTimeSeconds()}";
        var password = TokenStore.Random(20);
        await RunAsync(config, Filled(role.Words("creation_statements")!, username, password, now + ttl), ct);
        return new(new JsonObject { ["username"] = username, ["password"] = password })
        {
            Lease = new(ttl < max ? ttl : max, max, new() { ["username"] = username, ["role"] = name, ["db_name"] = role.String("db_name") }),
        };
    }

    private async Task<EngineAnswer> WriteStaticAsync(string name, JsonObject sent, CancellationToken ct)
    {
        var before = Static(name);
        if (before is not null && sent.String("username") is { } other && other != before.String("username"))
            throw VaultFailure.Rejected("cannot update static account username");
        var role = VaultFields.Merged(before, sent, KnownStatic);
        if (role.String("username") is not { Length: > 0 })
            throw VaultFailure.Rejected("username is a required field to create a static account");
        role["rotation_period"] = VaultFields.Seconds(role.Duration("rotation_period") ?? default);
        if (role.Duration("rotation_period") < TimeSpan.FromSeconds(5))
            throw VaultFailure.Rejected("rotation_period must be 5 seconds or more");
        role["rotation_statements"] = Statements(role, "rotation_statements");
        Allowed(role.String("db_name")!, name);
        // A new static role is rotated at once: from then on only Vault knows the password.
        if (before is null)
            await RotateAsync(name, role, ct);
        else
            storage.Put($"static/{name}", role);
        return EngineAnswer.Nothing;
    }

    private async Task<EngineAnswer> RotateRoleAsync(string name, CancellationToken ct)
    {
        await RotateAsync(name, Static(name) ?? throw VaultFailure.Rejected($"no static role found for role name {name}"), ct);
        return EngineAnswer.Nothing;
    }

    private async Task RotateAsync(string name, JsonObject role, CancellationToken ct)
    {
        var (username, password) = (role.String("username")!, TokenStore.Random(20));
        var statements = role.Words("rotation_statements") is { Count: > 0 } own ? own : ["ALTER USER \"{{username}}\" WITH PASSWORD '{{password}}';"];
        await RunAsync(Allowed(role.String("db_name")!, name), Filled(statements, username, password, time.GetUtcNow()), ct);
        (role["password"], role["last_vault_rotation"]) = (password, VaultFields.Time(time.GetUtcNow()));
        storage.Put($"static/{name}", role);
    }

    private EngineAnswer StaticCredentials(string name)
    {
        var role = Static(name) ?? throw VaultFailure.Rejected($"unknown role: {name}");
        return new(new JsonObject
        {
            ["username"] = role.String("username"),
            ["password"] = role.String("password"),
            ["last_vault_rotation"] = role.String("last_vault_rotation"),
            ["rotation_period"] = role["rotation_period"]!.DeepClone(),
            ["ttl"] = VaultFields.Seconds(Due(role) - time.GetUtcNow()),
        });
    }

    private JsonObject Config(string name) => storage.Get($"config/{name}") ?? throw VaultFailure.Rejected($"failed to find entry for connection with name: \"{name}\"");

    private JsonObject Allowed(string database, string role)
    {
        var config = Config(database);
        var allowed = config.Words("allowed_roles")!.Any(pattern =>
            pattern == "*" || pattern == role || (pattern.EndsWith('*') && role.StartsWith(pattern[..^1], StringComparison.Ordinal)));
        return allowed ? config : throw VaultFailure.Rejected($"\"{role}\" is not an allowed role");
    }

    private async Task RunAsync(JsonObject config, IReadOnlyList<string> statements, CancellationToken ct, string failed = "failed to execute query")
    {
        var (username, password) = (config.String("username")!, config.String("password")!);
        var url = config.String("connection_url")!
            .Replace("{{username}}", Uri.EscapeDataString(username), StringComparison.Ordinal)
            .Replace("{{password}}", Uri.EscapeDataString(password), StringComparison.Ordinal);
        try
        {
            await database(new(url, username, password, statements), ct);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // Vault takes the password of its own connection out of such messages.
            throw VaultFailure.Rejected($"{failed}: {(password.Length > 0 ? failure.Message.Replace(password, "[password]", StringComparison.Ordinal) : failure.Message)}");
        }
    }

    private static List<string> Filled(IReadOnlyList<string> statements, string username, string password, DateTimeOffset until) => [.. statements.Select(statement => statement
        .Replace("{{name}}", username, StringComparison.Ordinal)
        .Replace("{{username}}", username, StringComparison.Ordinal)
        .Replace("{{password}}", password, StringComparison.Ordinal)
        .Replace("{{expiration}}", until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal))];

    private static JsonObject ShownConfig(JsonObject config)
    {
        var details = new JsonObject();
        foreach (var name in (string[])["connection_url", "username", "max_open_connections", "max_idle_connections", "max_connection_lifetime", "username_template", "password_authentication"])
            details[name] = config[name]?.DeepClone();
        return new()
        {
            ["allowed_roles"] = config["allowed_roles"]!.DeepClone(),
            ["connection_details"] = details,
            ["password_policy"] = config.String("password_policy"),
            ["plugin_name"] = config.String("plugin_name"),
            ["plugin_version"] = "",
            ["root_credentials_rotate_statements"] = config["root_rotation_statements"]!.DeepClone(),
        };
    }

    private static JsonObject ShownStatic(JsonObject role)
    {
        role.Remove("password");
        return role;
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];
}
