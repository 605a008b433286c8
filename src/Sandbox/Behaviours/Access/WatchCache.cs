using System.Text.Json;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>An object came (no before), changed, or went (no after).</summary>
internal sealed record ObjectChange(ClusterObject? Before, ClusterObject? After)
{
    public ClusterObject Latest => After ?? Before!;
}

/// <summary>
/// All objects of one kind, kept current by a watch. Answers to our own writes are put in at once (<see cref="Apply"/>), so that a
/// reconcile never acts on a world without its own last deed. <see cref="Changed"/> is raised in the order of the changes; its handlers
/// must be quick.
/// </summary>
internal sealed class WatchCache(ClusterClient client, ApiResource resource) : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(1);
    private readonly Lock _changing = new();
    private readonly RecentlyGone _gone = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile ObjectIndex _objects = ObjectIndex.Empty;
    private string? _version;
    private TimeSpan _retry = FirstRetry;
    private Task _watching = Task.CompletedTask;

    public event Action<ObjectChange>? Changed;

    public ApiResource Resource => resource;

    public IEnumerable<ClusterObject> All => _objects.All;

    public ClusterObject? Find(ObjectKey key) => _objects.Find(key);

    public ClusterObject? Find(string space, string name) => _objects.Find(new(space, name));

    /// <summary>The objects of a namespace, by name.</summary>
    public IEnumerable<ClusterObject> In(string space) => _objects.In(space);

    /// <summary>The objects that this one manages, by name.</summary>
    public IEnumerable<ClusterObject> ManagedBy(ClusterObject owner) => _objects.ManagedBy(owner.Uid);

    /// <summary>Reads the first list, then keeps watching.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await ListAsync(ct);
        _watching = Task.Run(() => WatchAsync(_stop.Token), CancellationToken.None);
    }

    /// <summary>Takes in a version that a write of ours was answered with, unless a newer one or the removal is known.</summary>
    public void Apply(ClusterObject latest)
    {
        lock (_changing)
        {
            var known = _objects.Find(latest.Key);
            if (_gone.Contains(latest.Uid) || known is not null && known.Version >= latest.Version)
                return;
            if (known is not null && known.Uid != latest.Uid)
            {
                Remove(known);
                known = null;
            }
            _objects = _objects.With(latest);
            Changed?.Invoke(new(known, latest));
        }
    }

    /// <summary>Takes out an object that is known to be gone.</summary>
    public void Remove(ClusterObject removed)
    {
        lock (_changing)
        {
            _gone.Add(removed.Uid);
            if (_objects.Find(removed.Key) is not { } known || known.Uid != removed.Uid)
                return;
            _objects = _objects.Without(known);
            Changed?.Invoke(new(known, null));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task ListAsync(CancellationToken ct)
    {
        var (items, version) = await client.ListAsync(resource, ct);
        var listed = items.Select(item => item.Uid).ToHashSet();
        // What was created after the list was taken is newer than the list, and stays.
        var taken = long.TryParse(version, out var number) ? number : long.MaxValue;
        foreach (var known in _objects.All.Where(known => !listed.Contains(known.Uid) && known.Version <= taken).ToList())
            Remove(known);
        foreach (var item in items)
            Apply(item);
        _version = version;
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (_version is null)
                    await ListAsync(ct);
                await foreach (var change in client.WatchAsync(resource, _version!, ct))
                {
                    Take(change);
                    _retry = FirstRetry;
                }
            }
            catch (ClusterError)
            {
                // Too old a version, or a watch that the server cannot go on with: start from a new list.
                _version = null;
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException or OperationCanceledException)
            {
                // The connection went: go on from the last version seen.
            }
            // The machine's clock: this waits for a server, not for the simulated world.
            await Task.Delay(_retry, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _retry = _retry * 2 < LongestRetry ? _retry * 2 : LongestRetry;
        }
    }

    private void Take(WatchEvent change)
    {
        _version = change.Body.At("metadata").Text("resourceVersion") ?? _version;
        if (change.Type == "BOOKMARK")
            return;
        var seen = new ClusterObject(resource, change.Body);
        if (change.Type == "DELETED")
            Remove(seen);
        else
            Apply(seen);
    }
}
