using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault;

/// <summary>A stand-in for Vault that speaks its HTTP API on loopback. What it does not know, it refuses as Vault refuses unknown paths.</summary>
public sealed class SandboxVault : IAsyncDisposable
{
    private readonly VaultCore core;
    private readonly VaultHttp http;

    private SandboxVault(VaultCore core, VaultHttp http) => (this.core, this.http) = (core, http);

    public Uri Address => http.Address;

    /// <summary>May do everything; the same for the life of the data file, until a snapshot is restored: then the snapshot's.</summary>
    public string RootToken => core.RootToken;

    /// <summary>The one key that unseals.</summary>
    public string UnsealKey => core.State.UnsealKey;

    /// <summary>Whom to trust when it speaks TLS, as PEM.</summary>
    public string CertificateAuthority => http.CertificateAuthority;

    /// <summary>What the server is; set it to see how callers take it.</summary>
    public SandboxVaultState State
    {
        get => core.State.Now;
        set => core.State.Become(value);
    }

    /// <summary>Every call that reached the server, in order.</summary>
    public IReadOnlyList<SandboxVaultCall> Calls => [.. core.Calls];

    /// <summary>What the database engine wanted done, in order.</summary>
    public IReadOnlyList<SandboxDatabaseCall> Statements => [.. core.Statements];

    /// <summary>Starts it, unsealed when it is new and as it was left otherwise; returns when it answers.</summary>
    public static async Task<SandboxVault> StartAsync(SandboxVaultOptions options, CancellationToken ct = default)
    {
        var core = new VaultCore(options);
        try
        {
            return new(core, await VaultHttp.StartAsync(core, new FaultInjection(options.Seed), options.Tls, ct));
        }
        catch
        {
            core.Dispose();
            throw;
        }
    }

    /// <summary>Makes calls go wrong from now on. Paths begin with <c>/v1/</c>.</summary>
    public void Inject(Fault fault) => http.Faults.Add(fault);

    /// <summary>Ends all faults.</summary>
    public void ClearFaults() => http.Faults.Clear();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await http.DisposeAsync();
        core.Dispose();
    }
}
