using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Storage;

/// <summary>
/// All objects of one cluster, in memory and in the journal. One number counts every change: the resource version. The latest changes are
/// kept for watches; who asks for older ones has to list again.
/// </summary>
internal sealed class ObjectStore : IDisposable
{
    /// <summary>Changes kept for watches. A watch that lags behind by more ends with 410 Gone.</summary>
    internal const int HistoryLength = 20_000;

    private readonly Lock gate = new();
    private readonly ObjectJournal journal;
    private readonly Dictionary<string, SortedDictionary<(string Namespace, string Name), StoredObject>> objects = [];
    private readonly Queue<StoreEvent> history = [];
    private readonly List<Action<StoreEvent>> listeners = [];
    private long version;
    private long forgotten;

    public ObjectStore(ObjectJournal journal)
    {
        this.journal = journal;
        version = forgotten = Math.Max(journal.LastVersion(), 1);
        foreach (var item in journal.ReadAll())
            Table(item.Key.Storage)[(item.Key.Namespace, item.Key.Name)] = item;
    }

    /// <summary>Everything that decides on a write does so inside this lock; nothing in it waits.</summary>
    public Lock Gate => gate;

    public long Version
    {
        get
        {
            lock (gate)
                return version;
        }
    }

    public StoredObject? Find(ObjectKey key)
    {
        lock (gate)
            return objects.TryGetValue(key.Storage, out var table) ? table.GetValueOrDefault((key.Namespace, key.Name)) : null;
    }

    /// <summary>The objects of a kind in one namespace, or in all, by namespace and name; and the version at which this is so.</summary>
    public (IReadOnlyList<StoredObject> Objects, long Version) List(string storage, string? space)
    {
        lock (gate)
        {
            var table = objects.GetValueOrDefault(storage);
            IEnumerable<StoredObject> found = table is null ? [] : table.Values;
            return ([.. space is null ? found : found.Where(item => item.Key.Namespace == space)], version);
        }
    }

    /// <summary>Stores a new state of an object; the value's resource version is set here. The caller holds <see cref="Gate"/>.</summary>
    public StoredObject Put(ObjectKey key, JsonObject value)
    {
        var table = Table(key.Storage);
        var previous = table.GetValueOrDefault((key.Namespace, key.Name));
        version++;
        value.Child("metadata")["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        var stored = new StoredObject(key, value, version);
        table[(key.Namespace, key.Name)] = stored;
        Record(new(version, previous is null ? StoreEventType.Added : StoreEventType.Modified, stored, previous));
        return stored;
    }

    /// <summary>Removes an object. The caller holds <see cref="Gate"/>.</summary>
    public StoredObject Remove(StoredObject item)
    {
        version++;
        Table(item.Key.Storage).Remove((item.Key.Namespace, item.Key.Name));
        var last = item.Value.DeepClone().AsObject();
        last.Child("metadata")["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        var gone = new StoredObject(item.Key, last, version);
        Record(new(version, StoreEventType.Deleted, gone, item));
        return gone;
    }

    /// <summary>
    /// Hands over every change of a kind after <paramref name="after"/>, first those that have happened, then those that happen. Calls come one after
    /// the other, in order, and must return at once. Null when those changes are not kept any more.
    /// </summary>
    public IDisposable? Subscribe(string storage, long after, Action<StoreEvent> listener)
    {
        lock (gate)
        {
            if (after < forgotten)
                return null;
            foreach (var change in history.Where(change => change.ResourceVersion > after && change.Object.Key.Storage == storage))
                listener(change);
            Action<StoreEvent> filtered = change =>
            {
                if (change.Object.Key.Storage == storage)
                    listener(change);
            };
            listeners.Add(filtered);
            return new Subscription(this, filtered);
        }
    }

    /// <summary>Forgets the changes kept for watches, as a server does after a compaction.</summary>
    public void Compact()
    {
        lock (gate)
        {
            history.Clear();
            forgotten = version;
        }
    }

    public void Dispose() => journal.Dispose();

    private SortedDictionary<(string Namespace, string Name), StoredObject> Table(string storage)
    {
        if (!objects.TryGetValue(storage, out var table))
            objects[storage] = table = new(KeyOrder.Instance);
        return table;
    }

    private void Record(StoreEvent change)
    {
        journal.Write(change);
        history.Enqueue(change);
        if (history.Count > HistoryLength)
            forgotten = history.Dequeue().ResourceVersion;
        foreach (var listener in listeners.ToArray())
            listener(change);
    }

    private sealed class KeyOrder : IComparer<(string Namespace, string Name)>
    {
        public static readonly KeyOrder Instance = new();

        public int Compare((string Namespace, string Name) x, (string Namespace, string Name) y) =>
            string.CompareOrdinal(x.Namespace, y.Namespace) is not 0 and var order ? order : string.CompareOrdinal(x.Name, y.Name);
    }

    private sealed class Subscription(ObjectStore store, Action<StoreEvent> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (store.gate)
                store.listeners.Remove(listener);
        }
    }
}
