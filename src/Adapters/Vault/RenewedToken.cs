namespace PlatformOps.Adapters.Vault;

/// <summary>Logs in, renews the token in good time, and logs in again when it cannot be renewed any longer, as <see cref="Platform.Secrets.LeasePolicy"/> says. While Vault is out of reach, the token that is
/// there is used for as long as it lives.</summary>
/// <param name="login">How to log in: <see cref="VaultLogins"/>.</param>
public sealed class RenewedToken(Func<VaultConnection, CancellationToken, Task<VaultLogin>> login) : IVaultTokenSource, IDisposable
{
    private readonly LeaseKeeper<SecretText> keeper = new(
        async (connection, ct) => Granted(await login(connection, ct)),
        async (connection, token, life, ct) => Granted(await VaultTokens.RenewAsync(connection, token, life, ct)),
        IsKnownAsync);

    /// <inheritdoc/>
    public Task<SecretText> TokenAsync(VaultConnection connection, CancellationToken ct) => keeper.GetAsync(connection, ct);

    /// <summary>Keeps the token alive until cancelled, so that it survives times in which nobody calls.</summary>
    /// <param name="tell">Hears how it is after each look; null: nobody does.</param>
    public Task KeepAliveAsync(VaultConnection connection, CancellationToken ct, Action<LeaseState>? tell = null) => keeper.KeepAliveAsync(connection, () => TokenAsync(connection, ct), ct, tell);

    /// <inheritdoc/>
    public void Doubt(SecretText token) => keeper.Doubt(token.Equals);

    /// <inheritdoc/>
    public void Dispose() => keeper.Dispose();

    private static VaultGrant<SecretText> Granted(VaultLogin login) => new(login.Token, login.Accessor, login.Ttl, login.Renewable);

    private static async Task<bool> IsKnownAsync(VaultConnection connection, SecretText token, CancellationToken ct)
    {
        try
        {
            await VaultTokens.LookUpAsync(connection, token, ct);
            return true;
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Forbidden or AdapterFailureKind.Unauthorized)
        {
            return false;
        }
        catch (VaultException)
        {
            // Nothing is proved; the call that follows will show.
            return true;
        }
    }
}
