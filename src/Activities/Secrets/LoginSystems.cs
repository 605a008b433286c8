using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Adapters.External;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Redis;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>Two users of PostgreSQL that take turns.</summary>
internal sealed class PostgresqlUserSystem(PostgresServer server) : ICredentialSystem
{
    private readonly PostgresLogins logins = new(server);

    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => logins.TryAsync(credential.Login ?? "", credential.Value, ct);

    public string NextLogin(KeptCredential current) => AlternatingLogins.Other(current.Login ?? "");

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        logins.SetAsync(credential.Login ?? "", credential.Value, AlternatingLogins.First(credential.Login ?? ""), ct);

    // The same login with another password: the old one ended when the new one was set.
    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        credential.Login == current.Login ? Task.CompletedTask : logins.RevokeAsync(credential.Login ?? "", ct);

    public async Task<OldSessions?> SessionsAsync(string login, CancellationToken ct) => await logins.SessionsAsync(login, ct);

    public void Dispose() => server.Dispose();
}

/// <summary>Two native users of Elasticsearch that take turns.</summary>
internal sealed class ElasticsearchUserSystem(ElasticsearchUsers users) : ICredentialSystem
{
    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => users.TryAsync(credential.Login ?? "", credential.Value, ct);

    public string NextLogin(KeptCredential current) => AlternatingLogins.Other(current.Login ?? "");

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        users.SetAsync(credential.Login ?? "", credential.Value, AlternatingLogins.First(credential.Login ?? ""), ct);

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) =>
        credential.Login == current.Login ? Task.CompletedTask : users.RevokeAsync(credential.Login ?? "", ct);

    public void Dispose() => users.Dispose();
}

/// <summary>A user of Redis with two passwords while both are needed.</summary>
internal sealed class RedisUserSystem(RedisUsers users) : ICredentialSystem
{
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
