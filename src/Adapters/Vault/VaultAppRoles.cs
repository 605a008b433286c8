using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>What tokens a login with a role gives.</summary>
public sealed record VaultTokenTerms(IReadOnlyList<string> Policies, TimeSpan Ttl, TimeSpan MaxTtl)
{
    internal JsonObject Body => new() { ["token_policies"] = VaultJson.Array(Policies), ["token_ttl"] = VaultJson.Duration(Ttl), ["token_max_ttl"] = VaultJson.Duration(MaxTtl) };

    internal static VaultTokenTerms Read(JsonObject role) => new(role.Words("token_policies"), role.Seconds("token_ttl"), role.Seconds("token_max_ttl"));
}

/// <summary>A secret id.</summary>
/// <param name="Accessor">Names it without being it.</param>
/// <param name="Ttl">Zero: for ever.</param>
public sealed record VaultSecretId(SecretText Value, string Accessor, TimeSpan Ttl);

/// <summary>What Vault knows of a secret id.</summary>
/// <param name="Notes">Of whoever made it; not secret.</param>
public sealed record VaultSecretIdInfo(string Accessor, IReadOnlyDictionary<string, string> Notes, DateTimeOffset? CreatedAt = null);

/// <summary>The login method AppRole: its roles and their ids.</summary>
public sealed class VaultAppRoles(VaultConnection connection, string mount = "approle")
{
    public async Task<IReadOnlyList<string>> RolesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At(), $"list the roles of {mount}"), ct)).Keys;

    /// <param name="secretIdTtl">How long new secret ids live; zero: for ever.</param>
    public Task WriteAsync(string name, VaultTokenTerms terms, TimeSpan secretIdTtl, CancellationToken ct)
    {
        var body = terms.Body;
        body["secret_id_ttl"] = VaultJson.Duration(secretIdTtl);
        return connection.SendAsync(VaultCall.Write(At(name), $"write role {name} of {mount}", body), ct);
    }

    /// <returns>Null when there is none of that name.</returns>
    public async Task<VaultTokenTerms?> ReadAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At(name), $"read role {name} of {mount}"), ct);
        return answer.Missing ? null : VaultTokenTerms.Read(answer.Data);
    }

    public Task DeleteAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At(name), $"delete role {name} of {mount}"), ct);

    public async Task<string> RoleIdAsync(string name, CancellationToken ct) =>
        (await connection.RequireAsync(VaultCall.Read(At(name) + "/role-id", $"read the role id of {name}"), ct)).Data.Text("role_id");

    /// <param name="metadata">Notes that the audit and the accessor's lookup show; not secret.</param>
    public async Task<VaultSecretId> NewSecretIdAsync(string name, CancellationToken ct, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var body = new JsonObject();
        if (metadata is not null)
            body["metadata"] = new JsonObject(metadata.Select(note => KeyValuePair.Create(note.Key, (JsonNode?)note.Value))).ToJsonString();
        var data = (await connection.RequireAsync(VaultCall.Write(At(name) + "/secret-id", $"make a secret id for {name}", body), ct)).Data;
        return new(data.Secret("secret_id"), data.Text("secret_id_accessor"), data.Seconds("secret_id_ttl"));
    }

    /// <returns>The accessors of all that are good.</returns>
    public async Task<IReadOnlyList<string>> SecretIdsAsync(string name, CancellationToken ct) =>
        (await connection.SendAsync(VaultCall.List(At(name) + "/secret-id", $"list the secret ids of {name}"), ct)).Keys;

    /// <summary>What a secret id is called, and the notes that were made with it.</summary>
    /// <returns>Null: it is not good, or not any more.</returns>
    public Task<VaultSecretIdInfo?> LookUpAsync(string name, SecretText secretId, CancellationToken ct) =>
        LookUpAsync(name, "secret-id", new() { ["secret_id"] = secretId.Reveal() }, ct);

    /// <inheritdoc cref="LookUpAsync(string, SecretText, CancellationToken)"/>
    public async Task<VaultSecretIdInfo?> LookUpAccessorAsync(string name, string accessor, CancellationToken ct)
    {
        try
        {
            return await LookUpAsync(name, "secret-id-accessor", new() { ["secret_id_accessor"] = accessor }, ct);
        }
        catch (VaultException failure) when (IsGone(failure))
        {
            return null;
        }
    }

    /// <summary>Logs in with a secret id, and gives the token back at once: a proof that it is accepted.</summary>
    /// <exception cref="VaultException">It is not.</exception>
    public async Task ProveAsync(string name, SecretText secretId, CancellationToken ct)
    {
        var login = await VaultLogins.AppRole(await RoleIdAsync(name, ct), _ => Task.FromResult(secretId), mount)(connection, ct);
        await connection.SendAsync(VaultCall.Write("auth/token/revoke-self", "revoke the token of a login that was tried") with { Token = login.Token }, ct);
    }

    /// <summary>Ends a secret id. One that is gone is no failure.</summary>
    public async Task DestroySecretIdAsync(string name, string accessor, CancellationToken ct)
    {
        try
        {
            await connection.SendAsync(
                VaultCall.Write(At(name) + "/secret-id-accessor/destroy", $"destroy a secret id of {name}", new() { ["secret_id_accessor"] = accessor }), ct);
        }
        catch (VaultException failure) when (IsGone(failure))
        {
            // As wanted.
        }
    }

    private async Task<VaultSecretIdInfo?> LookUpAsync(string name, string by, JsonObject what, CancellationToken ct)
    {
        var data = (await connection.SendAsync(VaultCall.Write($"{At(name)}/{by}/lookup", $"look up a secret id of {name}", what), ct)).Data;
        return data.Text("secret_id_accessor") is { Length: > 0 } accessor
            ? new(accessor, (data["metadata"] as JsonObject ?? []).ToDictionary(note => note.Key, note => note.Value?.ToString() ?? ""), data.Moment("creation_time"))
            : null;
    }

    private static bool IsGone(VaultException failure) =>
        failure.StatusCode is 403 or 404 or 500 && failure.Errors.Any(error => error.Contains("failed to find accessor", StringComparison.Ordinal));

    private string At(string? name = null) => $"auth/{VaultJson.Path(mount)}/role{(name is null ? "" : "/" + VaultJson.Path(name))}";
}
