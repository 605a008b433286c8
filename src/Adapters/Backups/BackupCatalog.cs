using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Adapters.Backups;

/// <summary>The entries of a store's sets, each a small JSON object beside the sets: they survive the loss of the cluster that writes them. One writer wins; the other looks again.</summary>
/// <param name="objects">The bucket.</param>
/// <param name="prefix">Where entries lie in it, for example <c>production/catalog/postgresql/</c>.</param>
public sealed class BackupCatalog(StoredObjects objects, string prefix)
{
    /// <summary>Entries that are read at once.</summary>
    private const int AtOnce = 16;

    /// <summary>Tries of one change, when somebody else writes the same entry.</summary>
    private const int Tries = 5;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Every entry, the oldest first.</summary>
    public async Task<IReadOnlyList<BackupSet>> ReadAsync(CancellationToken ct)
    {
        var keys = (await objects.ListAsync(prefix, ct)).Select(entry => entry.Key).Where(key => key.EndsWith(".json", StringComparison.Ordinal)).ToList();
        var sets = new List<BackupSet>();
        foreach (var some in keys.Chunk(AtOnce))
            sets.AddRange((await Task.WhenAll(some.Select(key => objects.GetAsync(key, ct)))).OfType<StoredContent>().Select(Set));
        return [.. sets.OrderBy(set => set.StartedAt).ThenBy(set => set.Id, StringComparer.Ordinal)];
    }

    /// <summary>Null: there is no entry of that id.</summary>
    public async Task<BackupSet?> FindAsync(string id, CancellationToken ct) => await objects.GetAsync(Key(id), ct) is { } found ? Set(found) : null;

    /// <summary>Enters a set. One that is entered already stays as it is.</summary>
    /// <returns>The entry.</returns>
    public async Task<BackupSet> EnterAsync(BackupSet set, CancellationToken ct) =>
        await objects.CreateAsync(Key(set.Id), Text(set), ct) is not null ? set : await FindAsync(set.Id, ct) ?? throw Gone(set.Id);

    /// <summary>Changes an entry, whatever others write meanwhile.</summary>
    /// <param name="change">From the entry as it is to the one that is wanted; it may be asked several times. Null: it stays as it is.</param>
    /// <returns>The entry.</returns>
    public async Task<BackupSet> ChangeAsync(string id, Func<BackupSet, BackupSet?> change, CancellationToken ct)
    {
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var found = await objects.GetAsync(Key(id), ct) ?? throw Gone(id);
            var before = Set(found);
            if (change(before) is not { } wanted)
                return before;
            if (await objects.ReplaceAsync(Key(id), Text(wanted), found.Version.Tag, ct) is not null)
                return wanted;
        }

        throw new AdapterException(AdapterFailureKind.Moved, $"The entry {Key(id)} changes all the time. Look who else writes the backup catalog.");
    }

    /// <summary>Removes an entry. One that is not there is removed.</summary>
    public Task RemoveAsync(string id, CancellationToken ct) => objects.DeleteAsync(Key(id), ct);

    private string Key(string id) => $"{prefix}{id}.json";

    private static byte[] Text(BackupSet set) => JsonSerializer.SerializeToUtf8Bytes(set, Json);

    private BackupSet Set(StoredContent content)
    {
        try
        {
            return JsonSerializer.Deserialize<BackupSet>(content.Content.Span, Json) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException failure)
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"An entry of the backup catalog under {prefix} cannot be read: {failure.Message} Restore its last version, or remove it when its set is gone.", failure);
        }
    }

    private AdapterException Gone(string id) => new(AdapterFailureKind.Missing, $"The backup catalog has no {id} under {prefix}. Somebody removed it; look at the bucket.");
}
