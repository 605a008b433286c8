using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;

namespace PlatformOps.Activities.Backups;

/// <summary>A Vault that is used for nothing but proving that a snapshot can be restored. It is new, or holds what a verification restored; and nothing can be reached from it, since a copy of a Vault
/// takes back what it once handed out.</summary>
/// <param name="own">With the login that it was made with.</param>
/// <param name="copied">The same server, with the login that is good where the snapshot was taken.</param>
/// <param name="unsealKeys">Of the Vault that is backed up; none: it unseals by itself.</param>
internal sealed class VaultQuarantine(VaultConnection own, VaultConnection copied, IReadOnlyList<SecretText> unsealKeys, TimeProvider time)
{
    private const string Mark = "platformops/quarantine";

    /// <summary>How long it may take until it has taken a snapshot in.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), Look = TimeSpan.FromMilliseconds(200);

    private static readonly string[] Usual = ["cubbyhole", "identity", "system", "token", "ns_system", "ns_cubbyhole", "ns_identity", "ns_token"];

    private readonly VaultKeyValues copiedValues = new(copied);
    private readonly VaultSystem server = new(own);

    /// <summary>With the login that is good in a copy.</summary>
    public VaultConnection Copied => copied;

    public Uri Address => own.Options.Address;

    /// <summary>Whose it is, when it holds a copy that can be read; null: it holds none.</summary>
    public async Task<QuarantineClaim?> FindAsync(CancellationToken ct)
    {
        try
        {
            var values = (await copiedValues.ReadAsync(Mark, ct))?.Values;
            return values is null ? null : new("", values["operation"].Reveal(), values["label"].Reveal(), DateTimeOffset.Parse(values["ordered"].Reveal(), CultureInfo.InvariantCulture));
        }
        // The login of the source is not known there: it is no copy. Sealed: nothing of it can be read.
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden or AdapterFailureKind.NotServed or AdapterFailureKind.Rejected
            || failure is VaultException { Trouble: VaultTrouble.Sealed })
        {
            return null;
        }
    }

    /// <summary>Restores a snapshot into it, and marks it as a copy.</summary>
    /// <returns>When the restore was ordered.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is no quarantine.</exception>
    public async Task<DateTimeOffset> RestoreAsync(string operation, string label, string snapshot, DateTimeOffset now, CancellationToken ct)
    {
        await UnsealAsync(ct);
        var held = await FindAsync(ct);
        // An attempt before this one restored it.
        if (held is not null && (held.Operation, held.Label) == (operation, label))
            return held.Ordered;
        if (held is null && await WhyNotNewAsync(ct) is { } why)
            throw new AdapterException(AdapterFailureKind.Rejected, $"The Vault at {Address} is no quarantine: {why} A snapshot replaces everything that it has. Name a new Vault that is used for nothing else.");
        await new VaultSnapshots(held is null ? own : copied).RestoreAsync(snapshot, force: true, ct);
        await UntilCopiedAsync(label, ct);
        await copiedValues.WriteAsync(Mark, new Dictionary<string, SecretText>
        {
            ["operation"] = new(operation),
            ["label"] = new(label),
            ["ordered"] = new(now.ToString("O", CultureInfo.InvariantCulture)),
        }, null, ct);
        return now;
    }

    /// <summary>Seals it, when it holds a copy: then nothing of it can be read.</summary>
    /// <returns>What there was.</returns>
    public async Task<IReadOnlyList<string>> CleanUpAsync(CancellationToken ct)
    {
        if ((await server.SealStatusAsync(ct)).Sealed || await FindAsync(ct) is null)
            return [];
        await new VaultSystem(copied).SealAsync(ct);
        return (await server.SealStatusAsync(ct)).Sealed
            ? [$"the copy in Vault at {Address}, by sealing it"]
            : throw new AdapterException(AdapterFailureKind.Unavailable, $"Vault at {Address} holds a copy and is not sealed after it was sealed. Look at it.");
    }

    private async Task<string?> WhyNotNewAsync(CancellationToken ct)
    {
        var mounts = (await server.MountsAsync(ct)).Values.Concat((await server.LoginMethodsAsync(ct)).Values);
        return mounts.FirstOrDefault(mount => !Usual.Contains(mount.Type)) is { } mount ? $"it has {mount.Type} at {mount.Path}." : null;
    }

    /// <summary>After a restore by force a server is sealed, unless a key outside unseals it.</summary>
    private async Task UntilCopiedAsync(string label, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        var seen = "it does not answer";
        try
        {
            for (; ; await Task.Delay(Look, time, patience.Token))
            {
                try
                {
                    await UnsealAsync(patience.Token);
                    if (await copiedValues.ReadAsync(VaultStore.Canary, patience.Token) is not null)
                        return;
                    seen = $"it has no {VaultStore.Canary}";
                }
                catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden or AdapterFailureKind.NotServed or AdapterFailureKind.Throttled)
                {
                    // It is taking the snapshot in.
                    seen = failure.Message;
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new AdapterException(AdapterFailureKind.Damaged, $"{label} was restored into Vault at {Address}, which cannot be used {Patience.TotalMinutes:0} minutes later: {seen}");
        }
    }

    private async Task UnsealAsync(CancellationToken ct)
    {
        if (!(await server.SealStatusAsync(ct)).Sealed)
            return;
        if (unsealKeys.Count == 0)
            throw new AdapterException(AdapterFailureKind.Unavailable, $"Vault at {Address} is sealed, and there are no unseal keys for it: name a file with those of the Vault that is backed up, or let both unseal by the same key of a key service.");
        foreach (var key in unsealKeys)
        {
            if (!await server.UnsealAsync(key, ct))
                return;
        }
    }
}
