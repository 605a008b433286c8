using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Elasticsearch;

/// <summary>Native users of an Elasticsearch cluster, by its security API.</summary>
/// <param name="api">By somebody who may manage users.</param>
/// <param name="others">The same cluster by another login; at one node where an address is given, else where it is always asked.</param>
public sealed class ElasticsearchUsers(JsonApi api, Func<Uri?, string, SecretText, JsonApi> others) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => api.Dispose();

    /// <summary>Whether it is accepted. A user that is not there or disabled is not tried: refused logins are counted by others.</summary>
    public Task<CredentialStanding> TryAsync(string login, SecretText password, CancellationToken ct) =>
        StandingAsync(async () => await MayTryAsync(login, ct) == false ? CredentialStanding.Refused : await ShowAsync(null, login, password, ct));

    /// <summary>Whether one node accepts it, by itself: each has its own cache of users. Only for what the cluster accepts.</summary>
    public Task<CredentialStanding> TryAtAsync(Uri node, string login, SecretText password, CancellationToken ct) => StandingAsync(() => ShowAsync(node, login, password, ct));

    /// <summary>Has the cluster accept a user with this password. One that is not there yet gets what <paramref name="like"/> may.</summary>
    public async Task SetAsync(string login, SecretText password, string like, CancellationToken ct)
    {
        if (await FindAsync(login, ct) is { } there && (bool?)there["metadata"]?["_reserved"] == true)
        {
            await api.SendAsync(HttpMethod.Put, $"{At(login)}/_password", $"set the password of {login}", new JsonObject { ["password"] = password.Reveal() }, ct);
            await api.SendAsync(HttpMethod.Put, $"{At(login)}/_enable", $"enable {login}", null, ct);
            return;
        }

        var model = await FindAsync(like, ct) ?? throw new AdapterException(AdapterFailureKind.Missing, $"Elasticsearch has no user {like}, whose roles {login} would have. Create it, then retry.");
        var user = new JsonObject { ["password"] = password.Reveal(), ["roles"] = model["roles"]?.DeepClone() ?? new JsonArray(), ["enabled"] = true, ["metadata"] = new JsonObject { ["platformops_like"] = like } };
        foreach (var field in (string[])["full_name", "email"])
            if (model[field] is { } value)
                user[field] = value.DeepClone();
        await api.SendAsync(HttpMethod.Put, At(login), $"set the user {login}", user, ct);
    }

    /// <summary>Has the cluster refuse a user. It stays, so that its roles are known for the next turn.</summary>
    public Task RevokeAsync(string login, CancellationToken ct) => api.SendAsync(HttpMethod.Put, $"{At(login)}/_disable", $"disable {login}", null, ct);

    private async Task<CredentialStanding> ShowAsync(Uri? node, string login, SecretText password, CancellationToken ct)
    {
        using var tried = others(node, login, password);
        var who = await tried.GetAsync("_security/_authenticate", "authenticate", ct);
        return (string?)who?["username"] == login ? CredentialStanding.Accepted : CredentialStanding.Unknown;
    }

    private static async Task<CredentialStanding> StandingAsync(Func<Task<CredentialStanding>> ask)
    {
        try
        {
            return await ask();
        }
        catch (AdapterException refused) when (refused.Kind == AdapterFailureKind.Unauthorized)
        {
            return CredentialStanding.Refused;
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return CredentialStanding.Unknown;
        }
    }

    /// <summary>Null: we may not look.</summary>
    private async Task<bool?> MayTryAsync(string login, CancellationToken ct)
    {
        try
        {
            return (bool?)(await FindAsync(login, ct))?["enabled"] == true;
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden)
        {
            return null;
        }
    }

    private async Task<JsonObject?> FindAsync(string login, CancellationToken ct) => (await api.GetAsync(At(login), $"read the user {login}", ct))?[login] as JsonObject;

    private static string At(string login) => $"_security/user/{Uri.EscapeDataString(login)}";
}
