namespace PlatformOps.BootstrapServer.Timers;

/// <summary>One deadline in a <see cref="TimerQueue"/>. It fires or is cancelled, never both.</summary>
internal sealed class TimerEntry(DateTimeOffset due, Action fire)
{
    private int taken;

    public DateTimeOffset Due => due;

    public bool Taken => Volatile.Read(ref taken) != 0;

    public bool TryTake() => Interlocked.Exchange(ref taken, 1) == 0;

    public void Fire() => fire();
}
