using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Starter.Connection;
using Temporalio.Runtime;

namespace PlatformOps.Integration.Tests.Vault;

public class TokenRenewalTests
{
    private const string Login = "auth/approle/login", Renewal = "auth/token/renew-self";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_renewed_before_half_of_its_life_is_over_and_replaced_at_its_longest()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var tokens = new VaultTokens(vault.Connect(await vault.AppRoleAsync()));
        var first = (await tokens.LookUpSelfAsync(Ct)).Accessor;

        vault.Clock.Advance(TimeSpan.FromMinutes(13));
        Assert.Equal(first, (await tokens.LookUpSelfAsync(Ct)).Accessor);
        Assert.Equal((1, 0), (vault.CallsOf(Login), vault.CallsOf(Renewal)));

        vault.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(first, (await tokens.LookUpSelfAsync(Ct)).Accessor);
        Assert.Equal((1, 1), (vault.CallsOf(Login), vault.CallsOf(Renewal)));

        for (var minutes = 0; minutes < 150; minutes += 10)
        {
            vault.Clock.Advance(TimeSpan.FromMinutes(10));
            Assert.True((await tokens.LookUpSelfAsync(Ct)).Ttl > TimeSpan.FromMinutes(5));
        }

        Assert.Equal(2, vault.CallsOf(Login));
    }

    [Fact]
    public async Task A_token_outlives_a_Vault_that_is_down_for_a_third_of_its_life()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var source = await vault.AppRoleAsync();
        var connection = vault.Connect(source);
        var first = (await source.TokenAsync(connection, Ct)).Reveal();

        // It begins just before the renewal is due.
        vault.Clock.Advance(TimeSpan.FromMinutes(13));
        vault.Server.State = SandboxVaultState.Sealed;
        vault.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(first, (await source.TokenAsync(connection, Ct)).Reveal());
        vault.Clock.Advance(TimeSpan.FromMinutes(8));
        Assert.Equal(first, (await source.TokenAsync(connection, Ct)).Reveal());
        vault.Server.State = SandboxVaultState.Active;
        vault.Clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(first, (await source.TokenAsync(connection, Ct)).Reveal());
        Assert.Equal(1, vault.CallsOf(Renewal));
        vault.Clock.Advance(TimeSpan.FromMinutes(29));
        Assert.Equal(first, (await source.TokenAsync(connection, Ct)).Reveal());
    }

    [Fact]
    public async Task A_token_that_was_revoked_is_replaced_after_the_call_that_found_out()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var source = await vault.AppRoleAsync();
        var tokens = new VaultTokens(vault.Connect(source));
        await tokens.RevokeSelfAsync(Ct);

        var failure = await Assert.ThrowsAsync<VaultException>(() => tokens.LookUpSelfAsync(Ct));
        Assert.Equal((AdapterFailureKind.Unauthorized, VaultTrouble.InvalidToken), (failure.Kind, failure.Trouble));
        Assert.NotNull(await tokens.LookUpSelfAsync(Ct));
        Assert.Equal(2, vault.CallsOf(Login));
    }

    [Fact]
    public async Task A_call_that_a_policy_forbids_does_not_cost_a_login()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var connection = vault.Connect(await vault.AppRoleAsync());
        for (var attempt = 0; attempt < 3; attempt++)
            await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(connection).MountsAsync(Ct));
        Assert.Equal(1, vault.CallsOf(Login));
    }

    [Fact]
    public async Task A_token_is_kept_alive_while_nobody_calls()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var source = await vault.AppRoleAsync();
        var connection = vault.Connect(source);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var keeping = source.KeepAliveAsync(connection, stop.Token);

        await Wait.UntilAsync(() => vault.CallsOf(Login) == 1, () => "There was no login.");
        for (var renewals = 1; renewals <= 2; renewals++)
        {
            // To two fifths of its life, then in steps: whether the wait had begun before the clock moved cannot be seen from here.
            vault.Clock.Advance(TimeSpan.FromMinutes(12));
            await Wait.UntilAsync(() => vault.CallsOf(Renewal) == renewals || Moved(vault), () => "It was not renewed.");
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => keeping);
        Assert.Equal(1, vault.CallsOf(Login));

        static bool Moved(StandIn vault)
        {
            vault.Clock.Advance(TimeSpan.FromSeconds(6));
            return false;
        }
    }

    [Fact]
    public async Task What_keeps_a_token_from_being_renewed_is_told_while_it_is_still_good_and_so_is_its_end()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Clock);
        var source = await vault.AppRoleAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var (log, clock) = (new KeptLines(), vault.Clock);
        var reports = new LeaseReports(TemporalRuntime.Default.MetricMeter, log, clock, again: TimeSpan.FromMinutes(1));
        LeaseState? last = null;
        var keeping = source.KeepAliveAsync(vault.Connect(source), stop.Token, state =>
        {
            reports.Hear(new("us-east-1", "token", "orders", state));
            Volatile.Write(ref last, state);
        });
        await Wait.UntilAsync(() => Volatile.Read(ref last) is { Trouble: null, Ends: not null }, () => "There was no login.");

        vault.Server.State = SandboxVaultState.Sealed;
        await Wait.UntilAsync(() => Volatile.Read(ref last) is { Trouble: not null } || Moved(), () => "Nothing was told.");
        Assert.InRange(last!.Ends!.Value - clock.GetUtcNow(), TimeSpan.Zero, last.Life);
        // Once, however often it is tried within a minute.
        Assert.StartsWith("Vault's token by role orders in us-east-1 could not be renewed or replaced, it is good until ", Assert.Single(log.Lines), StringComparison.Ordinal);

        vault.Server.State = SandboxVaultState.Active;
        await Wait.UntilAsync(() => Volatile.Read(ref last) is { Trouble: null } || Moved(), () => "It was not renewed.");
        Assert.Equal("Vault's token by role orders in us-east-1 is renewed again.", log.Lines.Last());
        Assert.DoesNotContain(log.Lines, line => line.Contains(vault.Server.RootToken, StringComparison.Ordinal));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => keeping);

        bool Moved()
        {
            clock.Advance(TimeSpan.FromSeconds(6));
            return false;
        }
    }

    [Fact]
    public async Task A_service_account_logs_in_where_its_role_allows_it()
    {
        await using var vault = await StandIn.StartAsync(new()
        {
            ReviewToken = (jwt, _) => Task.FromResult(jwt switch
            {
                "token of orders" => new SandboxServiceAccount("temporal-product", "orders"),
                "token of another" => new SandboxServiceAccount("temporal-product", "another"),
                _ => null,
            }),
        }, OnlyTheStandIn.Hook);
        await new VaultSystem(vault.Root).EnableLoginMethodAsync("kubernetes", "kubernetes", Ct);
        var roles = new VaultKubernetesRoles(vault.Root);
        await roles.ConfigureAsync(new("https://127.0.0.1:6443"), null, Ct);
        await roles.WriteAsync("orders", new(["orders"], ["temporal-*"], new(["default"], TimeSpan.FromHours(1), TimeSpan.FromHours(2))), Ct);

        Assert.Contains("default", (await LogInAsync("token of orders")).Policies);
        Assert.Equal(AdapterFailureKind.Forbidden, (await Assert.ThrowsAsync<VaultException>(() => LogInAsync("token of another"))).Kind);
        Assert.Equal(AdapterFailureKind.Forbidden, (await Assert.ThrowsAsync<VaultException>(() => LogInAsync("token of nobody"))).Kind);

        Task<VaultLogin> LogInAsync(string jwt) => VaultLogins.Kubernetes("orders", _ => Task.FromResult(new SecretText(jwt)))(vault.Root, Ct);
    }

    private sealed class KeptLines : ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));
    }
}
