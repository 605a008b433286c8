namespace PlatformOps.Adapters.Vault;

/// <summary>Vault did not do what it was asked.</summary>
/// <param name="trouble">What it was, more exactly than <see cref="AdapterException.Kind"/> says.</param>
/// <param name="errors">What Vault listed, without the values that were sent.</param>
/// <param name="statusCode">Of HTTP; 0 when there was no answer.</param>
public sealed class VaultException(
    AdapterFailureKind kind, VaultTrouble trouble, string message, int statusCode, IReadOnlyList<string> errors, Exception? inner = null, TimeSpan? retryAfter = null)
    : AdapterException(kind, message, inner, retryAfter)
{
    public VaultTrouble Trouble => trouble;

    public int StatusCode => statusCode;

    public IReadOnlyList<string> Errors => errors;
}

/// <summary>What was wrong.</summary>
public enum VaultTrouble
{
    /// <summary>There was no answer.</summary>
    Unreachable,

    /// <summary>It is sealed: somebody has to unseal it.</summary>
    Sealed,

    /// <summary>This node is not the active one and cannot pass the call on.</summary>
    Standby,

    /// <summary>It has never been initialized.</summary>
    NotInitialized,

    /// <summary>It asks us to slow down, or has not yet seen our last write.</summary>
    Busy,

    /// <summary>The token is unknown or has expired.</summary>
    InvalidToken,

    /// <summary>The policies of the token do not allow it. Vault may say the same of a token that has expired.</summary>
    Denied,

    /// <summary>The secret has another version than the one that the write was bound to.</summary>
    CheckAndSet,

    /// <summary>Nothing is mounted there, or it does not know the path.</summary>
    NoRoute,

    /// <summary>What was sent is wrong.</summary>
    Refused,

    /// <summary>It failed inside.</summary>
    Internal,
}
