using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.Postgres;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>A database engine that makes users in the tests' PostgreSQL, by a user of its own there.</summary>
internal sealed class PostgresEngine : IAsyncDisposable
{
    public const string RootPassword = "first-password-of-vault";

    private readonly PostgresCluster cluster;
    private readonly VaultConnection vault;

    private PostgresEngine(PostgresCluster cluster, VaultConnection vault, string mount)
    {
        (this.cluster, this.vault, Mount) = (cluster, vault, mount);
        Databases = new(vault, mount);
    }

    public VaultDatabases Databases { get; }

    public string Mount { get; }

    public string RootUser { get; } = $"vault_{Guid.NewGuid():N}"[..18];

    public VaultLeases Leases => new(vault);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="vault">As somebody who may do everything.</param>
    /// <param name="mount">Where an engine is mounted.</param>
    /// <param name="allowed">The roles that may use the database, which is called <c>platform</c>.</param>
    public static async Task<PostgresEngine> StartAsync(PostgresCluster cluster, VaultConnection vault, string mount, params string[] allowed)
    {
        await cluster.StartAsync();
        var engine = new PostgresEngine(cluster, vault, mount);
        await cluster.SqlAsync($"CREATE ROLE {engine.RootUser} LOGIN SUPERUSER PASSWORD '{RootPassword}'");
        await engine.Databases.WriteAsync(
            "platform", new("postgresql-database-plugin", $"postgresql://{{{{username}}}}:{{{{password}}}}@{cluster.Address}/postgres?sslmode=require", engine.RootUser, allowed), new(RootPassword), Ct);
        return engine;
    }

    /// <summary>A role whose users live so long.</summary>
    /// <param name="with">What else the users may, such as <c>SUPERUSER</c>.</param>
    public Task RoleAsync(string name, TimeSpan life, TimeSpan longest, string with = "") => Databases.WriteDynamicRoleAsync(
        name, new("platform", [$"CREATE ROLE \"{{{{name}}}}\" LOGIN {with} PASSWORD '{{{{password}}}}' VALID UNTIL '{{{{expiration}}}}';"], life, longest), Ct);

    public Task<IReadOnlyList<string>> LeasesOfAsync(string role, CancellationToken? ct = null) => Leases.ListAsync($"{Mount}/creds/{role}", ct ?? Ct);

    /// <summary>The users go before the one that removes them.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var role in await Databases.DynamicRolesAsync(CancellationToken.None))
        {
            foreach (var lease in await LeasesOfAsync(role, CancellationToken.None))
                await Leases.RevokeAsync(lease, CancellationToken.None);
        }

        await Databases.DeleteAsync("platform", CancellationToken.None);
        await cluster.SqlAsync($"DROP ROLE {RootUser}");
    }
}
