using System.Threading.Channels;

namespace PlatformOps.Sandbox.Behaviours.Reconciling;

/// <summary>
/// Keys that need a look. A key that waits already is not added twice, and one that is being looked at comes back only after
/// <see cref="Done"/>: never are two looks at one key under way. Delays run on the clock given.
/// </summary>
internal sealed class WorkQueue<T>(TimeProvider clock) : IDisposable where T : notnull
{
    private readonly Lock _lock = new();
    private readonly Channel<T> _ready = Channel.CreateUnbounded<T>();
    private readonly HashSet<T> _wanted = [];
    private readonly HashSet<T> _taken = [];
    private readonly Dictionary<T, (DateTimeOffset Due, ITimer Timer)> _later = [];
    private bool _closed;

    /// <summary>Whether nothing waits for a look now, and no look is under way. What is due later does not count.</summary>
    public bool Idle
    {
        get
        {
            lock (_lock)
                return _wanted.Count == 0 && _taken.Count == 0;
        }
    }

    public void Add(T key)
    {
        lock (_lock)
            if (!_closed && _wanted.Add(key) && !_taken.Contains(key))
                _ready.Writer.TryWrite(key);
    }

    /// <summary>Adds the key when the time has come. Of several delays for one key the earliest stays.</summary>
    public void Add(T key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }
        lock (_lock)
        {
            var due = clock.GetUtcNow() + delay;
            if (_closed || _later.TryGetValue(key, out var earlier) && earlier.Due <= due)
                return;
            earlier.Timer?.Dispose();
            _later[key] = (due, clock.CreateTimer(_ => Ripe(key, due), null, delay, Timeout.InfiniteTimeSpan));
        }
    }

    public async ValueTask<T> TakeAsync(CancellationToken ct)
    {
        var key = await _ready.Reader.ReadAsync(ct);
        lock (_lock)
        {
            _wanted.Remove(key);
            _taken.Add(key);
        }
        return key;
    }

    public void Done(T key)
    {
        lock (_lock)
        {
            _taken.Remove(key);
            if (_wanted.Contains(key))
                _ready.Writer.TryWrite(key);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (var (_, timer) in _later.Values)
                timer.Dispose();
            _later.Clear();
        }
    }

    private void Ripe(T key, DateTimeOffset due)
    {
        lock (_lock)
        {
            if (_later.TryGetValue(key, out var current) && current.Due == due)
            {
                current.Timer.Dispose();
                _later.Remove(key);
            }
            Add(key);
        }
    }
}
