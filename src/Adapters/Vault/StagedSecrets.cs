
namespace PlatformOps.Adapters.Vault;

/// <summary>A secret's values with what belongs to them.</summary>
/// <param name="Rotation">The rotation that made them; empty: none of ours.</param>
/// <param name="Login">Null for kinds without user names.</param>
/// <param name="Version">The number of the version; 0: not kept yet.</param>
public sealed record KeptCredential(string Rotation, string? Login, SecretText Value, int Version);

/// <summary>What is kept of a secret.</summary>
/// <param name="Pending">Made and not handed out yet.</param>
/// <param name="Current">The newest version that is handed out.</param>
/// <param name="Previous">The one before, as long as it is not destroyed.</param>
/// <param name="Latest">The number of the newest version at all, also of a deleted one; 0: there was none. What the next write has to expect.</param>
/// <param name="LatestPending">The same of what is staged.</param>
public sealed record StagedSecret(KeptCredential? Pending, KeptCredential? Current, KeptCredential? Previous, int Latest, int LatestPending);

/// <summary>Secrets with staged versions in a key/value engine: current and previous are the two newest versions of the path, pending stands under <c>{path}/pending</c>, so that nobody who
/// reads the path gets what is not handed out. Every write expects the version that was seen.</summary>
/// <param name="values">The engine.</param>
public sealed class StagedSecrets(VaultKeyValues values)
{
    /// <summary>The keys of a version. Consumers and External Secrets read the first two.</summary>
    public const string Username = "username", Password = "password", Rotation = "rotation";

    private const string Intent = "there-before";

    /// <summary>Everything that is kept.</summary>
    public async Task<StagedSecret> ReadAsync(string path, CancellationToken ct)
    {
        var metadata = await values.MetadataAsync(path, ct);
        var latest = metadata?.CurrentVersion ?? 0;
        var alive = (metadata?.Versions ?? new Dictionary<int, VaultSecretVersion>()).Where(version => version.Value is { Deleted: false, Destroyed: false }).Select(version => version.Key).OrderDescending().ToList();
        var current = alive.Count > 0 && alive[0] == latest ? await VersionAsync(path, latest, ct) : null;
        var previous = current is not null && alive.Count > 1 ? await VersionAsync(path, alive[1], ct) : null;
        var pendingAt = await values.MetadataAsync(Pending(path), ct);
        var pending = pendingAt is { CurrentVersion: > 0 } staged && staged.Versions.GetValueOrDefault(staged.CurrentVersion) is { Deleted: false, Destroyed: false }
            ? await VersionAsync(Pending(path), staged.CurrentVersion, ct) : null;
        return new(pending, current, previous, latest, pendingAt?.CurrentVersion ?? 0);
    }

    /// <summary>Keeps a credential as pending.</summary>
    /// <param name="expected">What <see cref="StagedSecret.LatestPending"/> was.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: somebody else was faster.</exception>
    public Task StageAsync(string path, KeptCredential credential, int expected, CancellationToken ct) => WriteAsync(Pending(path), credential, expected, ct);

    /// <summary>What a system had before it is asked for another credential: what it has besides, after an answer that got lost, is ours. Ends with <see cref="DiscardAsync"/>.</summary>
    public Task IntendAsync(string path, IReadOnlyList<string> there, CancellationToken ct) =>
        values.WriteMetadataAsync(Pending(path), ct, custom: new Dictionary<string, string> { [Intent] = string.Join(' ', there) });

    /// <summary>What was kept by <see cref="IntendAsync"/>; null: nothing was asked for yet.</summary>
    public async Task<IReadOnlyList<string>?> IntentAsync(string path, CancellationToken ct) =>
        (await values.MetadataAsync(Pending(path), ct))?.Custom.GetValueOrDefault(Intent)?.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Makes a credential the current one. What else stands beside it, of whoever wrote it, is kept.</summary>
    /// <param name="expected">What <see cref="StagedSecret.Latest"/> was.</param>
    /// <returns>The number of its version.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: somebody else was faster.</exception>
    public async Task<int> PromoteAsync(string path, KeptCredential credential, int expected, CancellationToken ct) =>
        await WriteAsync(path, credential, expected, ct, expected > 0 ? (await values.ReadAsync(path, ct, expected))?.Values : null);

    /// <summary>Forgets what is staged, for good.</summary>
    public Task DiscardAsync(string path, CancellationToken ct) => values.DeleteAllAsync(Pending(path), ct);

    /// <summary>Forgets the values of every version before one, for good.</summary>
    public async Task DestroyBeforeAsync(string path, int version, CancellationToken ct)
    {
        var metadata = await values.MetadataAsync(path, ct);
        if (metadata?.Versions.Where(known => known.Key < version && !known.Value.Destroyed).Select(known => known.Key).ToList() is { Count: > 0 } old)
            await values.DestroyAsync(path, old, ct);
    }

    private static string Pending(string path) => $"{path}/pending";

    private async Task<int> WriteAsync(string path, KeptCredential credential, int expected, CancellationToken ct, IReadOnlyDictionary<string, SecretText>? beside = null)
    {
        var kept = (beside ?? new Dictionary<string, SecretText>()).Where(value => value.Key != Username).ToDictionary();
        kept[Password] = credential.Value;
        kept[Rotation] = new(credential.Rotation);
        if (credential.Login is { } login)
            kept[Username] = new(login);
        return await values.WriteAsync(path, kept, expected, ct);
    }

    private async Task<KeptCredential?> VersionAsync(string path, int version, CancellationToken ct) =>
        await values.ReadAsync(path, ct, version) is { Values: { } kept } && kept.TryGetValue(Password, out var value)
            ? new(kept.GetValueOrDefault(Rotation)?.Reveal() ?? "", kept.GetValueOrDefault(Username)?.Reveal(), value, version)
            : null;
}
