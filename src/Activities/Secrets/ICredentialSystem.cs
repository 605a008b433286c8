using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>The system that a credential is for. Every call can be repeated.</summary>
internal interface ICredentialSystem : IDisposable
{
    /// <summary>Shows it the credential, and changes nothing.</summary>
    Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct);

    /// <summary>The login that the next credential has; null where there are none.</summary>
    string? NextLogin(KeptCredential current);

    /// <summary>Has it accept a credential, beside those that it accepts.</summary>
    /// <param name="current">In whose place it comes.</param>
    Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct);

    /// <summary>Has it refuse a login.</summary>
    Task RevokeAsync(string login, CancellationToken ct);

    /// <summary>Who is logged in with it; null: it has no sessions.</summary>
    Task<OldSessions?> SessionsAsync(string login, CancellationToken ct);
}
