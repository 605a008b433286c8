namespace PlatformOps.Adapters.Vault;

/// <summary>Where the tokens of a connection come from.</summary>
public interface IVaultTokenSource
{
    /// <summary>A token that is good now.</summary>
    /// <exception cref="VaultException">There is none to be had.</exception>
    Task<SecretText> TokenAsync(VaultConnection connection, CancellationToken ct);

    /// <summary>Vault refused a call with this token: it may have been revoked.</summary>
    void Doubt(SecretText token);
}

/// <summary>One token that somebody else looks after.</summary>
public sealed class GivenToken(SecretText token) : IVaultTokenSource
{
    /// <inheritdoc/>
    public Task<SecretText> TokenAsync(VaultConnection connection, CancellationToken ct) => Task.FromResult(token);

    /// <inheritdoc/>
    public void Doubt(SecretText token)
    {
        // There is no other.
    }
}
