using PlatformOps.Adapters;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Vault;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Our login for the PostgreSQL of a region, made by its Vault and kept alive until this is disposed.</summary>
internal sealed class DatabaseLogin : IDisposable
{
    private readonly RegionVault vault;
    private readonly LeasedLogin leased;
    private readonly CancellationTokenSource ended = new();

    private DatabaseLogin(RegionVault vault, LeasedLogin leased, Action<LeaseState>? tell)
    {
        (this.vault, this.leased) = (vault, leased);
        _ = leased.KeepAliveAsync(ended.Token, tell);
    }

    /// <param name="open">The server by a login.</param>
    /// <exception cref="AdapterException">The connections do not say how Vault is reached, or state another login too.</exception>
    public static DatabaseLogin Open(PlatformConnections connections, string region, Func<PostgresServer.Login, PostgresServer> open)
    {
        var (access, setting) = (connections.Regions[region].Postgresql!, $"regions.{region}.postgresql");
        if (access.User is not null || access.PasswordFile is not null)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{setting} states vaultRole and a user or passwordFile in the connections file: remove one of both.");
        if (connections.Regions[region].Vault?.Address is not { } address)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{setting} states vaultRole, and regions.{region}.vault no address: state where that Vault answers in the connections file.");
        var vault = RegionVault.Open(connections, region, new(address), "database login").KeptAlive();
        return new(vault, new(vault.Connection, access.VaultMount ?? "database", access.VaultRole!, async (login, ct) =>
        {
            using var server = open(new(login.Username, login.Password));
            await server.LogInAsync(ct);
        }), connections.OnLease is { } hears ? state => hears(new(region, "login", access.VaultRole!, state)) : null);
    }

    public async Task<PostgresServer.Login> LoginAsync(CancellationToken ct)
    {
        var login = await leased.LoginAsync(ct);
        return new(login.Username, login.Password) { Refused = () => leased.Doubt(login) };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ended.Cancel();
        ended.Dispose();
        leased.Dispose();
        vault.Dispose();
    }
}
