using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Sandbox.Vault;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>Users of the database engine as time goes by.</summary>
public class DatabaseClockTests
{
    private static readonly string[] Create = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dynamic_user_lives_as_long_as_its_lease_and_is_dropped_while_nobody_asks()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var databases = await OrdersAsync(vault);

        var login = await databases.NewLoginAsync("readers", Ct);
        Assert.Contains($"CREATE ROLE \"{login.Username}\" LOGIN PASSWORD '{login.Password.Reveal()}'", Last(vault), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromHours(1), login.Lease!.Ttl);
        vault.Clock.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal(TimeSpan.FromHours(1), (await new VaultLeases(vault.Root).RenewAsync(login.Lease.Id, TimeSpan.FromHours(1), Ct)).Ttl);
        vault.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.NotNull(await new VaultLeases(vault.Root).LookUpAsync(login.Lease.Id, Ct));
        Assert.Contains(login.Lease.Id, await new VaultLeases(vault.Root).ListAsync("", Ct));

        vault.Clock.Advance(TimeSpan.FromMinutes(2));
        await Wait.UntilAsync(() => Last(vault).Contains($"DROP ROLE IF EXISTS \"{login.Username}\"", StringComparison.Ordinal), () => "It was not dropped.");
        Assert.Null(await new VaultLeases(vault.Root).LookUpAsync(login.Lease.Id, Ct));
    }

    [Fact]
    public async Task A_lease_is_never_renewed_beyond_its_longest_life()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var login = await (await OrdersAsync(vault)).NewLoginAsync("readers", Ct);
        var leases = new VaultLeases(vault.Root);
        vault.Clock.Advance(TimeSpan.FromMinutes(50));
        await leases.RenewAsync(login.Lease!.Id, TimeSpan.FromHours(1), Ct);
        vault.Clock.Advance(TimeSpan.FromMinutes(50));

        Assert.Equal(TimeSpan.FromMinutes(20), (await leases.RenewAsync(login.Lease.Id, TimeSpan.FromHours(1), Ct)).Ttl);
    }

    [Fact]
    public async Task A_static_user_gets_a_new_password_when_its_period_is_over()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var databases = await OrdersAsync(vault);
        await databases.WriteStaticRoleAsync("app", new("orders", "orders_app", TimeSpan.FromDays(1)), Ct);
        var first = await databases.StaticLoginAsync("app", Ct);
        Assert.Equal("orders_app", first.Username);
        Assert.Contains(first.Password.Reveal(), Last(vault), StringComparison.Ordinal);

        await databases.RotateAsync("app", Ct);
        var second = await databases.StaticLoginAsync("app", Ct);
        Assert.NotEqual(first.Password, second.Password);
        vault.Clock.Advance(TimeSpan.FromHours(25));

        var third = await databases.StaticLoginAsync("app", Ct);
        Assert.NotEqual(second.Password, third.Password);
        Assert.Contains(third.Password.Reveal(), Last(vault), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromDays(1), (await databases.ReadStaticRoleAsync("app", Ct))!.Period);
    }

    [Fact]
    public async Task A_rotated_root_login_is_shown_to_nobody()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Faults);
        var databases = await OrdersAsync(vault);
        await databases.RotateRootAsync("orders", Ct);
        await databases.NewLoginAsync("readers", Ct);

        Assert.NotEqual("first password", vault.Server.Statements[^1].Password);
        Assert.DoesNotContain(vault.Server.Statements[^1].Password, (await databases.ReadAsync("orders", Ct))!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_is_there_after_a_restart_and_nothing_can_be_read_from_the_file()
    {
        var folder = Directory.CreateTempSubdirectory("vault");
        var file = Path.Combine(folder.FullName, "vault.db");
        try
        {
            string token, password;
            await using (var first = await StandIn.StartAsync(new() { DataFile = file }, OnlyTheStandIn.State))
            {
                var databases = await OrdersAsync(first);
                await databases.WriteStaticRoleAsync("app", new("orders", "orders_app", TimeSpan.FromDays(1)), Ct);
                (token, password) = (first.Server.RootToken, (await databases.StaticLoginAsync("app", Ct)).Password.Reveal());
                first.Server.State = SandboxVaultState.Sealed;
            }

            await using var second = await StandIn.StartAsync(new() { DataFile = file }, OnlyTheStandIn.State);
            Assert.Equal(SandboxVaultState.Sealed, second.Server.State);
            second.Server.State = SandboxVaultState.Active;
            Assert.Equal(token, second.Server.RootToken);
            Assert.Equal(password, (await new VaultDatabases(second.Root).StaticLoginAsync("app", Ct)).Password.Reveal());
            foreach (var written in folder.GetFiles("*.db*"))
            {
                await using var stream = new FileStream(written.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
                var text = await reader.ReadToEndAsync(Ct);
                Assert.DoesNotContain(token, text, StringComparison.Ordinal);
                Assert.DoesNotContain(password, text, StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Last(StandIn vault) => string.Join('\n', vault.Server.Statements[^1].Statements);

    private static async Task<VaultDatabases> OrdersAsync(StandIn vault)
    {
        await new VaultSystem(vault.Root).MountAsync("database", "database", Ct);
        var databases = new VaultDatabases(vault.Root);
        await databases.WriteAsync(
            "orders", new("postgresql-database-plugin", "postgresql://{{username}}:{{password}}@db:5432/orders", "vault", ["readers", "app"]), new("first password"), Ct);
        await databases.WriteDynamicRoleAsync("readers", new("orders", Create, TimeSpan.FromHours(1), TimeSpan.FromHours(2)), Ct);
        return databases;
    }
}
