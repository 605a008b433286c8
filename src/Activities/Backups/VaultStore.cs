using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>A region's Vault as a store: sets are snapshots of its integrated storage in a bucket, and are proved by restoring them into another Vault and reading what was written just before.</summary>
/// <param name="quarantine">Where sets are proved; null: nowhere, and no set can be proved.</param>
/// <param name="owned">What is disposed with it.</param>
internal sealed class VaultStore(VaultConnection vault, VaultQuarantine? quarantine, StoredSets sets, string environment, string region, TimeProvider time, IReadOnlyList<IDisposable>? owned = null) : IBackupStore
{
    /// <summary>Written before each snapshot, in the key/value engine: by it a restore is recognised.</summary>
    public const string Canary = "platformops/backup-canary";

    private readonly VaultKeyValues values = new(vault);

    /// <summary>The Vault that is backed up.</summary>
    public VaultConnection Connection => vault;

    /// <summary>The set whose state it has, as far as what was written before each snapshot says; null: none.</summary>
    public async Task<string?> StateOfAsync(CancellationToken ct) => (await values.ReadAsync(Canary, ct))?.Values?.GetValueOrDefault("set")?.Reveal();

    /// <summary>Engines and login methods, each as <c>path type</c>.</summary>
    public Task<IReadOnlyList<string>> MountsAsync(CancellationToken ct) => MountsAsync(new(vault), ct);

    /// <summary>What the set holds.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: nobody can say.</exception>
    public async Task<VaultSnapshotManifest> RequireManifestAsync(string label, CancellationToken ct) => await ManifestAsync(label, ct)
        ?? throw new AdapterException(AdapterFailureKind.Damaged, $"{sets.PlaceOf(label)} has no {VaultSnapshotManifest.FileName}: it was never finished, or its manifest was removed. Use another set.");

    /// <summary>Brings the snapshot of a set here, as it was made.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is not.</exception>
    public async Task FetchAsync(VaultSnapshotManifest manifest, string file, CancellationToken ct)
    {
        await using (var content = File.Create(file))
            await sets.DownloadAsync(manifest.Set, manifest.File, content, ct);
        if (await MeasureAsync(file, ct) != (manifest.Bytes, manifest.SnapshotDigest))
            throw new AdapterException(AdapterFailureKind.Damaged, $"{sets.PlaceOf(manifest.Set)} is damaged: {await TroubleAsync(manifest, ct)}");
    }

