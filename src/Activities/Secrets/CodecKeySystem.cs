using PlatformOps.Adapters;
using PlatformOps.Adapters.Codec;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>The keys of the payload codec, all in one value. There is nobody to ask: whoever has the value can use it. Each version holds all keys of the one before.</summary>
/// <param name="where">What has to be corrected if it holds something else.</param>
internal sealed class CodecKeySystem(string where, TimeProvider time) : ICredentialSystem
{
    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct)
    {
        Ring(credential);
        return Task.FromResult(CredentialStanding.Accepted);
    }

    public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => Task.CompletedTask;

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => Task.CompletedTask;

    public SecretText NextValue(KeptCredential current)
    {
        var ring = Ring(current);
        return (ring.IsHandedOut ? ring.WithNewestActive() : ring.WithAnother(DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime))).Write();
    }

    public string? Further(KeptCredential current)
    {
        var ring = Ring(current);
        return ring.IsHandedOut ? $"The key {ring.Newest.Id} was handed out; now it is to be the one that encrypts." : null;
    }

    private CodecKeyRing Ring(KeptCredential credential) => CodecKeyFiles.ReadText(credential.Value.Reveal(), where);
}
