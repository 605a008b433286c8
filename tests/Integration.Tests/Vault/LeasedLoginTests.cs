using PlatformOps.Adapters;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>Our own login at a real PostgreSQL, made by Vault's database engine, as time goes by.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class LeasedLoginTests(PostgresCluster cluster) : IAsyncLifetime
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(30), Longest = TimeSpan.FromMinutes(70);

    private StandIn vault = null!;
    private PostgresEngine engine = null!;
    private VaultConnection ours = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        vault = await StandIn.StartAsync(new() { Database = PostgresStatements.RunAsync }, OnlyTheStandIn.Clock);
        var system = new VaultSystem(vault.Root);
        await system.MountAsync("database", "database", Ct);
        await system.WritePolicyAsync("root-of-nothing", "path \"database/creds/ours\" { capabilities = [\"read\"] }\npath \"sys/leases/revoke\" { capabilities = [\"update\"] }", Ct);
        engine = await PostgresEngine.StartAsync(cluster, vault.Root, "database", "ours");
        await engine.RoleAsync("ours", Life, Longest);
        // Our token lives half an hour, and two hours at most: what it leased ends with it.
        ours = vault.Connect(await vault.AppRoleAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (engine is not null)
            await engine.DisposeAsync();
        if (vault is not null)
            await vault.DisposeAsync();
    }

    [Fact]
    public async Task The_database_accepts_it_at_every_moment_though_Vault_is_down_for_a_third_of_its_life_again_and_again()
    {
        using var leased = new LeasedLogin(ours, "database", "ours", ProveAsync);
        var (users, outages) = (new HashSet<string>(), 0);
        for (var minutes = 0; minutes < 360; minutes++)
        {
            // Ten minutes of every 23: in another part of the lease each time.
            if (minutes % 23 == 7)
            {
                vault.Server.Inject(new() { Kind = FaultKind.Cut });
                outages++;
            }
            else if (minutes % 23 == 17)
            {
                vault.Server.ClearFaults();
            }

            vault.Clock.Advance(TimeSpan.FromMinutes(1));
            var login = await leased.LoginAsync(Ct);
            // A real login every few minutes, and whenever Vault was away for long.
            if (users.Add(login.Username) || minutes % 5 == 0 || minutes % 23 == 16)
                await ProveAsync(login, Ct);
        }

        vault.Server.ClearFaults();
        // At most 70 minutes each, and not many more than that takes.
        Assert.InRange(users.Count, 6, 12);
        Assert.Equal(16, outages);
        // Those that were replaced have ended, or will by themselves.
        await Wait.UntilAsync(async () => (await engine.LeasesOfAsync("ours")).Count <= 2, () => "Old leases are left.");
    }

    [Fact]
    public async Task The_old_one_is_used_until_the_new_one_is_proved_and_one_that_is_not_is_given_back()
    {
        var refuse = false;
        using var leased = new LeasedLogin(ours, "database", "ours", (login, ct) => refuse
            ? throw new AdapterException(AdapterFailureKind.Unavailable, "PostgreSQL does not know it yet.")
            : ProveAsync(login, ct));
        var first = await leased.LoginAsync(Ct);
        vault.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(first.Username, (await leased.LoginAsync(Ct)).Username);
        vault.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(first.Username, (await leased.LoginAsync(Ct)).Username);

        // Renewed until minute 70 at most: what is left is too short to be renewed again.
        refuse = true;
        vault.Clock.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal(first.Username, (await leased.LoginAsync(Ct)).Username);
        Assert.Equal([first.Lease!.Id], await engine.LeasesOfAsync("ours"));
        await ProveAsync(first, Ct);

        refuse = false;
        vault.Clock.Advance(TimeSpan.FromMinutes(1));
        var second = await leased.LoginAsync(Ct);
        Assert.NotEqual(first.Username, second.Username);
        await ProveAsync(second, Ct);
        // Whoever works with the old one is not cut off.
        await ProveAsync(first, Ct);
    }

    [Fact]
    public async Task One_that_the_database_refuses_is_replaced_at_the_next_attempt()
    {
        using var leased = new LeasedLogin(ours, "database", "ours", ProveAsync);
        var first = await leased.LoginAsync(Ct);
        await engine.Leases.RevokeAsync(first.Lease!.Id, Ct);

        using (var server = Open(first, () => leased.Doubt(first)))
            Assert.Equal(AdapterFailureKind.Unauthorized, (await Assert.ThrowsAsync<AdapterException>(() => server.LogInAsync(Ct))).Kind);
        var second = await leased.LoginAsync(Ct);
        Assert.NotEqual(first.Username, second.Username);
        await ProveAsync(second, Ct);

        // A late word about the first one costs nothing.
        leased.Doubt(first);
        Assert.Equal(second.Username, (await leased.LoginAsync(Ct)).Username);
    }

    [Fact]
    public async Task It_is_kept_alive_while_nobody_asks()
    {
        using var leased = new LeasedLogin(ours, "database", "ours", ProveAsync);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var keeping = leased.KeepAliveAsync(stop.Token);
        await Wait.UntilAsync(() => vault.CallsOf("database/creds/ours") == 1, () => "There is no login.");

        await Wait.UntilAsync(() => vault.CallsOf("sys/leases/renew") >= 2 || Moved(), () => "It was not renewed.");

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => keeping);
        Assert.Equal(1, vault.CallsOf("database/creds/ours"));

        bool Moved()
        {
            vault.Clock.Advance(TimeSpan.FromSeconds(20));
            return false;
        }
    }

    private async Task ProveAsync(VaultDatabaseLogin login, CancellationToken ct)
    {
        using var server = Open(login);
        await server.LogInAsync(ct);
    }

    private PostgresServer Open(VaultDatabaseLogin login, Action? refused = null) =>
        PostgresServer.Open(new(CertificateAuthority: cluster.Authority), cluster.Address, tls: true, "here", new(login.Username, login.Password) { Refused = refused });
}
