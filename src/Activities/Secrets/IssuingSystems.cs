using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Identities;
using PlatformOps.Adapters.External;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>Access keys of an IAM user. They cannot be marked.</summary>
/// <param name="prove">Fails when somebody needs what was made inactive; null: nobody is asked.</param>
internal sealed class AccessKeySystem(AccessKeys keys, Func<CancellationToken, Task>? prove = null) : ICredentialIssuer
{
    public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => keys.TryAsync(credential.Login ?? "", credential.Value, ct);

    public async Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct)
    {
        if (!(await keys.ListAsync(ct)).Any(key => key.Id == credential.Login))
            throw Gone(credential.Login);
        await keys.ActivateAsync(credential.Login!, ct);
        // A new key is known everywhere after some seconds.
        if (await TryAsync(credential, ct) != CredentialStanding.Accepted)
            throw new AdapterException(AdapterFailureKind.Unavailable, $"AWS does not accept the access key {credential.Login} yet.");
    }

    /// <remarks>What was made inactive can be made active again, and what is deleted cannot: in between, whoever takes a changed Secret up by itself has to show that it did. Whoever is killed in between begins again with the same.</remarks>
    public async Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct)
    {
        var id = credential.Login!;
        // One whose value nobody knows was never handed out.
        if (prove is not null && credential.Value.Reveal().Length > 0)
        {
            if (!await keys.DeactivateAsync(id, credential.Value, ct))
                throw new AdapterException(AdapterFailureKind.Unavailable, $"AWS still accepts access key {id}, which was made inactive. It is asked again.");
            try
            {
                await prove(ct);
            }
            catch (Exception failure)
            {
                // Also when nobody waits for it any more: what is inactive would stay so.
                await keys.ActivateAsync(id, CancellationToken.None);
                if (failure is not AdapterException)
                    throw;
                throw new AdapterException(AdapterFailureKind.Rejected, $"With access key {id} inactive something does not work, so it was made active again and nothing is lost: {failure.Message} Have it take up access key {current.Login} (see the log of its nodes), then retryStep.", failure);
            }
        }

        await keys.EndAsync(id, ct);
    }

    public async Task<IReadOnlyList<IssuedCredential>> IssuedAsync(CancellationToken ct) => [.. (await keys.ListAsync(ct)).Select(key => new IssuedCredential(key.Id, null))];

    public async Task<KeptCredential> IssueAsync(string rotation, KeptCredential current, CancellationToken ct) => await keys.NewAsync(ct) is var (id, secret) ? new(rotation, id, secret, 0) : throw Gone(null);

    public Task<string?> IdentifyAsync(KeptCredential credential, CancellationToken ct) => Task.FromResult(credential.Login);

    internal static AdapterException Gone(string? id) => new(
        AdapterFailureKind.Rejected, $"What was issued as {id} was ended by somebody, and cannot be brought back. Abort: the next rotation makes another one.");
}

/// <summary>Secret ids of an AppRole.</summary>
internal sealed class AppRoleSystem(VaultAppRoles roles, string role) : ICredentialIssuer
{
    private const string Note = "rotation";

    public async Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct)
    {
        try
        {
            if (await roles.LookUpAsync(role, credential.Value, ct) is null)
                return CredentialStanding.Refused;
            await roles.ProveAsync(role, credential.Value, ct);
            return CredentialStanding.Accepted;
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return CredentialStanding.Unknown;
        }
    }

    public async Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct)
    {
        if (await TryAsync(credential, ct) == CredentialStanding.Refused)
            throw AccessKeySystem.Gone(credential.Login);
    }

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => roles.DestroySecretIdAsync(role, credential.Login!, ct);

    public async Task<IReadOnlyList<IssuedCredential>> IssuedAsync(CancellationToken ct)
    {
        var issued = new List<IssuedCredential>();
        foreach (var accessor in await roles.SecretIdsAsync(role, ct))
            if (await roles.LookUpAccessorAsync(role, accessor, ct) is { } known)
                issued.Add(new(accessor, known.Notes.GetValueOrDefault(Note) ?? ""));
        return issued;
    }

    public async Task<KeptCredential> IssueAsync(string rotation, KeptCredential current, CancellationToken ct)
    {
        var made = await roles.NewSecretIdAsync(role, ct, new Dictionary<string, string> { [Note] = rotation });
        return new(rotation, made.Accessor, made.Value, 0);
    }

    public async Task<string?> IdentifyAsync(KeptCredential credential, CancellationToken ct) => (await roles.LookUpAsync(role, credential.Value, ct))?.Accessor;
}

