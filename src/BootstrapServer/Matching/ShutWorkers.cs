using System.Collections.Concurrent;
using System.Diagnostics;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>Workers that said goodbye a short while ago: polls of theirs that come after it end at once.</summary>
internal sealed class ShutWorkers
{
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, long> shut = new();

    public bool Contains(string workerKey) => !shut.IsEmpty && workerKey.Length > 0 && shut.ContainsKey(workerKey);

    public void Add(string workerKey)
    {
        foreach (var (key, at) in shut)
        {
            if (Stopwatch.GetElapsedTime(at) > Remembered)
                shut.TryRemove(key, out _);
        }
        shut[workerKey] = Stopwatch.GetTimestamp();
    }
}
