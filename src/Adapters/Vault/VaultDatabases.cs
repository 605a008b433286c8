using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>A database that Vault makes users in.</summary>
/// <param name="Address">With <c>{{username}}</c> and <c>{{password}}</c> in it.</param>
/// <param name="Username">Whom Vault logs in as.</param>
/// <param name="AllowedRoles">Which roles may use it; <c>*</c>: all.</param>
public sealed record VaultDatabase(string Plugin, string Address, string Username, IReadOnlyList<string> AllowedRoles);

/// <summary>Users that live as long as their lease.</summary>
/// <param name="Creation">Statements with <c>{{name}}</c>, <c>{{password}}</c> and <c>{{expiration}}</c> in them.</param>
public sealed record VaultDynamicRole(
    string Database, IReadOnlyList<string> Creation, TimeSpan Ttl, TimeSpan MaxTtl, IReadOnlyList<string>? Revocation = null, IReadOnlyList<string>? Renewal = null);

/// <summary>A user that exists, and whose password Vault changes.</summary>
public sealed record VaultStaticRole(string Database, string Username, TimeSpan Period, IReadOnlyList<string>? Rotation = null);

/// <summary>A login for a database.</summary>
/// <param name="Lease">Null for static users.</param>
public sealed record VaultDatabaseLogin(string Username, SecretText Password, VaultLease? Lease, TimeSpan Ttl);

/// <summary>A database engine.</summary>
public sealed class VaultDatabases(VaultConnection connection, string mount = "database")
{
    public async Task<IReadOnlyList<string>> DatabasesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At("config", ""), $"list the databases of {mount}"), ct)).Keys;

    /// <returns>Null when there is none of that name.</returns>
    public async Task<VaultDatabase?> ReadAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At("config", name), $"read database {name} of {mount}"), ct);
        var details = answer.Data["connection_details"] as JsonObject ?? [];
        return answer.Missing ? null : new(answer.Data.Text("plugin_name"), details.Text("connection_url"), details.Text("username"), answer.Data.Words("allowed_roles"));
    }

    /// <param name="password">Of the user that Vault logs in as; null leaves it as Vault has it.</param>
    /// <param name="verify">Whether Vault tries to log in first.</param>
    public Task WriteAsync(string name, VaultDatabase database, SecretText? password, CancellationToken ct, bool verify = true)
    {
        var body = new JsonObject
        {
            ["plugin_name"] = database.Plugin,
            ["connection_url"] = database.Address,
            ["username"] = database.Username,
            ["allowed_roles"] = VaultJson.Array(database.AllowedRoles),
            ["verify_connection"] = verify,
        };
        if (password is not null)
            body["password"] = password.Reveal();
        return connection.SendAsync(VaultCall.Write(At("config", name), $"write database {name} of {mount}", body), ct);
    }

    public Task DeleteAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At("config", name), $"delete database {name} of {mount}"), ct);

    /// <summary>Changes the password of the user that Vault logs in as. From then on only Vault knows it.</summary>
    public Task RotateRootAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Write(At("rotate-root", name), $"rotate the root login of database {name} of {mount}"), ct);

    public async Task<IReadOnlyList<string>> DynamicRolesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At("roles", ""), $"list the roles of {mount}"), ct)).Keys;

    /// <returns>Null when there is none of that name.</returns>
    public async Task<VaultDynamicRole?> ReadDynamicRoleAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At("roles", name), $"read role {name} of {mount}"), ct);
        var role = answer.Data;
        return answer.Missing ? null : new(
            role.Text("db_name"), role.Words("creation_statements"), role.Seconds("default_ttl"), role.Seconds("max_ttl"), role.Words("revocation_statements"), role.Words("renew_statements"));
    }

    public Task WriteDynamicRoleAsync(string name, VaultDynamicRole role, CancellationToken ct) => connection.SendAsync(
        VaultCall.Write(At("roles", name), $"write role {name} of {mount}", new()
        {
            ["db_name"] = role.Database,
            ["creation_statements"] = VaultJson.Array(role.Creation),
            ["revocation_statements"] = VaultJson.Array(role.Revocation ?? []),
            ["renew_statements"] = VaultJson.Array(role.Renewal ?? []),
            ["default_ttl"] = VaultJson.Duration(role.Ttl),
            ["max_ttl"] = VaultJson.Duration(role.MaxTtl),
        }),
        ct);

    public Task DeleteDynamicRoleAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At("roles", name), $"delete role {name} of {mount}"), ct);

    /// <summary>Makes a user. It lives as long as its lease.</summary>
    public async Task<VaultDatabaseLogin> NewLoginAsync(string role, CancellationToken ct)
    {
        var body = (await connection.RequireAsync(VaultCall.Read(At("creds", role), $"make a login with role {role} of {mount}"), ct)).Body;
        var (data, ttl) = (body["data"]!.AsObject(), body.Seconds("lease_duration"));
        return new(data.Text("username"), data.Secret("password"), new(body.Text("lease_id"), ttl, body.Flag("renewable")), ttl);
    }

    public async Task<IReadOnlyList<string>> StaticRolesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At("static-roles", ""), $"list the static roles of {mount}"), ct)).Keys;

    /// <returns>Null when there is none of that name.</returns>
    public async Task<VaultStaticRole?> ReadStaticRoleAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At("static-roles", name), $"read static role {name} of {mount}"), ct);
        return answer.Missing ? null : new(answer.Data.Text("db_name"), answer.Data.Text("username"), answer.Data.Seconds("rotation_period"), answer.Data.Words("rotation_statements"));
    }

    /// <summary>A new one is rotated at once: the password that was known is not good any longer.</summary>
    public Task WriteStaticRoleAsync(string name, VaultStaticRole role, CancellationToken ct) => connection.SendAsync(
        VaultCall.Write(At("static-roles", name), $"write static role {name} of {mount}", new()
        {
            ["db_name"] = role.Database,
            ["username"] = role.Username,
            ["rotation_period"] = VaultJson.Duration(role.Period),
            ["rotation_statements"] = VaultJson.Array(role.Rotation ?? []),
        }),
        ct);

    public Task DeleteStaticRoleAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At("static-roles", name), $"delete static role {name} of {mount}"), ct);

    public async Task<VaultDatabaseLogin> StaticLoginAsync(string role, CancellationToken ct)
    {
        var data = (await connection.RequireAsync(VaultCall.Read(At("static-creds", role), $"read the login of static role {role} of {mount}"), ct)).Data;
        return new(data.Text("username"), data.Secret("password"), null, data.Seconds("ttl"));
    }

    public Task RotateAsync(string staticRole, CancellationToken ct) => connection.SendAsync(VaultCall.Write(At("rotate-role", staticRole), $"rotate static role {staticRole} of {mount}"), ct);

    private string At(string what, string name) => name.Length == 0 ? $"{VaultJson.Path(mount)}/{what}" : $"{VaultJson.Path(mount)}/{what}/{VaultJson.Path(name)}";
}
