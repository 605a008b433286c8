using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>One secret of one region, with everything that is asked about it.</summary>
/// <param name="labels">What our own workloads carry.</param>
internal sealed class RotatedSecret(RotationDefinition rotation, StagedSecrets store, ICredentialSystem system, KubernetesConnection cluster, IReadOnlyDictionary<string, string> labels) : IDisposable
{
    /// <summary>Marks what was there before the first rotation.</summary>
    private const string Adopted = "adopted";

    public RotationDefinition Rotation => rotation;

    public async Task<ObservedSecret> ObserveAsync(TimeProvider time, CancellationToken ct)
    {
        var kept = await store.ReadAsync(rotation.Path, ct);
        var there = await InClusterAsync(ct);
        var current = await StandingAsync(kept.Current, ct);
        // Whether what is to be revoked is accepted still makes no difference: nobody tries it.
        var previous = kept.Previous is { } before ? new StagedCredential(before.Rotation, before.Login, before.Version, CredentialStanding.Unknown) : null;
        return new(
            await StandingAsync(kept.Pending, ct), current, previous,
            kept.Current is null ? await StandingAsync(there, ct) : null,
            there is null ? null : kept.Current is { } wanted && Same(there, wanted),
            await new SecretConsumers(cluster).FindAsync(rotation.Namespace, rotation.Secret, kept.Current?.Version ?? 0, labels, rotation.Reloads, ct),
            kept.Previous is { Login: { } login } && login != kept.Current?.Login ? await system.SessionsAsync(login, ct) : null,
            time.GetUtcNow());
    }

