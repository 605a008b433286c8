namespace PlatformOps.Adapters.Vault;

/// <summary>The Vault of one region, as the connections say.</summary>
public sealed class RegionVault : IDisposable
{
    private const string UsualServiceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

    private readonly RenewedToken? renewed;
    private readonly CancellationTokenSource ended = new();

    private readonly Action<LeaseState>? tell;

    private RegionVault(VaultConnection connection, IVaultTokenSource? tokens, Action<LeaseState>? tell) =>
        (Connection, CanLogIn, renewed, this.tell) = (connection, tokens is not null, tokens as RenewedToken, tell);

    public VaultConnection Connection { get; }

    /// <summary>Whether the connections say how; without it only its health can be asked for.</summary>
    public bool CanLogIn { get; }

    /// <summary>Prepares a connection; nothing is sent yet.</summary>
    /// <param name="domain">The privilege domain, for messages.</param>
    /// <param name="serviceAddress">Where its Service answers, when the connections state no other address.</param>
    /// <exception cref="AdapterException">What the connections say cannot work.</exception>
    public static RegionVault Open(PlatformConnections connections, string region, Uri serviceAddress, string domain)
    {
        var access = connections.Of(region).Vault ?? new();
        var options = new VaultOptions(domain, Address(access.Address, region) ?? serviceAddress) { CertificateAuthorityFile = access.CertificateAuthority, Namespace = access.Namespace };
        var tokens = Tokens(access, region);
        return new(
            VaultConnection.Open(options, tokens ?? new NoLogin(region)), tokens,
            connections.OnLease is { } hears ? state => hears(new(region, "token", access.KubernetesRole ?? "approle", state)) : null);
    }

    /// <summary>Renews the token from now on also while nobody calls, until this is disposed: it survives an outage that begins in such a time.</summary>
    public RegionVault KeptAlive()
    {
        if (renewed is not null)
            _ = renewed.KeepAliveAsync(Connection, ended.Token, tell);
        return this;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ended.Cancel();
        ended.Dispose();
        Connection.Dispose();
        renewed?.Dispose();
    }

    private static IVaultTokenSource? Tokens(VaultAccess access, string region) => access switch
    {
        { TokenFile: { } file } => new TokenInFile(file, region),
        { AppRoleId: { } role, AppRoleSecretIdFile: { } file } => new RenewedToken(VaultLogins.AppRole(role, ct => ReadAsync(file, region, ct), access.LoginMount ?? "approle")),
        { KubernetesRole: { } role } => new RenewedToken(VaultLogins.Kubernetes(
            role, ct => ReadAsync(access.ServiceAccountTokenFile ?? UsualServiceAccountToken, region, ct), access.LoginMount ?? "kubernetes")),
        _ => null,
    };

    private static Uri? Address(string? stated, string region)
    {
        if (stated is null)
            return null;
        return Uri.TryCreate(stated, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new AdapterException(AdapterFailureKind.Rejected, $"regions.{region}.vault.address is '{stated}': http://host:port or https://host:port is expected.");
    }

    private static async Task<SecretText> ReadAsync(string file, string region, CancellationToken ct)
    {
        try
        {
            return new((await File.ReadAllTextAsync(file, ct)).Trim());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"The login for Vault of {region} cannot be read: {failure.Message} Correct regions.{region}.vault in the connections file.", failure);
        }
    }

    /// <summary>Read at each call: somebody else renews it.</summary>
    private sealed class TokenInFile(string file, string region) : IVaultTokenSource
    {
        public Task<SecretText> TokenAsync(VaultConnection connection, CancellationToken ct) => ReadAsync(file, region, ct);

        public void Doubt(SecretText token)
        {
            // There is no other.
        }
    }

    private sealed class NoLogin(string region) : IVaultTokenSource
    {
        public Task<SecretText> TokenAsync(VaultConnection connection, CancellationToken ct) => throw new AdapterException(
            AdapterFailureKind.Unauthorized, $"There is no login for Vault of {region}: state tokenFile, appRoleId or kubernetesRole under regions.{region}.vault in the connections file.");

        public void Doubt(SecretText token)
        {
            // There is none.
        }
    }
}
