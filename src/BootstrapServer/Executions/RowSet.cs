using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// Which rows of a run the current transaction changes. A row is serialised when the transaction is committed, so that
/// several changes to one row in a transaction cost one write.
/// </summary>
internal sealed class RowSet
{
    private readonly Dictionary<(RowKind Kind, string Id), Func<byte[]>?> changed = [];

    public bool Any => changed.Count > 0;

    public void Put(RowKind kind, string id, Func<byte[]> serialize) => changed[(kind, id)] = serialize;

    public void Delete(RowKind kind, string id) => changed[(kind, id)] = null;

    public List<RowChange> Take()
    {
        var taken = new List<RowChange>(changed.Count);
        foreach (var ((kind, id), serialize) in changed)
            taken.Add(new RowChange(kind, id, serialize?.Invoke()));
        changed.Clear();
        return taken;
    }
}

/// <summary>Pending things of one kind, in memory by id, and in rows.</summary>
internal sealed class Pending<TKey, TItem>(RowSet rows, RowKind kind)
    where TKey : notnull
    where TItem : class
{
    private readonly Dictionary<TKey, TItem> items = [];

    public int Count => items.Count;

    public IEnumerable<TItem> All => items.Values;

    public IEnumerable<KeyValuePair<TKey, TItem>> Entries => items;

    public TItem? Find(TKey key) => items.GetValueOrDefault(key);

    /// <summary>Adds the item, or writes it again after a change.</summary>
    public void Put(TKey key, TItem item)
    {
        items[key] = item;
        rows.Put(kind, Id(key), () => StateSerializer.Write(item));
    }

    public void Remove(TKey key)
    {
        if (items.Remove(key))
            rows.Delete(kind, Id(key));
    }

    public void Restore(TKey key, byte[] data) => items[key] = StateSerializer.Read<TItem>(data);

    private static string Id(TKey key) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{key}");
}
