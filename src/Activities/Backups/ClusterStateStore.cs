using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>The objects of a region's cluster as a store: sets are archives in a bucket, and are proved by restoring them into an empty API server and comparing.</summary>
/// <param name="quarantine">Where sets are proved; null: nowhere, and no set can be proved.</param>
/// <param name="retention">How long Velero keeps its own, where it is installed.</param>
/// <param name="etcd">The etcd under it; null: workers do not reach it.</param>
/// <param name="programs">Folders with the programs of etcd, as <c>PATH</c> names them.</param>
internal sealed class ClusterStateStore(
    KubernetesConnection cluster, KubernetesConnection? quarantine, StateSets sets, string environment, TimeSpan retention, TimeProvider time, EtcdSpecification? etcd = null, string? programs = null) : IBackupStore
{
    /// <summary>The cluster whose objects these are.</summary>
    public KubernetesConnection Cluster => cluster;

    /// <summary>Its sets.</summary>
    public StateSets Sets => sets;

    /// <summary>How many differences are told one by one.</summary>
    private const int Shown = 20;

    private readonly StateBackup making = new(cluster, sets, environment, time, etcd);
    private readonly EtcdProof proof = new(sets, $"{environment}/{cluster.Region}", programs, time);

    /// <inheritdoc/>
    public async Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, CancellationToken ct)
    {
        var made = await sets.ManifestAsync(operation, ct) ?? await making.RunAsync(operation, progress, ct);
        var velero = await new VeleroBackups(cluster, retention, time).MakeAsync(operation, progress, ct);
        return Stored(made) with { Missing = velero is null ? made.Unread : [.. made.Unread, velero] };
    }

    /// <summary>Puts a snapshot of etcd into a set that is about to be made.</summary>
    /// <inheritdoc cref="StateBackup.SnapshotAsync"/>
    public Task<EtcdSnapshot?> SnapshotEtcdAsync(string operation, Action<string> progress, CancellationToken ct) => making.SnapshotAsync(operation, progress, ct);

    /// <inheritdoc/>
    public Task<RepositorySight> LookAsync(CancellationToken ct) => sets.LookAsync(ct);

    /// <inheritdoc/>
    public async Task<RestoredCopy> RestoreAsync(string operation, string label, DateTimeOffset? target, Action<string> progress, CancellationToken ct)
    {
        var place = Quarantine();
        var claim = await In(place).ClaimAsync(operation, label, time.GetUtcNow(), ct);
        using var folder = new TemporaryFolder();
        var (archive, manifest, _) = await sets.FetchAsync(label, folder.Path, progress, ct);
        var restored = await new StateRestore(place, archive, StateRestoreRules.Quarantine, time).RunAsync(manifest, so => progress($"{so.Created + so.Unchanged} of {manifest.Objects} objects are restored."), ct);
        progress($"{restored.Created + restored.Unchanged + restored.Overwritten} objects are restored, {restored.Troubled} could not be.");
        return new(claim.Ordered, time.GetUtcNow() - claim.Ordered, manifest.StartedAt);
    }

    /// <inheritdoc/>
    public async Task<CopyFindings> ProbeAsync(string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct)
    {
        var place = Quarantine();
        if (await In(place).FindAsync(ct) is not { } claim || claim.Operation != operation)
            throw new AdapterException(AdapterFailureKind.Missing, $"The quarantine of {place.Region} holds nothing of {operation}: restore the set first.");
        using var folder = new TemporaryFolder();
        var (archive, manifest, key) = await sets.FetchAsync(claim.Label, folder.Path, progress, ct);
        var differences = await new StateCheck(place, archive).RunAsync(manifest, () => progress("Comparing."), ct);
        // The mark of the quarantine is ours.
        var told = differences.Findings.Where(finding => finding.Address.Name != StateQuarantine.MarkName).Select(finding => finding.Reason).Take(Shown).ToList();
        var more = differences.Count - differences.Findings.Count;
        var snapshot = manifest.Etcd is null ? new(null, null, null) : await proof.RunAsync(claim.Label, manifest.Etcd, key, progress, ct);
        return new(
            [.. told, .. more > 0 ? [$"{more} more differences."] : (string[])[], .. Said(snapshot.Wrong)],
            [$"{differences.Compared} objects of {manifest.Parts.Count} kinds were compared with the archive, field by field, values of Secrets too.", .. Said(snapshot.Right)],
            await LostAsync(claim, manifest, ct))
        {
            Unread = snapshot.Unread,
        };

        static IEnumerable<string> Said(string? sentence) => sentence is null ? [] : [sentence];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> CleanUpAsync(string operation, CancellationToken ct) =>
        [.. proof.CleanUp(), .. quarantine is null ? [] : await In(quarantine).CleanUpAsync(_ => { }, ct)];

    /// <inheritdoc/>
    public Task RemoveAsync(string label, CancellationToken ct) => sets.Files.RemoveAsync(label, ArchiveManifest.FileName, ct);

    /// <inheritdoc/>
    public void Dispose()
    {
        cluster.Dispose();
        quarantine?.Dispose();
    }

    private Task<TimeSpan> LostAsync(QuarantineClaim claim, ArchiveManifest manifest, CancellationToken ct) => claim.LostAsync(
        sets.Files, manifest.StartedAt, async label => await sets.ManifestAsync(label, ct) is { Unread.Count: 0 } other ? (other.StartedAt, other.FinishedAt) : null, ct);

    private StateQuarantine In(KubernetesConnection place) => new(place, $"{environment}/{cluster.Region}", time);

    private KubernetesConnection Quarantine() => quarantine ?? throw new AdapterException(
        AdapterFailureKind.NotServed, $"There is no quarantine for cluster state of {environment}: state backups.{environment}.quarantine in the connections file, an API server without nodes. Until then its sets are unproven.");

    private StoredBackup Stored(ArchiveManifest manifest) => new(
        manifest.Set, manifest.StartedAt, manifest.FinishedAt, new(manifest.StartedAt, manifest.StartedAt), manifest.Files.Sum(file => file.Bytes), new(manifest.Digest, manifest.Files.Count),
        sets.Files.PlaceOf(manifest.Set), [], manifest.Unread)
    {
        Etcd = manifest.Etcd,
    };
}
