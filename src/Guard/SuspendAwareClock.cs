using System.Runtime.InteropServices;

namespace PlatformOps.Guard;

/// <summary>The system's time, with timestamps that go on while the machine is suspended (<c>CLOCK_BOOTTIME</c>): a lease must not get longer by closing a lid.</summary>
public sealed class SuspendAwareClock : TimeProvider
{
    private const int BootTime = 7;
    private const long PerSecond = 1_000_000_000;

    /// <summary>The one of this process.</summary>
    public static SuspendAwareClock Instance { get; } = new();

    /// <inheritdoc/>
    public override long TimestampFrequency => PerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() =>
        ClockGetTime(BootTime, out var now) == 0 ? (now.Seconds * PerSecond) + now.Nanoseconds : throw new PlatformNotSupportedException("There is no CLOCK_BOOTTIME here: guards need Linux.");

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ClockGetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Time
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }
}