    /// <summary>Carries one step out; what it finds done, it leaves.</summary>
    /// <returns>What was done, as a sentence.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it is not any more as it was when the step was decided on.</exception>
    public async Task<string> CarryOutAsync(SecretStepInput step, CancellationToken ct)
    {
        var kept = await store.ReadAsync(rotation.Path, ct);
        if ((kept.Current?.Version ?? 0) != step.Version)
            throw new AdapterException(AdapterFailureKind.Moved, $"Version {kept.Current?.Version ?? 0} of {rotation.Path} is the current one, and {step.Version} was when it was decided what to do. It is looked at again.");
        return step.Step switch
        {
            RotationStep.Adopt => await AdoptAsync(kept, ct),
            RotationStep.Create => await CreateAsync(kept, step.Rotation, ct),
            RotationStep.Set => await SetAsync(Needed(kept.Pending), Needed(kept.Current), ct),
            RotationStep.Restore => await SetAsync(Needed(kept.Current), Needed(kept.Current), ct),
            RotationStep.Promote => await PromoteAsync(kept, Needed(kept.Pending), ct),
            RotationStep.Discard => await DiscardAsync("The pending version, which is the current one, is thrown away.", ct),
            RotationStep.Publish => await PublishAsync(Needed(kept.Current), ct),
            RotationStep.Refresh => await RefreshAsync(step, Needed(kept.Current), ct),
            RotationStep.Revoke => await RevokeAsync(kept, Needed(kept.Current), ct),
            RotationStep.Withdraw => await WithdrawAsync(kept, ct),
            RotationStep.Return => await ReturnAsync(kept, step.Rotation, ct),
            _ => throw new InvalidOperationException($"{step.Step} is nothing to carry out."),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => system.Dispose();

    private async Task<string> AdoptAsync(StagedSecret kept, CancellationToken ct)
    {
        if (await InClusterAsync(ct) is not { } there)
            throw new AdapterException(AdapterFailureKind.Missing, $"Secret {rotation.Namespace}/{rotation.Secret} is not there any more.");
        return $"Vault has it as version {await store.PromoteAsync(rotation.Path, there, kept.Latest, ct)}.";
    }

    private async Task<string> CreateAsync(StagedSecret kept, string operation, CancellationToken ct)
    {
        if (kept.Pending is { } there)
            return $"There is a pending version already, of {there.Rotation}.";
        var value = new SecretText(SecretValues.New(rotation.Length));
        await store.StageAsync(rotation.Path, new(operation, system.NextLogin(Needed(kept.Current)), value, 0), kept.LatestPending, ct);
        return "A new value is kept as pending.";
    }

    private async Task<string> SetAsync(KeptCredential wanted, KeptCredential current, CancellationToken ct)
    {
        await system.SetAsync(wanted, current, ct);
        return wanted.Login is { } login ? $"The login {login} is accepted." : "There is nobody to tell.";
    }

    private async Task<string> PromoteAsync(StagedSecret kept, KeptCredential pending, CancellationToken ct)
    {
        var version = await store.PromoteAsync(rotation.Path, pending, kept.Latest, ct);
        await store.DiscardAsync(rotation.Path, ct);
        return $"It is version {version}.";
    }

    private async Task<string> DiscardAsync(string done, CancellationToken ct)
    {
        await store.DiscardAsync(rotation.Path, ct);
        return done;
    }

    private async Task<string> PublishAsync(KeptCredential current, CancellationToken ct)
    {
        var values = new Dictionary<string, SecretText> { [rotation.PasswordKey] = current.Value };
        if (rotation.UsernameKey is { } key && current.Login is { } login)
            values[key] = new(login);
        await new SecretWriter(cluster).SetAsync(rotation.Namespace, rotation.Secret, values, ct);
        return $"Secret {rotation.Namespace}/{rotation.Secret} holds version {current.Version}.";
    }

    private async Task<string> RefreshAsync(SecretStepInput step, KeptCredential current, CancellationToken ct)
    {
        foreach (var consumer in step.Consumers)
            await new SecretConsumers(cluster).RestartAsync(rotation.Namespace, consumer, new Dictionary<string, int> { [rotation.Secret] = current.Version }, ct);
        return $"{string.Join(", ", step.Consumers)} is being restarted.";
    }

    /// <summary>The system first: a value that is destroyed and still accepted could never be revoked by whoever comes next.</summary>
    private async Task<string> RevokeAsync(StagedSecret kept, KeptCredential current, CancellationToken ct)
    {
        // The same login with another password: the old one ended when the new one was set.
        var old = kept.Previous?.Login is { } login && login != current.Login ? login : null;
        if (old is not null)
            await system.RevokeAsync(old, ct);
        await store.DestroyBeforeAsync(rotation.Path, current.Version, ct);
        return old is null ? "Older values are destroyed." : $"The login {old} is refused, and its value destroyed.";
    }

    private async Task<string> WithdrawAsync(StagedSecret kept, CancellationToken ct)
    {
        if (kept.Pending is { Login: { } login } && login != kept.Current?.Login)
            await system.RevokeAsync(login, ct);
        return await DiscardAsync("What was made is taken back.", ct);
    }

    private async Task<string> ReturnAsync(StagedSecret kept, string operation, CancellationToken ct)
    {
        await store.DiscardAsync(rotation.Path, ct);
        var version = await store.PromoteAsync(rotation.Path, Needed(kept.Previous) with { Rotation = RotationPolicy.ReturnOf(operation) }, kept.Latest, ct);
        return $"The value of before is version {version}.";
    }

    private async Task<StagedCredential?> StandingAsync(KeptCredential? credential, CancellationToken ct) =>
        credential is null ? null : new(credential.Rotation, credential.Login, credential.Version, await system.TryAsync(credential, ct));

    private async Task<KeptCredential?> InClusterAsync(CancellationToken ct) =>
        await new SecretReader(cluster).FindAsync(rotation.Namespace, rotation.Secret, ct) is { } values && values.TryGetValue(rotation.PasswordKey, out var value)
            ? new(Adopted, rotation.UsernameKey is { } key ? values.GetValueOrDefault(key)?.Reveal() : null, value, 0)
            : null;

    private static bool Same(KeptCredential there, KeptCredential wanted) => there.Value.Equals(wanted.Value) && there.Login == wanted.Login;

    private KeptCredential Needed(KeptCredential? credential) =>
        credential ?? throw new AdapterException(AdapterFailureKind.Moved, $"{rotation.Path} is not any more as it was when it was decided what to do. It is looked at again.");
}
