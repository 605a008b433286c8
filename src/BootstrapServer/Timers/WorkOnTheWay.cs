namespace PlatformOps.BootstrapServer.Timers;

/// <summary>
/// Counts what a timer, a call or a step set going and that has not arrived yet: virtual time stands still until everything that
/// it caused is part of some run's state, or over. Without that a clock that jumps could overtake what it started itself.
/// </summary>
internal sealed class WorkOnTheWay
{
    private readonly Lock gate = new();
    private int count;

    /// <summary>Called when nothing is on its way any more.</summary>
    public Action? Arrived { get; set; }

    /// <summary>From now until the result is disposed something is on its way.</summary>
    public IDisposable Begin()
    {
        lock (gate)
            count++;
        return new Piece(this);
    }

    /// <summary>Acts while nothing is on its way, and lets nothing begin meanwhile. False when something is.</summary>
    public bool WhenNone(Func<bool> act)
    {
        lock (gate)
            return count == 0 && act();
    }

    private void End()
    {
        lock (gate)
        {
            if (--count > 0)
                return;
        }
        Arrived?.Invoke();
    }

    private sealed class Piece(WorkOnTheWay work) : IDisposable
    {
        private int over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref over, 1) == 0)
                work.End();
        }
    }
}
