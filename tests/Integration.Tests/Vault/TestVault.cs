using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Sandbox.Vault;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>The Vault that tests run on: the one that <c>VAULT_ADDR</c> and <c>VAULT_TOKEN</c> name (Vault or OpenBao; everything is mounted under names of
/// the test's own and removed afterwards), otherwise the sandbox's stand-in.</summary>
public sealed class TestVault : IAsyncDisposable
{
    private readonly SandboxVault? standIn;
    private readonly List<Func<Task>> cleaning = [];
    private readonly List<IDisposable> opened = [];

    private TestVault(Uri address, SecretText token, SandboxVault? standIn)
    {
        this.standIn = standIn;
        Address = address;
        Root = Connect(new GivenToken(token));
        System = new(Root);
    }

    public Uri Address { get; }

    public VaultConnection Root { get; }

    public VaultSystem System { get; }

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A name that nobody else uses on this server.</summary>
    public string Name { get; } = $"test-{Guid.NewGuid():N}"[..16];

    public static async Task<TestVault> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("VAULT_ADDR") is { Length: > 0 } address && Environment.GetEnvironmentVariable("VAULT_TOKEN") is { Length: > 0 } token)
            return new(new(address), new(token), null);
        var standIn = await SandboxVault.StartAsync(new(), Ct);
        return new(standIn.Address, new(standIn.RootToken), standIn);
    }

    public VaultConnection Connect(IVaultTokenSource tokens, string domain = "tests")
    {
        var connection = VaultConnection.Open(new(domain, Address), tokens);
        opened.Add(connection);
        return connection;
    }

    /// <summary>An engine of the test's own.</summary>
    /// <returns>Where it is mounted.</returns>
    public async Task<string> MountAsync(string type, IReadOnlyDictionary<string, string>? options = null, string suffix = "")
    {
        var path = $"{Name}-{type}{suffix}";
        await System.MountAsync(path, type, Ct, options: options, longestTtl: TimeSpan.FromDays(3650));
        cleaning.Add(() => System.UnmountAsync(path, CancellationToken.None));
        return path;
    }

    public async Task<VaultKeyValues> KeyValuesAsync(VaultConnection? connection = null) =>
        new(connection ?? Root, await MountAsync("kv", new Dictionary<string, string> { ["version"] = "2" }));

    /// <returns>Its name.</returns>
    public async Task<string> PolicyAsync(string rules)
    {
        var name = $"{Name}-{cleaning.Count}";
        await System.WritePolicyAsync(name, rules, Ct);
        cleaning.Add(() => System.DeletePolicyAsync(name, CancellationToken.None));
        return name;
    }

    public async Task<string> LoginMethodAsync(string type)
    {
        var path = $"{Name}-{type}";
        await System.EnableLoginMethodAsync(path, type, Ct);
        cleaning.Add(() => System.DisableLoginMethodAsync(path, CancellationToken.None));
        return path;
    }

    /// <summary>A connection whose token may do what the rules say.</summary>
    public async Task<VaultConnection> WithPolicyAsync(string rules)
    {
        var policy = await PolicyAsync(rules);
        var method = await LoginMethodAsync("approle");
        var roles = new VaultAppRoles(Root, method);
        await roles.WriteAsync("role", new([policy], TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(30)), TimeSpan.Zero, Ct);
        var secret = await roles.NewSecretIdAsync("role", Ct);
        var tokens = new RenewedToken(VaultLogins.AppRole(await roles.RoleIdAsync("role", Ct), _ => Task.FromResult(secret.Value), method));
        opened.Add(tokens);
        return Connect(tokens);
    }

    public async ValueTask DisposeAsync()
    {
        if (standIn is null)
        {
            foreach (var clean in Enumerable.Reverse(cleaning))
                await clean();
        }

        foreach (var open in opened)
            open.Dispose();
        if (standIn is not null)
            await standIn.DisposeAsync();
    }
}
