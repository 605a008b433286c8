using System.Collections.Concurrent;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Reconciling;

/// <summary>
/// Brings objects to where they should be, one look at a time: a look reads the cluster as it is now and does what is missing. What made it
/// look does not matter, so a look can be lost, repeated or late. A look that failed is repeated soon.
/// </summary>
internal abstract class Controller : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly WorkQueue<ObjectKey> _retries;
    private readonly ConcurrentDictionary<ObjectKey, int> _failures = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly int _workers;
    private List<Task> _working = [];

    /// <param name="workers">How many looks, at different objects, may be under way at once.</param>
    protected Controller(Cluster cluster, BehaviourOptions options, int workers = 2)
    {
        Cluster = cluster;
        Options = options;
        _workers = workers;
        _queue = new(options.TimeProvider);
        // The machine's clock: retries wait for the API, not for the simulated world.
        _retries = new(TimeProvider.System);
    }

    public bool Idle => _queue.Idle && _failures.IsEmpty;

    protected Cluster Cluster { get; }

    protected BehaviourOptions Options { get; }

    protected DateTimeOffset Now => Options.TimeProvider.GetUtcNow();

    public void Start()
    {
        for (var worker = 0; worker < _workers; worker++)
            _working.Add(Task.Run(() => WorkAsync(_stop.Token)));
        _working.Add(Task.Run(() => ReturnAsync(_stop.Token)));
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_working);
        _working = [];
        _queue.Dispose();
        _retries.Dispose();
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Looks at every object of the kind whenever it changes.</summary>
    protected void For(ApiResource resource) => On(resource, change => [change.Latest.Key]);

    /// <summary>Looks at the owner of that kind whenever an object that it manages changes.</summary>
    protected void ForManaged(ApiResource resource, string ownerKind) => On(resource, change =>
        change.Latest.Controller is { } owner && owner.Kind == ownerKind
        ? [new ObjectKey(change.Latest.Namespace, owner.Name)]
        : []);

    /// <summary>Looks at the named objects whenever one of the kind changes. The keys are asked for while the cache is locked: be quick.</summary>
    protected void On(ApiResource resource, Func<ObjectChange, IEnumerable<ObjectKey>> keys) => On(Cluster.Of(resource), keys);

    /// <summary>Looks at the named objects whenever one of the cache changes.</summary>
    protected void On(WatchCache cache, Func<ObjectChange, IEnumerable<ObjectKey>> keys) => cache.Changed += change =>
    {
        foreach (var key in keys(change))
            _queue.Add(key);
    };

    protected void Look(ObjectKey key) => _queue.Add(key);

    protected void LookAgain(ObjectKey key, TimeSpan after) => _queue.Add(key, after);

    /// <summary>One look. Does nothing at all when all is right.</summary>
    protected abstract Task ReconcileAsync(ObjectKey key, CancellationToken ct);

    private async Task WorkAsync(CancellationToken ct)
    {
        while (await NextAsync(_queue, ct) is { } key)
        {
            try
            {
                await ReconcileAsync(key, ct);
                _failures.TryRemove(key, out _);
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                // A controller must survive whatever one object does to it; the object is tried again.
                var count = _failures.AddOrUpdate(key, 1, (_, before) => before + 1);
                if (failure is not ClusterError { Conflict: true })
                    Options.Trouble?.Invoke($"{GetType().Name} {key}: {failure.Message}");
                var delay = FirstRetry * Math.Pow(2, Math.Min(count - 1, 10));
                _retries.Add(key, delay < LongestRetry ? delay : LongestRetry);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                _queue.Done(key);
            }
        }
    }

    private async Task ReturnAsync(CancellationToken ct)
    {
        while (await NextAsync(_retries, ct) is { } key)
        {
            _retries.Done(key);
            _queue.Add(key);
        }
    }

    private static async Task<ObjectKey?> NextAsync(WorkQueue<ObjectKey> queue, CancellationToken ct)
    {
        try
        {
            return await queue.TakeAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
