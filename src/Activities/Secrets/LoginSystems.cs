using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Adapters.External;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Redis;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>Asks servers one by one.</summary>
internal static class Servers
{
    /// <param name="stated">Where the connections say that it is asked; none: each pod is.</param>
    /// <param name="ask">What is said at an address; of a stated one, what is said there always.</param>
    public static async Task<IReadOnlyList<ServerAnswer>> AskAsync(IReadOnlyList<string> stated, IReadOnlyList<(string Pod, string? Address)> pods, Func<string, Task<CredentialStanding>> ask)
    {
        var answers = new List<ServerAnswer>();
        foreach (var (name, address) in stated.Count > 0 ? stated.Select(address => (address, (string?)address)) : pods)
            answers.Add(new(name, address is null ? CredentialStanding.Unknown : await ask(address)));
        return answers;
    }

    /// <summary>As it stands in an address: with brackets where it is of IPv6.</summary>
    public static string At(string address, int port) => $"{(address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address)}:{port}";
}

/// <summary>Two users of PostgreSQL that take turns.</summary>
/// <param name="port">At which each pod answers; null: the connections state where it is asked.</param>
internal sealed class PostgresqlUserSystem(PostgresServer server, int? port) : ICredentialSystem
{
    private readonly PostgresLogins logins = new(server);

    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => logins.TryAsync(credential.Login ?? "", credential.Value, ct);

    public string NextLogin(KeptCredential current) => AlternatingLogins.Other(current.Login ?? "");

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        logins.SetAsync(credential.Login ?? "", credential.Value, AlternatingLogins.First(credential.Login ?? ""), ct);

    // The same login with another password: the old one ended when the new one was set.
    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        credential.Login == current.Login ? Task.CompletedTask : logins.RevokeAsync(credential.Login ?? "", ct);

    public Task<IReadOnlyList<ServerAnswer>> AskServersAsync(KeptCredential credential, IReadOnlyList<(string Pod, string? Address)> pods, CancellationToken ct) => port is { } own
        ? Servers.AskAsync([], pods, address => logins.TryAtAsync(address, own, credential.Login ?? "", credential.Value, ct))
        : Servers.AskAsync([server.Address], pods, _ => TryAsync(credential, ct));

    public async Task<OldSessions?> SessionsAsync(string login, CancellationToken ct) => await logins.SessionsAsync(login, ct);

    public void Dispose() => server.Dispose();
}

/// <summary>Two native users of Elasticsearch that take turns.</summary>
/// <param name="service">Where it is asked.</param>
/// <param name="stated">Whether the connections state that; otherwise each pod answers at the same port.</param>
internal sealed class ElasticsearchUserSystem(ElasticsearchUsers users, Uri service, bool stated) : ICredentialSystem
{
    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => users.TryAsync(credential.Login ?? "", credential.Value, ct);

    public string NextLogin(KeptCredential current) => AlternatingLogins.Other(current.Login ?? "");

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        users.SetAsync(credential.Login ?? "", credential.Value, AlternatingLogins.First(credential.Login ?? ""), ct);

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        credential.Login == current.Login ? Task.CompletedTask : users.RevokeAsync(credential.Login ?? "", ct);

    public Task<IReadOnlyList<ServerAnswer>> AskServersAsync(KeptCredential credential, IReadOnlyList<(string Pod, string? Address)> pods, CancellationToken ct) => stated
        ? Servers.AskAsync([service.Host], pods, _ => TryAsync(credential, ct))
        : Servers.AskAsync([], pods, address => users.TryAtAsync(new($"{service.Scheme}://{Servers.At(address, service.Port)}"), credential.Login ?? "", credential.Value, ct));

    public void Dispose() => users.Dispose();
}

/// <summary>A user of Redis with two passwords while both are needed.</summary>
/// <param name="stated">Where the connections state that it is asked; none: each pod is.</param>
/// <param name="port">At which each pod answers.</param>
internal sealed class RedisUserSystem(RedisUsers users, IReadOnlyList<string> stated, int port) : ICredentialSystem
{
    public Task<IReadOnlyList<ServerAnswer>> AskServersAsync(KeptCredential credential, IReadOnlyList<(string Pod, string? Address)> pods, CancellationToken ct) =>
        Servers.AskAsync(stated, pods, address => users.TryAtAsync(stated.Count > 0 ? address : Servers.At(address, port), credential.Login, credential.Value, ct));

    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => users.TryAsync(credential.Login, credential.Value, ct);

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => users.AddAsync(credential.Login, credential.Value, current.Login, ct);

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => users.RemoveAsync(credential.Login, credential.Value, current.Value, ct);
}

/// <summary>A password at a service, one at a time.</summary>
internal sealed class ServicePasswordSystem(ServiceCredentials service) : ICredentialSystem
{
    public async Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => (await service.TryAsync(credential.Login, credential.Value, ct)).Standing;

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => service.SetAsync(credential.Login ?? "", credential.Value, ct);

    // There is one at a time: the other one ends when this one is set, which it need not be yet when a rotation is taken back.
    public async Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct)
    {
        if (await TryAsync(current, ct) == CredentialStanding.Refused)
            await SetAsync(current, current, ct);
    }

    public void Dispose() => service.Dispose();
}

/// <summary>A value that only its consumers know: there is nobody to ask.</summary>
internal sealed class NobodyToAsk : ICredentialSystem
{
    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => Task.FromResult(CredentialStanding.Accepted);

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => Task.CompletedTask;

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => Task.CompletedTask;
}
