using Npgsql;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Postgres;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>The database engine, with the users that it makes in a real PostgreSQL. A real Vault has to reach this machine's loopback.</summary>
[Collection(nameof(PostgresCluster))]
public class DatabaseTests(PostgresCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dynamic_user_logs_in_until_its_lease_is_revoked_and_renewing_lengthens_it()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);
        var leases = new VaultLeases(vault.Root);

        var login = await orders.Databases.NewLoginAsync("readers", Ct);
        Assert.True(await LetsInAsync(login));
        Assert.Equal((TimeSpan.FromHours(1), true), (login.Lease!.Ttl, login.Lease.Renewable));
        Assert.InRange((await leases.RenewAsync(login.Lease.Id, TimeSpan.FromMinutes(90), Ct)).Ttl, TimeSpan.FromMinutes(89), TimeSpan.FromMinutes(90));
        Assert.InRange((await leases.LookUpAsync(login.Lease.Id, Ct))!.Ttl, TimeSpan.FromMinutes(88), TimeSpan.FromMinutes(90));
        Assert.Equal([login.Lease.Id], await orders.LeasesOfAsync("readers"));

        await leases.RevokeAsync(login.Lease.Id, Ct);
        Assert.False(await LetsInAsync(login));
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
        Assert.True(await LetsInAsync(login));

        await new VaultTokens(connection).RevokeSelfAsync(Ct);

        // A server may take leases back after it has answered.
        await Wait.UntilAsync(async () => !await LetsInAsync(login), () => "It can still log in.");
    }

    [Fact]
    public async Task A_static_user_gets_a_new_password_at_once_when_asked()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);
        var user = $"app_of_{orders.RootUser}";
        await cluster.SqlAsync($"CREATE ROLE {user} LOGIN");
        await orders.Databases.WriteStaticRoleAsync("app", new("platform", user, TimeSpan.FromDays(1)), Ct);
        var first = await orders.Databases.StaticLoginAsync("app", Ct);
        Assert.Equal(user, first.Username);
        Assert.True(await LetsInAsync(first));

        await orders.Databases.RotateAsync("app", Ct);
        var second = await orders.Databases.StaticLoginAsync("app", Ct);
        Assert.False(await LetsInAsync(first));
        Assert.True(await LetsInAsync(second));
        Assert.Equal(TimeSpan.FromDays(1), (await orders.Databases.ReadStaticRoleAsync("app", Ct))!.Period);
        await cluster.SqlAsync($"DROP ROLE {user}");
    }

    [Fact]
    public async Task A_rotated_root_login_is_used_from_then_on()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);

        await orders.Databases.RotateRootAsync("platform", Ct);

        Assert.False(await LetsInAsync(new(orders.RootUser, new(PostgresEngine.RootPassword), null, default)));
        Assert.True(await LetsInAsync(await orders.Databases.NewLoginAsync("readers", Ct)));
    }

    [Fact]
    public async Task A_role_that_the_database_does_not_allow_gets_nothing()
    {
        await using var vault = await TestVault.StartAsync();
        await using var orders = await OrdersAsync(vault);
        await orders.RoleAsync("writers", TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        Assert.Contains("not an allowed role", (await Assert.ThrowsAsync<VaultException>(() => orders.Databases.NewLoginAsync("writers", Ct))).Message, StringComparison.Ordinal);
    }

    private async Task<PostgresEngine> OrdersAsync(TestVault vault)
    {
        var orders = await PostgresEngine.StartAsync(cluster, vault.Root, await vault.MountAsync("database"), "readers", "app");
        await orders.RoleAsync("readers", TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        return orders;
    }

    private async Task<bool> LetsInAsync(VaultDatabaseLogin login)
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
}
