using System.Text.Json;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Replaces everything that a Vault has by a set, and revokes again what was revoked since. Every step can be repeated: what was done is found done.</summary>
internal sealed class VaultRestore(StoreReference store, BackupDefinition definition, BackupStores stores, VaultStore state, TimeProvider time, Action<string> progress, CancellationToken ct)
{
    /// <summary>How many sentences are told; all of them are in the bucket.</summary>
    private const int Shown = 200;

    /// <summary>How long it may take until it has taken a snapshot in.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2), Look = TimeSpan.FromMilliseconds(500);

    private readonly VaultSystem system = new(state.Connection);
    private readonly RestoreNotes notes = stores.Notes(store);

    private string Address => state.Connection.Options.Address.GetLeftPart(UriPartial.Authority);

    public async Task<(VaultRestorePlan? Plan, string? Refusal)> PlanAsync(PlanVaultRestoreInput input)
    {
        if (input.Target > time.GetUtcNow())
            return (null, $"{input.Target:u} is not yet. Name a moment of the past, or none for the newest.");
        var (set, why) = SetChoice.Of(await stores.Catalog(store).ReadAsync(ct), definition, input.Set, input.Target, _ => null);
        if (set is null)
            return (null, why);
        try
        {
            var (manifest, health) = (await state.RequireManifestAsync(set.Label!, ct), await system.HealthAsync(ct));
            if (VaultRestoreRules.WhyNot(manifest, Address, health.Initialized, health.Sealed, health.Version) is { } not)
                return (null, not);
            var mounts = await state.MountsAsync(ct);
            var (gone, back) = (mounts.Except(manifest.Mounts).ToList(), manifest.Mounts.Except(mounts).ToList());
            return (new()
            {
                Environment = store.Environment,
                Store = store.Store,
                Set = set.Id,
                Label = set.Label!,
                At = manifest.StartedAt,
                Why = why,
                Address = Address,
                Snapshot = manifest.SnapshotDigest,
                OtherKeys = input.OtherKeys,
                Lost = $"Everything that Vault at {Address} has is replaced. What was written after {manifest.StartedAt:u}, rotated secrets too, is only in the backup that is made of it first.",
                Notes =
                [
                    .. set.Proof is null ? [$"{set.Id} was never verified."] : Array.Empty<string>(),
                    .. gone.Count > 0 ? [$"Mounted since, and gone then: {string.Join(", ", gone)}."] : Array.Empty<string>(),
                    .. back.Count > 0 ? [$"Not there today, and there again then: {string.Join(", ", back)}."] : Array.Empty<string>(),
                    .. input.OtherKeys ? ["It is sealed by the restore, until the unseal keys of the set are given. Have those who keep them at hand."] : Array.Empty<string>(),
                    "Our own login is that of the set afterwards: one that is newer is not accepted, and the run parks and says what to do.",
                ],
            }, null);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Damaged)
        {
            return (null, $"{failure.Message} Name another set.");
        }
    }

    public Task<VaultRestoreStepResult> CarryOutAsync(VaultRestoreStepInput input) => input.Step switch
    {
        VaultRestoreStep.Inventory => WriteDownAsync(input.Operation),
        VaultRestoreStep.Restore => RestoreAsync(input.Plan, input.Operation),
        VaultRestoreStep.Open => OpenAsync(input.Plan),
        VaultRestoreStep.Fence => FenceAsync(input.Operation),
        VaultRestoreStep.Verify => VerifyAsync(input.Plan, input.Operation),
        var step => throw new InvalidOperationException($"{step} is not carried out here."),
    };

