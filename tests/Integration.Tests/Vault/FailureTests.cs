using System.Text.Json;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Vault;

namespace PlatformOps.Integration.Tests.Vault;

public class FailureTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(403, AdapterFailureKind.Forbidden, VaultTrouble.Denied)]
    [InlineData(412, AdapterFailureKind.Throttled, VaultTrouble.Busy)]
    [InlineData(429, AdapterFailureKind.Throttled, VaultTrouble.Busy)]
    [InlineData(472, AdapterFailureKind.Unavailable, VaultTrouble.Standby)]
    [InlineData(473, AdapterFailureKind.Unavailable, VaultTrouble.Standby)]
    [InlineData(500, AdapterFailureKind.Unavailable, VaultTrouble.Internal)]
    [InlineData(501, AdapterFailureKind.Unavailable, VaultTrouble.NotInitialized)]
    [InlineData(503, AdapterFailureKind.Unavailable, VaultTrouble.Sealed)]
    [InlineData(504, AdapterFailureKind.Unavailable, VaultTrouble.Internal)]
    public async Task Each_status_means_one_thing(int status, AdapterFailureKind kind, VaultTrouble trouble)
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Faults);
        vault.Server.Inject(new Fault { Kind = FaultKind.Error, StatusCode = status, RetryAfterSeconds = status == 429 ? 7 : null });

        var failure = await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(vault.Root).MountsAsync(Ct));

        Assert.Equal((kind, trouble, status), (failure.Kind, failure.Trouble, failure.StatusCode));
        Assert.Equal(status == 429 ? TimeSpan.FromSeconds(7) : status == 412 ? TimeSpan.FromSeconds(1) : null, failure.RetryAfter);
        Assert.Contains("domain tests", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SandboxVaultState.Sealed, VaultTrouble.Sealed)]
    [InlineData(SandboxVaultState.Standby, VaultTrouble.Standby)]
    [InlineData(SandboxVaultState.PerformanceStandby, VaultTrouble.Standby)]
    [InlineData(SandboxVaultState.DisasterRecoverySecondary, VaultTrouble.Standby)]
    public async Task A_server_that_cannot_write_says_why_and_its_health_too(SandboxVaultState state, VaultTrouble trouble)
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.State);
        var system = new VaultSystem(vault.Root);
        vault.Server.State = state;

        var failure = await Assert.ThrowsAsync<VaultException>(() => system.MountAsync("kv", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" }));
        Assert.Equal((AdapterFailureKind.Unavailable, trouble), (failure.Kind, failure.Trouble));
        var health = await system.HealthAsync(Ct);
        Assert.False(health.IsActive, health.ToString());
        Assert.Equal(state == SandboxVaultState.Sealed, health.Sealed);

        vault.Server.State = SandboxVaultState.Active;
        Assert.True((await system.HealthAsync(Ct)).IsActive);
    }

    [Theory]
    [InlineData(FaultKind.Cut)]
    [InlineData(FaultKind.CutAfterEffect)]
    public async Task A_connection_that_is_cut_is_trouble_that_may_pass(FaultKind how)
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Faults);
        vault.Server.Inject(new Fault { Kind = how, Path = "/v1/sys/policies", Times = 1 });

        var failure = await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(vault.Root).WritePolicyAsync("orders", "path \"a\" { capabilities = [\"read\"] }", Ct));

        Assert.Equal((AdapterFailureKind.Unavailable, VaultTrouble.Unreachable), (failure.Kind, failure.Trouble));
        Assert.Equal(how == FaultKind.CutAfterEffect, await new VaultSystem(vault.Root).ReadPolicyAsync("orders", Ct) is not null);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_in_time_is_given_up_and_a_caller_who_cancels_is_not_told_so()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Faults);
        vault.Server.Inject(new Fault { Kind = FaultKind.Latency, Delay = TimeSpan.FromMinutes(1) });
        var system = new VaultSystem(vault.Connect(new GivenToken(new(vault.Server.RootToken)), timeout: TimeSpan.FromMilliseconds(200)));

        Assert.Contains("no answer within 0.2 s", (await Assert.ThrowsAsync<VaultException>(() => system.HealthAsync(Ct))).Message, StringComparison.Ordinal);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => system.HealthAsync(cancelled.Token));
    }

    [Fact]
    public async Task Only_the_stated_authority_is_trusted()
    {
        OnlyTheStandIn.State.SkipOnRealServer();
        await using var server = await SandboxVault.StartAsync(new() { Tls = true }, Ct);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, server.CertificateAuthority, Ct);
            using var trusting = VaultConnection.Open(new("tests", server.Address) { CertificateAuthorityFile = file }, new GivenToken(new(server.RootToken)));
            using var wary = VaultConnection.Open(new("tests", server.Address), new GivenToken(new(server.RootToken)));

            Assert.True((await new VaultSystem(trusting).HealthAsync(Ct)).IsActive);
            Assert.Contains("not trusted", (await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(wary).HealthAsync(Ct))).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task The_namespace_is_sent_with_each_call()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Faults);
        using var connection = VaultConnection.Open(new("tests", vault.Server.Address) { Namespace = "team" }, new GivenToken(new(vault.Server.RootToken)));
        await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(connection).MountsAsync(Ct));
        Assert.Equal("team", vault.Server.Calls[^1].Namespace);
    }

    [Fact]
    public async Task No_value_is_in_a_failure_a_text_or_JSON()
    {
        const string canary = "canary/Q7 w+\"9";
        await using var vault = await StandIn.StartAsync(new()
        {
            Database = (call, _) => throw new InvalidOperationException($"cannot connect to {call.ConnectionUrl} with {canary}"),
        }, OnlyTheStandIn.Hook);
        var system = new VaultSystem(vault.Root);
        await system.MountAsync("database", "database", Ct);
        await system.MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        var secret = new SecretText(canary);
        var store = new VaultKeyValues(vault.Root);
        await store.WriteAsync("orders", new Dictionary<string, SecretText> { ["password"] = secret }, 0, Ct);
        var read = (await store.ReadAsync("orders", Ct))!;
        Assert.Equal(canary, read.Values!["password"].Reveal());

        var failures = new List<VaultException>
        {
            await Assert.ThrowsAsync<VaultException>(() => new VaultDatabases(vault.Root).WriteAsync(
                "orders", new("postgresql-database-plugin", "postgresql://{{username}}:{{password}}@db:5432/orders", "vault", ["*"]), secret, Ct)),
            await Assert.ThrowsAsync<VaultException>(() => store.WriteAsync("orders", new Dictionary<string, SecretText> { ["password"] = secret }, 0, Ct)),
            await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(vault.Connect(new GivenToken(secret))).MountsAsync(Ct)),
        };

        var shown = string.Join('\n', failures.SelectMany(failure => failure.Errors.Append(failure.ToString())))
            + $"{secret} {read} {JsonSerializer.Serialize(read)} {JsonSerializer.Serialize(secret)} {string.Join(' ', vault.Server.Calls)} {string.Join(' ', vault.Server.Statements)}";
        foreach (var shape in (string[])[canary, Uri.EscapeDataString(canary), JsonSerializer.Serialize(canary)[1..^1], vault.Server.RootToken])
            Assert.DoesNotContain(shape, shown, StringComparison.Ordinal);
        Assert.Contains("error verifying connection", failures[0].Message, StringComparison.Ordinal);
    }
}
