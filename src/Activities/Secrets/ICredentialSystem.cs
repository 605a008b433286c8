using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>The system that a credential is for. Every call can be repeated.</summary>
internal interface ICredentialSystem : IDisposable
{
    /// <summary>Shows it the credential, and changes nothing.</summary>
    Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct);

    /// <summary>Has it accept a credential, beside those that it accepts.</summary>
    /// <param name="current">In whose place it comes.</param>
    Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct);

    /// <summary>Has it refuse a credential. One that is refused is no failure.</summary>
    /// <param name="current">What it has to go on accepting.</param>
    Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct);

    /// <summary>The login that the next credential has: the same where a login can have several, or has one at a time; null where there are none.</summary>
    string? NextLogin(KeptCredential current) => current.Login;

    /// <summary>The value of the next credential, where the one before decides it; null: chance does.</summary>
    SecretText? NextValue(KeptCredential current) => null;

    /// <summary>Why another version has to follow this one when every consumer is proved to use it; null: none has to.</summary>
    string? Further(KeptCredential current) => null;

    /// <summary>Who is logged in with it; null: it has no sessions that could be seen.</summary>
    Task<OldSessions?> SessionsAsync(string login, CancellationToken ct) => Task.FromResult<OldSessions?>(null);

    /// <summary>Shows each server by itself a credential that is accepted, and changes nothing. Where the connections state an address, that is asked: pods may be out of reach from there.</summary>
    /// <param name="pods">The pods of its servers, with their addresses; null: one has none yet.</param>
    Task<IReadOnlyList<ServerAnswer>> AskServersAsync(KeptCredential credential, IReadOnlyList<(string Pod, string? Address)> pods, CancellationToken ct) => Task.FromResult<IReadOnlyList<ServerAnswer>>([]);

    /// <inheritdoc/>
    void IDisposable.Dispose()
    {
        // Most have nothing open.
    }
}

/// <summary>A system that makes the values itself, each with an id that stands for the login. What it has revoked it cannot be made to accept again.</summary>
internal interface ICredentialIssuer : ICredentialSystem
{
    /// <summary>What it issued and accepts.</summary>
    Task<IReadOnlyList<IssuedCredential>> IssuedAsync(CancellationToken ct);

    /// <summary>Has it make another one.</summary>
    Task<KeptCredential> IssueAsync(string rotation, KeptCredential current, CancellationToken ct);

    /// <summary>The id of one that was made before there was a rotation; null: it does not say.</summary>
    Task<string?> IdentifyAsync(KeptCredential credential, CancellationToken ct);
}

/// <param name="Rotation">The rotation that it was issued for; null: it cannot be marked with one.</param>
internal sealed record IssuedCredential(string Id, string? Rotation);
