using System.Diagnostics;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>Events per second over the last half minute, in one-second buckets.</summary>
internal sealed class RateMeter
{
    private const int Seconds = 30;

    private readonly int[] counts = new int[Seconds];
    private long lastSecond;

    public double PerSecond
    {
        get
        {
            Forget();
            return counts.Sum() / (double)Seconds;
        }
    }

    public void Count()
    {
        Forget();
        counts[lastSecond % Seconds]++;
    }

    private void Forget()
    {
        var second = Stopwatch.GetTimestamp() / Stopwatch.Frequency;
        if (second - lastSecond >= Seconds)
            Array.Clear(counts);
        else
        {
            for (var passed = lastSecond + 1; passed <= second; passed++)
                counts[passed % Seconds] = 0;
        }
        lastSecond = second;
    }
}
