using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>An Elasticsearch as a store: sets are its own snapshots in a bucket, each with a manifest of ours beside it, and are proved by restoring them under other names and counting.</summary>
/// <param name="open">The cluster that is backed up.</param>
/// <param name="openQuarantine">The cluster in which sets are proved; null: the same one.</param>
/// <param name="sets">Where manifests lie.</param>
/// <param name="owner">The store with its environment: what is made for it is marked with it.</param>
internal sealed class SearchStore(
    Func<CancellationToken, Task<ElasticsearchCluster>> open, Func<CancellationToken, Task<ElasticsearchCluster>>? openQuarantine, SearchRepository repository, StoredSets sets, string owner, string environment, string region,
    TimeProvider time) : IBackupStore
{
    /// <summary>The document that is written before each snapshot: by it a restore is recognised.</summary>
    public const string Marker = "last-set";

    private const string Claims = $"{SearchCopies.Beside}claims";

    /// <summary>How often it is looked how far a snapshot is.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly string claim = CanonicalJson.Digest(owner)[..12];
    private ElasticsearchCluster? source, quarantine;

    public string Owner => owner;

    public SearchRepository Repository => repository;

    /// <summary>The name of the snapshot of an operation. Operations may have longer names than snapshots, and other letters.</summary>
    public static string LabelOf(string operation) => $"platformops-{CanonicalJson.Digest(operation)[..16]}";

    /// <inheritdoc/>
    public async Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, CancellationToken ct)
    {
        var label = LabelOf(operation);
        if (await ManifestAsync(label, SearchSnapshotManifest.FileName, ct) is { } made)
            return Stored(label, made);
        var cluster = await SourceAsync(ct);
        await cluster.Snapshots.EnsureAsync(repository, readOnly: false, ct);
        if (await cluster.Snapshots.FindAsync(repository, label, ct) is null)
        {
            await SweepFailedAsync(cluster, ct);
            await BeginAsync(cluster, operation, label, progress, ct);
        }

        var ended = await EndedAsync(cluster, label, progress, ct);
        var begun = await ManifestAsync(label, SearchSnapshotManifest.BegunName, ct)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"There is a snapshot {label} in {repository.Name}, and {sets.PlaceOf(label)} does not say when it was begun: somebody removed that, or made it by hand. Remove the snapshot and make another backup.");
        var size = await cluster.Snapshots.SizeAsync(repository, label, ct);
        var manifest = begun with
        {
            FinishedAt = time.GetUtcNow(),
            State = ended.State,
            Uuid = ended.Uuid,
            Version = ended.Version,
            Indices = SearchSnapshotManifest.Counted(ended.Indices.Except(ended.SystemIndices), begun.Indices, await cluster.Indices.ChangesAsync(ct)),
            Missing = ended.Failures.Count == 0 && ended.State == SearchSnapshotState.Partial ? [$"{ended.FailedShards} of {ended.Shards} shards are not in it."] : ended.Failures,
            Files = size.Files,
            Bytes = size.Bytes,
        };
        // The first to look has said what the set is; another one, taken for dead and late, would say that more was written meanwhile.
        if (!await sets.CreateAsync(label, SearchSnapshotManifest.FileName, manifest.ToJson(), ct))
            manifest = (await ManifestAsync(label, SearchSnapshotManifest.FileName, ct))!;
        return Stored(label, manifest);
    }

    /// <inheritdoc/>
    public async Task<RepositorySight> LookAsync(CancellationToken ct)
    {
        var (found, broken) = (new List<RepositorySet>(), new Dictionary<string, string>());
        var snapshots = (await ListAsync(ct)).ToDictionary(snapshot => snapshot.Name);
        var folders = await sets.ListAsync(ct);
        // Those that failed are of no use and go with the next backup; those that are being made are nobody's yet.
        foreach (var snapshot in snapshots.Values.Where(snapshot => snapshot.State != SearchSnapshotState.InProgress && !IsRubbish(snapshot)))
        {
            var (manifest, trouble) = await TroubleAsync(snapshot, ct);
            if (trouble is not null)
                broken[snapshot.Name] = trouble;
            found.Add(new(snapshot.Name, manifest?.Digest, manifest?.Bytes ?? 0, manifest?.StartedAt ?? snapshot.StartedAt));
        }

        foreach (var (label, files) in folders.Where(folder => !snapshots.ContainsKey(folder.Key) && folder.Value.ContainsKey(SearchSnapshotManifest.FileName)))
        {
            broken[label] = $"There is no snapshot {label} in {repository.Name} any more, only its manifest: somebody removed it.";
            found.Add(new(label, (await ReadableAsync(label, ct)).Manifest?.Digest, 0, files.Values.Max(file => file.Changed)));
        }

        return new(found, [], broken, null);
    }

    /// <inheritdoc/>
    public async Task<RestoredCopy> RestoreAsync(string operation, string label, DateTimeOffset? target, Action<string> progress, CancellationToken ct)
    {
        var (ordered, cluster) = (time.GetUtcNow(), await QuarantineAsync(ct));
        var manifest = await WholeAsync(cluster, label, ct);
        if (await ClaimAsync(cluster, ct) is not { } held || (held.Operation, held.Label) != (operation, label))
        {
            // One verification of a store runs at a time: another one was terminated.
            await Copies(cluster).RemoveAsync(ct);
            held = new(owner, operation, label, ordered);
            await cluster.Indices.WriteAsync(
                Claims, claim, new JsonObject { ["owner"] = owner, ["operation"] = operation, ["label"] = label, ["ordered"] = ordered.ToString("O", CultureInfo.InvariantCulture) }, ct);
        }

        await Copies(cluster).RestoreAsync(manifest, label, progress, ct);
        return new(held.Ordered, time.GetUtcNow() - held.Ordered, manifest.StartedAt);
    }

    /// <inheritdoc/>
    public async Task<CopyFindings> ProbeAsync(string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct)
    {
        var cluster = await QuarantineAsync(ct);
        if (await ClaimAsync(cluster, ct) is not { } held || held.Operation != operation)
            throw new AdapterException(AdapterFailureKind.Missing, $"Elasticsearch holds no copy for {operation}: restore the set first.");
        var manifest = await WholeAsync(cluster, held.Label, ct);
        var wrong = await Copies(cluster).CompareAsync(manifest, progress, ct);
        var counted = manifest.Indices.Where(index => index.Documents is not null).ToList();
        return new(
            wrong, [$"{counted.Count} of {manifest.Indices.Count} indices were counted, {counted.Sum(index => index.Documents)} documents; the marker of the set was looked for."],
            await LostAsync(held, manifest, ct));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> CleanUpAsync(string operation, CancellationToken ct)
    {
        var cluster = await QuarantineAsync(ct);
        var removed = await Copies(cluster).RemoveAsync(ct);
        await cluster.Indices.RemoveAsync(Claims, claim, ct);
        return removed;
    }

    /// <summary>Removes the manifest first, so that nobody takes what is left for whole.</summary>
    public async Task RemoveAsync(string label, CancellationToken ct)
    {
        await sets.RemoveAsync(label, SearchSnapshotManifest.FileName, ct);
        await (await SourceAsync(ct)).Snapshots.DeleteAsync(repository, label, ct);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        source?.Dispose();
        if (quarantine != source)
            quarantine?.Dispose();
    }

    /// <summary>Writes the marker, counts, and only then begins: whatever was counted is in the snapshot, and what came meanwhile is told apart by the changes.</summary>
    private async Task BeginAsync(ElasticsearchCluster cluster, string operation, string label, Action<string> progress, CancellationToken ct)
    {
        progress("The documents of each index are counted.");
        await cluster.Indices.WriteAsync(SearchSnapshotManifest.MarkerIndex, Marker, new JsonObject { ["set"] = operation, ["at"] = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture) }, ct);
        var changes = await cluster.Indices.ChangesAsync(ct);
        await cluster.Indices.RefreshAsync(ct);
        var counted = new List<SearchIndexCount>();
        foreach (var (index, seen) in changes.Where(index => !index.Key.StartsWith(SearchCopies.Beside, StringComparison.Ordinal)))
            counted.Add(new(index, await cluster.Indices.CountAsync(index, ct), seen));
        var now = time.GetUtcNow();
        var begun = new SearchSnapshotManifest
        {
            Format = SearchSnapshotManifest.CurrentFormat,
            Set = operation,
            Environment = environment,
            Region = region,
            StartedAt = now,
            FinishedAt = now,
            State = SearchSnapshotState.InProgress,
            Indices = counted,
        };
        // What an attempt before this one counted holds as well: more changes have come since.
        await sets.CreateAsync(label, SearchSnapshotManifest.BegunName, begun.ToJson(), ct);
        await cluster.Snapshots.BeginAsync(repository, label, new() { ["platformops"] = new JsonObject { ["store"] = owner, ["operation"] = operation } }, [$"{SearchCopies.Beside}*"], ct);
    }

    /// <summary>Waits for the snapshot.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: nothing of it can be used. <see cref="AdapterFailureKind.Moved"/>: somebody removed it.</exception>
    private async Task<SearchSnapshot> EndedAsync(ElasticsearchCluster cluster, string label, Action<string> progress, CancellationToken ct)
    {
        for (; ; await Task.Delay(Look, time, ct))
        {
            var snapshot = await cluster.Snapshots.FindAsync(repository, label, ct)
                ?? throw new AdapterException(AdapterFailureKind.Moved, $"The snapshot {label} was removed from {repository.Name} while it was made. It is begun again.");
            switch (snapshot.State)
            {
                case SearchSnapshotState.Success or SearchSnapshotState.Partial:
                    return snapshot;
                case SearchSnapshotState.InProgress:
                    var size = await cluster.Snapshots.SizeAsync(repository, label, ct);
                    progress($"{size.ShardsDone} of {size.Shards} shards are in the snapshot.");
                    break;
                default:
                    throw new AdapterException(AdapterFailureKind.Rejected, $"Elasticsearch ended the snapshot {label} as {snapshot.State}: {(snapshot.Reason ?? "it does not say why").TrimEnd('.')}. {string.Join(' ', snapshot.Failures)}".TrimEnd());
            }
        }
    }

    /// <summary>What failed holds nothing, and nobody wants it.</summary>
    private async Task SweepFailedAsync(ElasticsearchCluster cluster, CancellationToken ct)
    {
        foreach (var snapshot in (await ListAsync(ct)).Where(IsRubbish))
            await cluster.Snapshots.DeleteAsync(repository, snapshot.Name, ct);
    }

    private bool IsRubbish(SearchSnapshot snapshot) => snapshot.State == SearchSnapshotState.Failed && snapshot.Store == owner;

    private async Task<IReadOnlyList<SearchSnapshot>> ListAsync(CancellationToken ct) => await (await SourceAsync(ct)).Snapshots.ListAsync(repository, ct)
        ?? throw new AdapterException(AdapterFailureKind.Rejected, $"Elasticsearch does not know the repository {repository.Name}. Make a backup, which registers it.");

    /// <summary>The manifest of a set that can be restored.</summary>
    /// <param name="cluster">That it is restored into.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it cannot be.</exception>
    public async Task<SearchSnapshotManifest> WholeAsync(ElasticsearchCluster cluster, string label, CancellationToken ct)
    {
        await cluster.Snapshots.EnsureAsync(repository, readOnly: cluster != await SourceAsync(ct), ct);
        var snapshot = await cluster.Snapshots.FindAsync(repository, label, ct) ?? throw new AdapterException(AdapterFailureKind.Damaged, $"There is no snapshot {label} in {repository.Name} any more: somebody removed it. Use another set.");
        var (manifest, trouble) = await TroubleAsync(snapshot, ct);
        return trouble is null && manifest is not null ? manifest : throw new AdapterException(AdapterFailureKind.Damaged, $"{label} of {repository.Name} cannot be used: {trouble ?? $"{sets.PlaceOf(label)} has no {SearchSnapshotManifest.FileName}."}");
    }

    private async Task<(SearchSnapshotManifest? Manifest, string? Trouble)> TroubleAsync(SearchSnapshot snapshot, CancellationToken ct)
    {
        var (manifest, unreadable) = await ReadableAsync(snapshot.Name, ct);
        return (manifest, unreadable
            ?? (snapshot.State == SearchSnapshotState.Incompatible ? "It was made by a version that this Elasticsearch cannot read."
            : manifest is not null && manifest.Uuid != snapshot.Uuid ? $"The snapshot {snapshot.Name} is another one ({snapshot.Uuid}) than was made ({manifest.Uuid}): somebody made it again."
            : null));
    }

    private async Task<(SearchSnapshotManifest? Manifest, string? Trouble)> ReadableAsync(string label, CancellationToken ct)
    {
        try
        {
            return (await ManifestAsync(label, SearchSnapshotManifest.FileName, ct), null);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Damaged)
        {
            return (null, failure.Message);
        }
    }

    private async Task<SearchSnapshotManifest?> ManifestAsync(string label, string name, CancellationToken ct)
    {
        if (await sets.GetAsync(label, name, ct) is not { } content)
            return null;
        return SearchSnapshotManifest.Read(content.Span, out var problem) ?? throw new AdapterException(AdapterFailureKind.Damaged, $"{sets.PlaceOf(label)} cannot be trusted: {problem}");
    }

    /// <summary>A partial one is no way back.</summary>
    private Task<TimeSpan> LostAsync(QuarantineClaim held, SearchSnapshotManifest manifest, CancellationToken ct) => held.LostAsync(
        sets, manifest.StartedAt, async label => (await ReadableAsync(label, ct)).Manifest is { State: SearchSnapshotState.Success } other ? (other.StartedAt, other.FinishedAt) : null, ct);

    private async Task<QuarantineClaim?> ClaimAsync(ElasticsearchCluster cluster, CancellationToken ct) => await cluster.Indices.ReadAsync(Claims, claim, ct) is { } held
        ? new(owner, (string)held["operation"]!, (string)held["label"]!, DateTimeOffset.Parse((string)held["ordered"]!, CultureInfo.InvariantCulture)) : null;

    private SearchCopies Copies(ElasticsearchCluster cluster) => new(cluster, repository, $"{SearchCopies.Beside}{claim}-", time);

    /// <summary>The cluster that is backed up.</summary>
    public async Task<ElasticsearchCluster> SourceAsync(CancellationToken ct) => source ??= await open(ct);

    private async Task<ElasticsearchCluster> QuarantineAsync(CancellationToken ct) => quarantine ??= openQuarantine is null ? await SourceAsync(ct) : await openQuarantine(ct);

    private StoredBackup Stored(string label, SearchSnapshotManifest manifest) => new(
        label, manifest.StartedAt, manifest.FinishedAt, new(manifest.StartedAt, manifest.StartedAt), manifest.Bytes, new(manifest.Digest, manifest.Files), $"s3://{repository.Bucket}/{repository.BasePath}", [], manifest.Missing);
}
