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
    private readonly PublishedSecret published = new(rotation, cluster, labels);

    public RotationDefinition Rotation => rotation;

    public async Task<ObservedSecret> ObserveAsync(TimeProvider time, CancellationToken ct)
    {
        var kept = await store.ReadAsync(rotation.Path, ct);
        var there = await published.FindAsync(ct);
        var current = await StandingAsync(kept.Current, ct);
        var (places, consumers) = await published.ConsumersAsync(kept.Current?.Version ?? 0, ct);
        consumers = await WithServersAsync([.. consumers.Select(ProvedLater)], kept.Current, current, ct);
        // Whether what is to be revoked is accepted still makes no difference: nobody tries it.
        var previous = kept.Previous is { } before ? new StagedCredential(before.Rotation, before.Login, before.Version, CredentialStanding.Unknown) : null;
        return new(
            await StandingAsync(kept.Pending, ct), current, previous,
            kept.Current is null ? await StandingAsync(there, ct) : null,
            there is null ? null : kept.Current is { } wanted && await published.HoldsAsync(wanted, ct),
            consumers,
            kept.Previous is { Login: { } login } && login != kept.Current?.Login ? await system.SessionsAsync(login, ct) : null,
            time.GetUtcNow(), Restorable: system is not ICredentialIssuer, Further: kept.Current is { } used ? system.Further(used) : null, Places: places, NoConsumers: rotation.NoConsumers);
    }

    /// <summary>Carries one step out; what it finds done, it leaves.</summary>
    /// <returns>What was done, as a sentence.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it is not any more as it was when the step was decided on.</exception>
    public async Task<string> CarryOutAsync(SecretStepInput step, TimeProvider time, CancellationToken ct)
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
            RotationStep.Publish => await published.PublishAsync(Needed(kept.Current), time, ct),
            RotationStep.Refresh => await RefreshAsync(step, Needed(kept.Current), ct),
            RotationStep.Revoke => await RevokeAsync(kept, Needed(kept.Current), ct),
            RotationStep.Withdraw => await WithdrawAsync(kept, step.Rotation, ct),
            RotationStep.Return => await ReturnAsync(kept, step.Rotation, ct),
            _ => throw new InvalidOperationException($"{step.Step} is nothing to carry out."),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => system.Dispose();

    private async Task<string> AdoptAsync(StagedSecret kept, CancellationToken ct)
    {
        if (await published.FindAsync(ct) is not { } there)
            throw new AdapterException(AdapterFailureKind.Missing, $"Secret {rotation.Namespace}/{rotation.Secret} is not there any more.");
        return $"Vault has it as version {await store.PromoteAsync(rotation.Path, await IdentifiedAsync(there, ct), kept.Latest, ct)}.";
    }

    /// <summary>With the id that its issuer knows it by.</summary>
    private async Task<KeptCredential> IdentifiedAsync(KeptCredential credential, CancellationToken ct) => system is not ICredentialIssuer issuer || credential.Login is not null ? credential : credential with
    {
        Login = await issuer.IdentifyAsync(credential, ct) ?? throw new AdapterException(
            AdapterFailureKind.Rejected, $"Nobody says which id the value in Secret {rotation.Namespace}/{rotation.Secret} has, by which it is ended one day. State usernameKey, and write the id under that key."),
    };

    private async Task<string> CreateAsync(StagedSecret kept, string operation, CancellationToken ct)
    {
        if (kept.Pending is { } there)
            return $"There is a pending version already, of {there.Rotation}.";
        var current = Needed(kept.Current);
        var next = system is ICredentialIssuer issuer
            ? await IssueAsync(issuer, kept, current, operation, ct)
            : new(operation, system.NextLogin(current), system.NextValue(current) ?? new(SecretValues.New(rotation.Length)), 0);
        await store.StageAsync(rotation.Path, next, kept.LatestPending, ct);
        return "A new value is kept as pending.";
    }

    private async Task<KeptCredential> IssueAsync(ICredentialIssuer issuer, StagedSecret kept, KeptCredential current, string operation, CancellationToken ct)
    {
        var there = await EndLostAsync(issuer, kept, current, operation, ct);
        if (await store.IntentAsync(rotation.Path, ct) is null)
            await store.IntendAsync(rotation.Path, there, ct);
        return await issuer.IssueAsync(operation, current, ct);
    }

    /// <summary>Ends what was issued for this rotation and whose value nobody got to know: the answer was lost.</summary>
    /// <returns>The ids of what is left.</returns>
    private async Task<IReadOnlyList<string>> EndLostAsync(ICredentialIssuer issuer, StagedSecret kept, KeptCredential current, string operation, CancellationToken ct)
    {
        var (left, before) = (new List<string>(), await store.IntentAsync(rotation.Path, ct));
        foreach (var issued in await issuer.IssuedAsync(ct))
        {
            var known = issued.Id == current.Login || issued.Id == kept.Previous?.Login || issued.Id == kept.Pending?.Login;
            if (known || (issued.Rotation is { } made ? made != operation : before?.Contains(issued.Id) != false))
                left.Add(issued.Id);
            else
                await issuer.RevokeAsync(new(operation, issued.Id, new(""), 0), current, ct);
        }

        return left;
    }

    private async Task<string> SetAsync(KeptCredential wanted, KeptCredential current, CancellationToken ct)
    {
        await system.SetAsync(wanted, current, ct);
        return wanted.Login is { } login ? $"{login} is accepted." : "It is accepted.";
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

    private async Task<string> RefreshAsync(SecretStepInput step, KeptCredential current, CancellationToken ct)
    {
        foreach (var (space, consumer) in step.Consumers.Select(name => ConsumerName.In(rotation.Namespace, name)))
            await new SecretConsumers(cluster).RestartAsync(space, consumer, new Dictionary<string, int> { [rotation.Secret] = current.Version }, ct);
        return $"{string.Join(", ", step.Consumers)} is being restarted.";
    }

    /// <summary>The system first: a value that is destroyed and still accepted could never be revoked by whoever comes next.</summary>
    private async Task<string> RevokeAsync(StagedSecret kept, KeptCredential current, CancellationToken ct)
    {
        if (kept.Previous is { } old)
            await system.RevokeAsync(await IdentifiedAsync(old, ct), current, ct);
        await store.DestroyBeforeAsync(rotation.Path, current.Version, ct);
        return kept.Previous?.Login is { } login && login != current.Login ? $"{login} is refused, and its value destroyed." : "Older values are destroyed.";
    }

    private async Task<string> WithdrawAsync(StagedSecret kept, string operation, CancellationToken ct)
    {
        if (kept is { Pending: { } pending, Current: { } current } && !pending.Value.Equals(current.Value))
            await system.RevokeAsync(pending, current, ct);
        else if (system is ICredentialIssuer issuer && kept.Current is { } there)
            await EndLostAsync(issuer, kept, there, operation, ct);
        return await DiscardAsync("What was made is taken back.", ct);
    }

    private async Task<string> ReturnAsync(StagedSecret kept, string operation, CancellationToken ct)
    {
        await store.DiscardAsync(rotation.Path, ct);
        var version = await store.PromoteAsync(rotation.Path, Needed(kept.Previous) with { Rotation = RotationPolicy.ReturnOf(operation) }, kept.Latest, ct);
        return $"The value of before is version {version}.";
    }

    private SecretConsumer ProvedLater(SecretConsumer consumer) => rotation.ProvedBySnapshots && rotation.Reloads.Contains(consumer.Name)
        ? consumer with { Detail = "It takes up a changed Secret by itself, and has to show it before the old value is deleted: while that is inactive, every node has to be able to write its snapshots." }
        : consumer;

    /// <summary>With what the servers themselves say. What they do not accept together none is shown: refused logins are counted by others.</summary>
    private async Task<IReadOnlyList<SecretConsumer>> WithServersAsync(IReadOnlyList<SecretConsumer> consumers, KeptCredential? current, StagedCredential? standing, CancellationToken ct)
    {
        var all = consumers.Where(consumer => !rotation.Servers.Contains(consumer.Name)).ToList();
        foreach (var name in rotation.Servers)
        {
            var (space, workload) = ConsumerName.In(rotation.Namespace, name);
            IReadOnlyList<ServerAnswer> answers = current is null || standing?.Standing != CredentialStanding.Accepted
                ? [new(name, CredentialStanding.Unknown)]
                : await system.AskServersAsync(current, await new SecretConsumers(cluster).PodsAsync(space, workload, ct), ct);
            all.Add(ServerProof.Judge(name, current?.Version ?? 0, answers));
        }

        return [.. all.OrderBy(consumer => consumer.Name, StringComparer.Ordinal)];
    }

    private async Task<StagedCredential?> StandingAsync(KeptCredential? credential, CancellationToken ct) =>
        credential is null ? null : new(credential.Rotation, credential.Login, credential.Version, await system.TryAsync(credential, ct));

    private KeptCredential Needed(KeptCredential? credential) =>
        credential ?? throw new AdapterException(AdapterFailureKind.Moved, $"{rotation.Path} is not any more as it was when it was decided what to do. It is looked at again.");
}
