using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Who reads a set. Claims and removals meet at the set's entry, which one of them changes first: what is being removed is not claimed, and what is claimed is not removed.</summary>
internal sealed class SetClaims(BackupCatalog catalog, TimeProvider time)
{
    /// <summary>How long a set is claimed; who reads for longer claims it again.</summary>
    private static readonly TimeSpan Claimed = TimeSpan.FromHours(6);

    private DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Claims a set for an operation, or claims it again.</summary>
    /// <exception cref="AdapterException">It is being removed.</exception>
    public Task<BackupSet> ClaimAsync(string id, string operation, CancellationToken ct) => catalog.ChangeAsync(
        id, set => set.Sweeping ? throw Going(set) : set with { Uses = [.. Others(set, operation), new(operation, Now + Claimed)] }, ct);

    /// <summary>The operation reads it no more. A set that is gone has been let go.</summary>
    public async Task ReleaseAsync(string id, string operation, CancellationToken ct)
    {
        if (await catalog.FindAsync(id, ct) is not null)
            await catalog.ChangeAsync(id, set => set.Uses.Any(use => use.By == operation) ? set with { Uses = Others(set, operation) } : null, ct);
    }

    /// <summary>Begins the removal of a set. False: somebody reads it or holds it by now.</summary>
    public async Task<bool> SweepAsync(string id, CancellationToken ct) =>
        (await catalog.ChangeAsync(id, set => set.Sweeping || set.Uses.Any(use => use.Until > Now) || set.Hold?.Holds(Now) == true || set.MarkedAt is null ? null : set with { Sweeping = true }, ct)).Sweeping;

    /// <summary>Has a set stay, or lets it go.</summary>
    /// <param name="hold">Null: nobody holds it any more.</param>
    /// <exception cref="AdapterException">It is being removed.</exception>
    public Task<BackupSet> HoldAsync(string id, BackupHold? hold, CancellationToken ct) => catalog.ChangeAsync(
        id, set => hold is not null && set.Sweeping ? throw Going(set) : set.Hold == hold ? null : set with { Hold = hold }, ct);

    /// <summary>Who else reads it, without those whose time is over.</summary>
    public IReadOnlyList<BackupUse> Others(BackupSet set, string operation) => [.. set.Uses.Where(use => use.By != operation && use.Until > Now)];

    private static AdapterException Going(BackupSet set) => new(AdapterFailureKind.Conflict, $"{set.Id} is being removed, since {set.MarkedAt:u} marked to go: it cannot be kept any more. Choose another set; see platformops backup list.");
}
