using Microsoft.Extensions.Time.Testing;
using PlatformOps.Adapters.Vault;
using PlatformOps.Sandbox.Vault;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>The stand-in with a clock that tests move: for what a real server cannot be made to do at will.</summary>
internal sealed class StandIn : IAsyncDisposable
{
    private readonly List<IDisposable> opened = [];

    private StandIn(FakeTimeProvider clock, SandboxVault server)
    {
        (Clock, Server) = (clock, server);
        Root = Connect(new GivenToken(new(server.RootToken)));
    }

    public FakeTimeProvider Clock { get; }

    public SandboxVault Server { get; }

    public VaultConnection Root { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="needs">Why no real server can stand in its place; the test is skipped with that where <c>VAULT_ADDR</c> names one. Null: it is not about Vault, and runs here everywhere.</param>
    public static async Task<StandIn> StartAsync(SandboxVaultOptions? options = null, OnlyTheStandIn? needs = null)
    {
        needs?.SkipOnRealServer();
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        return new(clock, await SandboxVault.StartAsync((options ?? new()) with { TimeProvider = clock }, Ct));
    }

    public VaultConnection Connect(IVaultTokenSource tokens, TimeSpan? timeout = null)
    {
        var connection = VaultConnection.Open(new("tests", Server.Address) { TimeProvider = Clock, CallTimeout = timeout ?? TimeSpan.FromSeconds(10) }, tokens);
        opened.Add(connection);
        return connection;
    }

    /// <summary>A role whose tokens live 30 minutes and at most two hours, and a source that logs in with it.</summary>
    public async Task<RenewedToken> AppRoleAsync()
    {
        await new VaultSystem(Root).EnableLoginMethodAsync("approle", "approle", Ct);
        var roles = new VaultAppRoles(Root);
        await roles.WriteAsync("rotation", new(["root-of-nothing"], TimeSpan.FromMinutes(30), TimeSpan.FromHours(2)), TimeSpan.Zero, Ct);
        var secret = await roles.NewSecretIdAsync("rotation", Ct);
        var tokens = new RenewedToken(VaultLogins.AppRole(await roles.RoleIdAsync("rotation", Ct), _ => Task.FromResult(secret.Value)));
        opened.Add(tokens);
        return tokens;
    }

    public int CallsOf(string path) => Server.Calls.Count(call => call.Path == path && call.Status < 300);

    public async ValueTask DisposeAsync()
    {
        foreach (var open in opened)
            open.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>What a test needs and no real server can be made to do: for tests that say so when they are skipped.</summary>
internal sealed class OnlyTheStandIn
{
    public static readonly OnlyTheStandIn
        Clock = new("it moves the server's clock"),
        State = new("it seals the server, makes it a standby or starts it again"),
        Faults = new("it makes the server's calls fail, or looks at what reached the server"),
        Contents = new("it replaces everything that the server keeps"),
        Hook = new("it answers in the place of a Kubernetes cluster or a database that the server asks");

    private readonly string reason;

    private OnlyTheStandIn(string reason) => this.reason = reason;

    public void SkipOnRealServer() =>
        Assert.SkipWhen(TestVault.IsGiven, $"Not on the Vault of VAULT_ADDR: {reason}. Unset VAULT_ADDR to run it on the stand-in.");
}
