using Npgsql;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Postgres;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>The database engine, with the users that it makes in a real PostgreSQL. A real Vault has to reach this machine's loopback.</summary>
[Collection(nameof(PostgresCluster))]
public class DatabaseTests(PostgresCluster cluster)
{
    private static readonly string[] Create = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dynamic_user_logs_in_until_its_lease_is_revoked_and_renewing_lengthens_it()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);
        var leases = new VaultLeases(vault.Root);

        var login = await orders.Databases.NewLoginAsync("readers", Ct);
        Assert.True(await orders.LetsInAsync(login));
        Assert.Equal((TimeSpan.FromHours(1), true), (login.Lease!.Ttl, login.Lease.Renewable));
        Assert.InRange((await leases.RenewAsync(login.Lease.Id, TimeSpan.FromMinutes(90), Ct)).Ttl, TimeSpan.FromMinutes(89), TimeSpan.FromMinutes(90));
        Assert.InRange((await leases.LookUpAsync(login.Lease.Id, Ct))!.Ttl, TimeSpan.FromMinutes(88), TimeSpan.FromMinutes(90));
        Assert.Equal([login.Lease.Id], await leases.ListAsync($"{orders.Mount}/creds/readers", Ct));

        await leases.RevokeAsync(login.Lease.Id, Ct);
        Assert.False(await orders.LetsInAsync(login));
        await leases.RevokeAsync(login.Lease.Id, Ct);
        Assert.Null(await leases.LookUpAsync(login.Lease.Id, Ct));
    }

    [Fact]
    public async Task A_user_goes_with_the_token_that_asked_for_it()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);
        var connection = await vault.WithPolicyAsync($"path \"{orders.Mount}/creds/*\" {{ capabilities = [\"read\"] }}");
        var login = await new VaultDatabases(connection, orders.Mount).NewLoginAsync("readers", Ct);
        Assert.True(await orders.LetsInAsync(login));

        await new VaultTokens(connection).RevokeSelfAsync(Ct);

        // A server may take leases back after it has answered.
        await Wait.UntilAsync(async () => !await orders.LetsInAsync(login), () => "It can still log in.");
    }

    [Fact]
    public async Task A_static_user_gets_a_new_password_at_once_when_asked()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);
        await orders.Databases.WriteStaticRoleAsync("app", new("orders", orders.StaticUser, TimeSpan.FromDays(1)), Ct);
        var first = await orders.Databases.StaticLoginAsync("app", Ct);
        Assert.Equal(orders.StaticUser, first.Username);
        Assert.True(await orders.LetsInAsync(first));

        await orders.Databases.RotateAsync("app", Ct);
        var second = await orders.Databases.StaticLoginAsync("app", Ct);
        Assert.False(await orders.LetsInAsync(first));
        Assert.True(await orders.LetsInAsync(second));
        Assert.Equal(TimeSpan.FromDays(1), (await orders.Databases.ReadStaticRoleAsync("app", Ct))!.Period);
    }

    [Fact]
    public async Task A_rotated_root_login_is_used_from_then_on()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);

        await orders.Databases.RotateRootAsync("orders", Ct);

        Assert.False(await orders.LetsInAsync(new(orders.RootUser, new(Orders.RootPassword), null, default)));
        Assert.True(await orders.LetsInAsync(await orders.Databases.NewLoginAsync("readers", Ct)));
    }

    [Fact]
    public async Task A_role_that_the_database_does_not_allow_gets_nothing()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);
        await orders.Databases.WriteDynamicRoleAsync("writers", new("orders", Create, TimeSpan.FromHours(1), TimeSpan.FromHours(2)), Ct);
        Assert.Contains("not an allowed role", (await Assert.ThrowsAsync<VaultException>(() => orders.Databases.NewLoginAsync("writers", Ct))).Message, StringComparison.Ordinal);
    }

    private async Task<Orders> OrdersAsync(TestVault vault)
    {
        await cluster.StartAsync();
        var orders = new Orders(cluster, vault.Root, new(vault.Root, await vault.MountAsync("database")), $"{vault.Name}-database", vault.Name[5..17]);
        await cluster.SqlAsync($"CREATE ROLE {orders.RootUser} LOGIN SUPERUSER PASSWORD '{Orders.RootPassword}'");
        await cluster.SqlAsync($"CREATE ROLE {orders.StaticUser} LOGIN");
        await orders.Databases.WriteAsync(
            "orders", new("postgresql-database-plugin", $"postgresql://{{{{username}}}}:{{{{password}}}}@{cluster.Address}/postgres?sslmode=require", orders.RootUser, ["readers", "app"]), new(Orders.RootPassword), Ct);
        await orders.Databases.WriteDynamicRoleAsync("readers", new("orders", Create, TimeSpan.FromHours(1), TimeSpan.FromHours(2)), Ct);
        return orders;
    }

    /// <summary>A database engine, and the users that it starts with.</summary>
    private sealed class Orders(PostgresCluster cluster, VaultConnection vault, VaultDatabases databases, string mount, string suffix) : IAsyncDisposable
    {
        public const string RootPassword = "first-password-of-vault";

        public VaultDatabases Databases => databases;

        public string Mount => mount;

        public string RootUser => $"vault_{suffix}";

        public string StaticUser => $"orders_{suffix}";

        public async Task<bool> LetsInAsync(VaultDatabaseLogin login)
        {
            try
            {
                await using var connection = new NpgsqlConnection(
                    $"Host=localhost;Port={cluster.Address.Split(':')[1]};Username={login.Username};Password={login.Password.Reveal()};Database=postgres;SSL Mode=VerifyFull;Root Certificate={cluster.Authority};Pooling=false");
                await connection.OpenAsync(Ct);
                return true;
            }
            catch (PostgresException refused) when (refused.SqlState is "28P01" or "28000")
            {
                return false;
            }
        }

        /// <summary>The leases end before the user goes by which they are taken back.</summary>
        public async ValueTask DisposeAsync()
        {
            foreach (var lease in await new VaultLeases(vault).ListAsync($"{mount}/creds/readers", CancellationToken.None))
                await new VaultLeases(vault).RevokeAsync(lease, CancellationToken.None);
            await databases.DeleteAsync("orders", CancellationToken.None);
            await cluster.SqlAsync($"DROP ROLE {StaticUser}");
            await cluster.SqlAsync($"DROP ROLE {RootUser}");
        }
    }
}