    /// <inheritdoc/>
    public async Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, CancellationToken ct)
    {
        if (await ManifestAsync(operation, ct) is { } made)
            return Stored(made);
        using var folder = new TemporaryFolder();
        var system = new VaultSystem(vault);
        var version = (await system.HealthAsync(ct)).Version;
        await values.WriteAsync(Canary, new Dictionary<string, SecretText> { ["set"] = new(operation) }, null, ct);
        var mounts = await MountsAsync(system, ct);
        var (started, file) = (time.GetUtcNow(), Path.Combine(folder.Path, VaultSnapshotManifest.SnapshotName));
        progress("Vault gives its snapshot.");
        await new VaultSnapshots(vault).TakeAsync(file, ct);
        var (bytes, digest) = await MeasureAsync(file, ct);
        progress($"The snapshot of {bytes} bytes is stored.");
        var stored = $"vault_{Guid.NewGuid().ToString("N")[..12]}.snap";
        await sets.UploadAsync(operation, stored, file, ct);
        var manifest = new VaultSnapshotManifest
        {
            Format = VaultSnapshotManifest.CurrentFormat,
            Set = operation,
            Environment = environment,
            Region = region,
            VaultVersion = version,
            StartedAt = started,
            FinishedAt = time.GetUtcNow(),
            File = stored,
            Bytes = bytes,
            SnapshotDigest = digest,
            Mounts = mounts,
        };
        // The first to finish has made the set; whoever was taken for dead and was late takes back what it brought.
        if (!await sets.CreateAsync(operation, VaultSnapshotManifest.FileName, manifest.ToJson(), ct))
            manifest = await RequireManifestAsync(operation, ct);
        await sets.SweepAsync(operation, [VaultSnapshotManifest.FileName, manifest.File], ct);
        return Stored(manifest);
    }

    /// <summary>Reads every byte of every set.</summary>
    public async Task<RepositorySight> LookAsync(CancellationToken ct)
    {
        var (found, broken) = (new List<RepositorySet>(), new Dictionary<string, string>());
        foreach (var (label, files) in await sets.ListAsync(ct))
        {
            VaultSnapshotManifest? manifest = null;
            try
            {
                manifest = await ManifestAsync(label, ct);
                if (manifest is not null && await TroubleAsync(manifest, ct) is { } trouble)
                    broken[label] = trouble;
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Damaged)
            {
                broken[label] = failure.Message;
            }

            found.Add(new(label, manifest?.Digest, files.Values.Sum(file => file.Bytes), manifest?.StartedAt ?? files.Values.Max(file => file.Changed)));
        }

        return new(found, [], broken, null);
    }

    /// <inheritdoc/>
    public async Task<RestoredCopy> RestoreAsync(string operation, string label, DateTimeOffset? target, Action<string> progress, CancellationToken ct)
    {
        var (place, ordered) = (Quarantine(), time.GetUtcNow());
        var manifest = await RequireManifestAsync(label, ct);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, VaultSnapshotManifest.SnapshotName);
        await FetchAsync(manifest, file, ct);
        progress("The snapshot is restored into quarantine.");
        ordered = await place.RestoreAsync(operation, label, file, ordered, ct);
        return new(ordered, time.GetUtcNow() - ordered, manifest.StartedAt);
    }

    /// <inheritdoc/>
    public async Task<CopyFindings> ProbeAsync(string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct)
    {
        var place = Quarantine();
        if (await place.FindAsync(ct) is not { } claim || claim.Operation != operation)
            throw new AdapterException(AdapterFailureKind.Missing, $"The quarantine at {place.Address} holds nothing of {operation}: restore the set first.");
        var manifest = (await ManifestAsync(claim.Label, ct))!;
        var (wrong, right) = (new List<string>(), new List<string>());
        var canary = (await new VaultKeyValues(place.Copied).ReadAsync(Canary, ct))?.Values?.GetValueOrDefault("set")?.Reveal();
        if (canary == manifest.Set)
            right.Add("What was written just before the snapshot is there.");
        else
            wrong.Add($"{Canary} says {canary ?? "nothing"} instead of {manifest.Set}: it is the state of another moment.");
        var mounts = await MountsAsync(new(place.Copied), ct);
        wrong.AddRange(manifest.Mounts.Except(mounts).Select(mount => $"{mount} is missing."));
        right.Add($"{manifest.Mounts.Intersect(mounts).Count()} of {manifest.Mounts.Count} engines and login methods are there.");
        return new(wrong, right, await LostAsync(claim, manifest, ct));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> CleanUpAsync(string operation, CancellationToken ct) => quarantine is null ? [] : await quarantine.CleanUpAsync(ct);

    /// <inheritdoc/>
    public Task RemoveAsync(string label, CancellationToken ct) => sets.RemoveAsync(label, VaultSnapshotManifest.FileName, ct);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var connection in owned ?? [])
            connection.Dispose();
    }

    private Task<TimeSpan> LostAsync(QuarantineClaim claim, VaultSnapshotManifest manifest, CancellationToken ct) => claim.LostAsync(
        sets, manifest.StartedAt, async label => await ManifestAsync(label, ct) is { } other ? (other.StartedAt, other.FinishedAt) : null, ct);

    private async Task<string?> TroubleAsync(VaultSnapshotManifest manifest, CancellationToken ct)
    {
        await using var digest = new DigestStream();
        return !await sets.DownloadAsync(manifest.Set, manifest.File, digest, ct) ? $"{manifest.File} is missing: nothing of this set can be restored."
            : digest.Length != manifest.Bytes ? $"{manifest.File} has {digest.Length} bytes instead of {manifest.Bytes}: it was cut or written over."
            : digest.Digest() != manifest.SnapshotDigest ? $"{manifest.File} has another checksum than when it was written: it is damaged."
            : null;
    }

    private async Task<VaultSnapshotManifest?> ManifestAsync(string label, CancellationToken ct)
    {
        if (await sets.GetAsync(label, VaultSnapshotManifest.FileName, ct) is not { } content)
            return null;
        return VaultSnapshotManifest.Read(content.Span, out var problem) ?? throw new AdapterException(AdapterFailureKind.Damaged, $"{sets.PlaceOf(label)} cannot be trusted: {problem}");
    }

    private VaultQuarantine Quarantine() => quarantine ?? throw new AdapterException(
        AdapterFailureKind.NotServed, $"There is no quarantine for Vault of {environment}: state backups.{environment}.quarantineVault in the connections file, a Vault that is used for nothing else. Until then its sets are unproven.");

    private StoredBackup Stored(VaultSnapshotManifest manifest) => new(
        manifest.Set, manifest.StartedAt, manifest.FinishedAt, new(manifest.StartedAt, manifest.StartedAt), manifest.Bytes, new(manifest.Digest, 1), sets.PlaceOf(manifest.Set), [], []);

    private static async Task<IReadOnlyList<string>> MountsAsync(VaultSystem system, CancellationToken ct) =>
        [.. (await system.MountsAsync(ct)).Values.Select(mount => $"{mount.Path} {mount.Type}").Concat((await system.LoginMethodsAsync(ct)).Values.Select(method => $"auth/{method.Path} {method.Type}")).Order(StringComparer.Ordinal)];

    private static async Task<(long Bytes, string Digest)> MeasureAsync(string file, CancellationToken ct)
    {
        await using var digest = new DigestStream();
        await using var content = File.OpenRead(file);
        await content.CopyToAsync(digest, ct);
        return (digest.Length, digest.Digest());
    }
}
