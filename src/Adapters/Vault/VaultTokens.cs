using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>What a login gave.</summary>
/// <param name="Accessor">Names the token without being one.</param>
/// <param name="Ttl">How long it lives from now; zero: for ever.</param>
public sealed record VaultLogin(SecretText Token, string Accessor, TimeSpan Ttl, bool Renewable, IReadOnlyList<string> Policies);

/// <summary>What Vault knows of a token.</summary>
public sealed record VaultTokenInfo(string Accessor, string DisplayName, TimeSpan Ttl, bool Renewable, IReadOnlyList<string> Policies);

/// <summary>The connection's own token: look at it, renew it, give it back.</summary>
public sealed class VaultTokens(VaultConnection connection)
{
    /// <exception cref="VaultException">It is not accepted.</exception>
    public Task<VaultTokenInfo> LookUpSelfAsync(CancellationToken ct) => LookUpAsync(connection, null, ct);

    /// <param name="increment">How long it should live from now; Vault may give less.</param>
    public Task<VaultLogin> RenewSelfAsync(TimeSpan increment, CancellationToken ct) => RenewAsync(connection, null, increment, ct);

    /// <summary>Ends it, and everything that was leased with it.</summary>
    public Task RevokeSelfAsync(CancellationToken ct) => connection.SendAsync(VaultCall.Write("auth/token/revoke-self", "revoke our token"), ct);

    /// <summary>What the connection's token may do at each path, as policies name it; <c>deny</c> for nothing, <c>root</c> for everything.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> CapabilitiesAsync(IReadOnlyCollection<string> paths, CancellationToken ct)
    {
        var body = new JsonObject { ["paths"] = VaultJson.Array(paths) };
        var answer = await connection.SendAsync(VaultCall.Write("sys/capabilities-self", "list our capabilities", body), ct);
        return paths.ToDictionary(path => path, path => answer.Data.Words(path));
    }

    /// <summary>What Vault knows of another token.</summary>
    /// <returns>Null: it does not accept it.</returns>
    public async Task<VaultTokenInfo?> FindAsync(SecretText token, CancellationToken ct)
    {
        try
        {
            return await LookUpAsync(connection, token, ct);
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Forbidden or AdapterFailureKind.Unauthorized)
        {
            return null;
        }
    }

    /// <summary>Makes a token that does not end with the one that made it, and lives as long as it is renewed within its period.</summary>
    /// <param name="role">The token role by which it is made, which has to make orphans; null: an orphan, which needs <c>sudo</c> on <c>auth/token/create-orphan</c>.</param>
    /// <param name="policies">Null: those of the role.</param>
    /// <param name="notes">Shown when it is looked up; not secret.</param>
    public async Task<VaultLogin> NewAsync(string? role, IReadOnlyList<string>? policies, TimeSpan period, string displayName, IReadOnlyDictionary<string, string> notes, CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["period"] = VaultJson.Duration(period),
            ["renewable"] = true,
            ["display_name"] = displayName,
            ["meta"] = new JsonObject(notes.Select(note => KeyValuePair.Create(note.Key, (JsonNode?)note.Value))),
        };
        if (policies is not null)
            body["policies"] = VaultJson.Array(policies);
        var path = role is null ? "auth/token/create-orphan" : $"auth/token/create/{VaultJson.Path(role)}";
        return VaultJson.Login((await connection.RequireAsync(VaultCall.Write(path, "make a token", body), ct)).Auth ?? []);
    }

    /// <summary>The accessors of all tokens that are kept.</summary>
    public async Task<IReadOnlyList<string>> AccessorsAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List("auth/token/accessors/", "list the accessors of tokens"), ct)).Keys;

    /// <summary>When a token was made.</summary>
    /// <returns>Null: there is none of that accessor, or no longer.</returns>
    public async Task<DateTimeOffset?> MadeAtAsync(string accessor, CancellationToken ct)
    {
        try
        {
            var data = (await connection.RequireAsync(VaultCall.Write("auth/token/lookup-accessor", "look up a token", new() { ["accessor"] = accessor }), ct)).Data;
            return DateTimeOffset.FromUnixTimeSeconds((long?)data["creation_time"] ?? 0);
        }
        catch (VaultException failure) when (failure.Errors.Any(error => error.Contains("invalid accessor", StringComparison.Ordinal)))
        {
            return null;
        }
    }

    /// <summary>Ends a token, and everything that was leased with it. One that is gone is no failure.</summary>
    public async Task RevokeAsync(string accessor, CancellationToken ct)
    {
        try
        {
            await connection.SendAsync(VaultCall.Write("auth/token/revoke-accessor", "revoke a token", new() { ["accessor"] = accessor }), ct);
        }
        catch (VaultException failure) when (failure.Errors.Any(error => error.Contains("invalid accessor", StringComparison.Ordinal)))
        {
            // As wanted.
        }
    }

    internal static async Task<VaultTokenInfo> LookUpAsync(VaultConnection connection, SecretText? token, CancellationToken ct)
    {
        var data = (await connection.RequireAsync(VaultCall.Read("auth/token/lookup-self", "look up our token") with { Token = token }, ct)).Data;
        return new(data.Text("accessor"), data.Text("display_name"), data.Seconds("ttl"), (bool?)data["renewable"] == true, data.Words("policies"));
    }

    internal static async Task<VaultLogin> RenewAsync(VaultConnection connection, SecretText? token, TimeSpan increment, CancellationToken ct)
    {
        var body = new JsonObject { ["increment"] = $"{(long)increment.TotalSeconds}s" };
        return VaultJson.Login((await connection.SendAsync(VaultCall.Write("auth/token/renew-self", "renew our token", body) with { Token = token }, ct)).Auth!);
    }
}
