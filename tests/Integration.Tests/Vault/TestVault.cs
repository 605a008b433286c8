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
    public string Name { get; } = $"test-{Guid.NewGuid():N}";

    /// <summary>Whether a server is named, on which the tests run in the stand-in's place.</summary>
    public static bool IsGiven => Given is not null;

    private static (Uri Address, SecretText Token)? Given =>
        Environment.GetEnvironmentVariable("VAULT_ADDR") is { Length: > 0 } address && Environment.GetEnvironmentVariable("VAULT_TOKEN") is { Length: > 0 } token
            ? (new(address), new(token))
            : null;

    public static async Task<TestVault> StartAsync()
    {
        if (Given is var (address, token))
            return new(address, token, null);
        var standIn = await SandboxVault.StartAsync(new() { Database = PostgresStatements.RunAsync }, Ct);
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
        cleaning.Add(() => System.UnmountAsync(path, CancellationToken.None));
        await System.MountAsync(path, type, Ct, options: options, longestTtl: TimeSpan.FromDays(3650));
        return path;
    }

    public async Task<VaultKeyValues> KeyValuesAsync(VaultConnection? connection = null) =>
        new(connection ?? Root, await MountAsync("kv", new Dictionary<string, string> { ["version"] = "2" }));

    /// <returns>Its name.</returns>
    public async Task<string> PolicyAsync(string rules)
    {
        var name = $"{Name}-{cleaning.Count}";
        cleaning.Add(() => System.DeletePolicyAsync(name, CancellationToken.None));
        await System.WritePolicyAsync(name, rules, Ct);
        return name;
    }

    public async Task<string> LoginMethodAsync(string type)
    {
        var path = $"{Name}-{type}";
        cleaning.Add(() => System.DisableLoginMethodAsync(path, CancellationToken.None));
        await System.EnableLoginMethodAsync(path, type, Ct);
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
        // The stand-in ends, and with it everything in it; but it is a test of its own that all can be removed.
        var left = new List<Exception>();
        foreach (var clean in Enumerable.Reverse(cleaning))
        {
            if (await Record.ExceptionAsync(clean) is { } failure)
                left.Add(failure);
        }

        foreach (var open in opened)
            open.Dispose();
        if (standIn is not null)
            await standIn.DisposeAsync();
        if (left.Count > 0)
            throw new AggregateException($"Not everything of {Name} could be removed from Vault at {Address}: remove mounts, login methods and policies of that name by hand.", left);
    }
}