    private async Task<VaultRestoreStepResult> WriteDownAsync(string operation)
    {
        // By a run of this operation that was terminated: what is valid by now may be what it has restored.
        if (await BeforeAsync(operation) is { } known)
            return new($"It was written down at {known.At:u}, by an earlier run of this operation.");
        await notes.WriteOnceAsync(Before(operation), (await new VaultInventories(state.Connection, progress, ct).ReadAsync(time.GetUtcNow())).ToJson(), ct);
        var written = (await BeforeAsync(operation))!;
        return new($"{written.Tokens.Count} tokens, {written.Leases.Count} leases, {written.Roles.Sum(role => role.SecretIds.Count)} secret ids, {written.Authorities.Sum(authority => authority.Certificates.Count)} certificates and {written.Secrets.Count} secrets of today are written down in {notes.PlaceOf(Before(operation))}.");
    }

    private async Task<VaultRestoreStepResult> RestoreAsync(VaultRestorePlan plan, string operation)
    {
        await stores.Claims(store).ClaimAsync(plan.Set, operation, ct);
        // The backup of just before has written another one: this is the state of the set, restored by an attempt before this one.
        if (await IsRestoredAsync(plan))
            return new("It was done before: Vault has the state of the set.");
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, VaultSnapshotManifest.SnapshotName);
        await state.FetchAsync(await state.RequireManifestAsync(plan.Label, ct), file, ct);
        progress("Vault takes the snapshot.");
        try
        {
            await new VaultSnapshots(state.Connection).RestoreAsync(file, plan.OtherKeys, ct);
        }
        catch (VaultException failure) when (failure.Errors.Any(error => error.Contains("unseal keys", StringComparison.Ordinal)))
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"Vault at {Address} has other unseal keys than {plan.Set}, and nothing was replaced. Abort, and start again with otherKeys, when those who keep the keys of the set are at hand.", failure);
        }

        return new($"Vault at {Address} has taken {plan.Label}.");
    }

    /// <summary>After a restore a Vault may be sealed, with the keys of then; and it knows the logins of then.</summary>
    private async Task<VaultRestoreStepResult> OpenAsync(VaultRestorePlan plan)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        var seen = "It does not answer.";
        try
        {
            for (; ; await Task.Delay(Look, time, patience.Token))
            {
                try
                {
                    var seal = await system.SealStatusAsync(patience.Token);
                    if (seal.Sealed)
                        throw new AdapterException(AdapterFailureKind.Rejected, $"Vault at {Address} is sealed by the restore. Unseal it with the keys of {plan.Set} ({seal.Progress} of {seal.Threshold} are given): vault operator unseal, on each server; then retryStep open.");
                    var has = await state.StateOfAsync(patience.Token);
                    if (has == plan.Set)
                        return new($"Vault at {Address} is open, takes our login, and has the state of {plan.Set}.");
                    seen = $"It says that it has the state of {has ?? "no set"}.";
                    progress(seen);
                }
                catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
                {
                    // It is taking the snapshot in.
                    seen = failure.Message;
                    progress(seen);
                }
                catch (AdapterException failure) when (IsNoLogin(failure))
                {
                    throw NoLogin(plan, failure);
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"Vault at {Address} cannot be used yet: {seen}");
        }
    }

    private async Task<VaultRestoreStepResult> FenceAsync(string operation)
    {
        var after = await new VaultInventories(state.Connection, progress, ct).ReadAsync(time.GetUtcNow());
        if (await BeforeAsync(operation) is not { } before)
        {
            var everything = VaultRevival.Everything(after);
            await TellAsync(operation, [], everything);
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"Nobody knows what was valid before the restore, so that nobody can say what was revoked since: look at each of the {everything.Count} that are valid now (all of them: {notes.PlaceOf(Told(operation))}), revoke what was revoked, then skipStep fence. {string.Join(" ", everything.Take(20))}");
        }

        var revival = VaultRevival.Of(before, after);
        var fence = new VaultFence(state.Connection, before.At, progress, ct);
        var revoked = (await notes.ReadAsync(Told(operation), ct) is { } told ? JsonSerializer.Deserialize<Fenced>(told.Span, JsonSerializerOptions.Web)?.Revoked : null)?.ToList() ?? [];
        // With what we are logged in as there is no going on once it is revoked.
        var self = (await new VaultTokens(state.Connection).LookUpSelfAsync(ct)).Accessor;
        foreach (var again in revival.Again.OrderBy(again => again.Kind == RevivedKind.Token && again.Name == self))
        {
            if (await fence.RevokeAsync(again))
                revoked.Add($"{again}");
        }

        await TellAsync(operation, revoked, revival.Named);
        return new(
            $"{revoked.Count} things that had been revoked were valid again and are revoked again; {revival.Named.Count} need somebody.{(revoked.Count + revival.Named.Count > 0 ? $" All of them: {notes.PlaceOf(Told(operation))}." : "")}",
            [.. revoked.Take(Shown)], [.. revival.Named.Take(Shown)]);
    }

    private async Task<VaultRestoreStepResult> VerifyAsync(VaultRestorePlan plan, string operation)
    {
        var manifest = await state.RequireManifestAsync(plan.Label, ct);
        var missing = manifest.Mounts.Except(await state.MountsAsync(ct)).ToList();
        if (missing.Count > 0)
            throw new AdapterException(AdapterFailureKind.Damaged, $"Not in the restored Vault: {string.Join(", ", missing)}. Restore another set.");
        if (await BeforeAsync(operation) is not { } before)
            return new($"{manifest.Mounts.Count} engines and login methods are there. What was revoked since was answered for.");
        var fence = new VaultFence(state.Connection, before.At, progress, ct);
        var still = new List<string>();
        foreach (var again in VaultRevival.Of(before, await new VaultInventories(state.Connection, progress, ct).ReadAsync(time.GetUtcNow())).Again)
        {
            if (await fence.IsOldAsync(again))
                still.Add($"{again}");
        }

        return still.Count == 0 ? new($"{manifest.Mounts.Count} engines and login methods are there, and nothing that had been revoked is valid.")
            : throw new AdapterException(AdapterFailureKind.Rejected, $"Revoked before the restore, and valid still: {string.Join(", ", still.Take(20))}. Look at them, then retryStep.");
    }

    private async Task<bool> IsRestoredAsync(VaultRestorePlan plan)
    {
        try
        {
            return await state.StateOfAsync(ct) == plan.Set;
        }
        // A new one has no engine there.
        catch (VaultException failure) when (failure.Trouble is VaultTrouble.NoRoute)
        {
            return false;
        }
        // It has taken it, and the next step says what to do.
        catch (VaultException failure) when (failure.Trouble is VaultTrouble.Sealed && plan.OtherKeys)
        {
            return true;
        }
        catch (AdapterException failure) when (IsNoLogin(failure))
        {
            throw NoLogin(plan, failure);
        }
    }

    private static bool IsNoLogin(AdapterException failure) => failure.Kind is AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden || failure is VaultException { Trouble: VaultTrouble.Refused };

    private AdapterException NoLogin(VaultRestorePlan plan, AdapterException failure) => new(
        AdapterFailureKind.Unauthorized,
        $"Vault at {Address} has the logins of {plan.At:u}, and does not take ours, which is newer: {failure.Message} Make one there (with a token of then, or vault operator generate-root), put it where regions.REGION.vault of the connections file says, then retryStep.",
        failure);

    private async Task<VaultInventory?> BeforeAsync(string operation) => await notes.ReadAsync(Before(operation), ct) is { } note ? VaultInventory.Read(note.Span) : null;

    private Task TellAsync(string operation, IReadOnlyList<string> revoked, IReadOnlyList<string> named) =>
        notes.WriteAsync(Told(operation), JsonSerializer.SerializeToUtf8Bytes(new Fenced(revoked, named), JsonSerializerOptions.Web), ct);

    private static string Before(string operation) => $"{operation}/before.json";

    private static string Told(string operation) => $"{operation}/fence.json";

    /// <param name="Revoked">What was revoked again, also by attempts before.</param>
    /// <param name="Named">What needs somebody.</param>
    private sealed record Fenced(IReadOnlyList<string> Revoked, IReadOnlyList<string> Named);
}