/// <summary>Tokens of Vault. One whose making was never answered ends at the end of its period: nobody renews it.</summary>
internal sealed class VaultTokenSystem(VaultTokens tokens, VaultTokenTarget target) : ICredentialIssuer
{
    private const string Name = "platformops-rotation";

    public async Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct)
    {
        try
        {
            return await tokens.FindAsync(credential.Value, ct) is null ? CredentialStanding.Refused : CredentialStanding.Accepted;
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return CredentialStanding.Unknown;
        }
    }

    public async Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct)
    {
        if (await TryAsync(credential, ct) == CredentialStanding.Refused)
            throw AccessKeySystem.Gone(credential.Login);
    }

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => tokens.RevokeAsync(credential.Login!, ct);

    public Task<IReadOnlyList<IssuedCredential>> IssuedAsync(CancellationToken ct) => Task.FromResult<IReadOnlyList<IssuedCredential>>([]);

    public async Task<KeptCredential> IssueAsync(string rotation, KeptCredential current, CancellationToken ct)
    {
        var policies = target.Role is not null ? null : (await tokens.FindAsync(current.Value, ct) ?? throw new AdapterException(
            AdapterFailureKind.Rejected, "Vault does not accept the current token any more, so that nobody knows which policies a new one should have. State token.role, or write a token that it accepts into the Kubernetes Secret.")).Policies;
        var made = await tokens.NewAsync(target.Role, policies, target.Period, Name, new Dictionary<string, string> { ["rotation"] = rotation }, ct);
        return new(rotation, made.Accessor, made.Token, 0);
    }

    public async Task<string?> IdentifyAsync(KeptCredential credential, CancellationToken ct) => (await tokens.FindAsync(credential.Value, ct))?.Accessor;
}

/// <summary>Tokens that a service with an API of its own makes.</summary>
internal sealed class ServiceTokenSystem(ServiceCredentials service, TimeProvider time, TimeSpan every) : ICredentialIssuer
{
    /// <summary>One that is replaced late is still good: it lives twice as long as it is meant to be used, and a week.</summary>
    private TimeSpan Lives => (every * 2) + TimeSpan.FromDays(7);

    public async Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => (await service.TryAsync(null, credential.Value, ct)).Standing;

    public async Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct)
    {
        if (await TryAsync(credential, ct) == CredentialStanding.Refused)
            throw AccessKeySystem.Gone(credential.Login);
    }

    public Task RevokeAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => service.RevokeAsync(credential.Login!, ct);

    public async Task<IReadOnlyList<IssuedCredential>> IssuedAsync(CancellationToken ct) => [.. (await service.ListAsync(ct)).Select(known => new IssuedCredential(known.Id, known.Rotation))];

    public async Task<KeptCredential> IssueAsync(string rotation, KeptCredential current, CancellationToken ct)
    {
        var (id, value) = await service.NewAsync(rotation, time.GetUtcNow() + Lives, Lives, ct);
        return new(rotation, id, value, 0);
    }

    public async Task<string?> IdentifyAsync(KeptCredential credential, CancellationToken ct) => credential.Login ?? (await service.TryAsync(null, credential.Value, ct)).Id;

    public void Dispose() => service.Dispose();
}
