using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>How long the pods of a workload take from their node to readiness. The same seed and workload always give the same time.</summary>
internal static class ReadyTimes
{
    private const double ShortestSeconds = 1, LongestSeconds = 2.5;

    /// <summary>How many times longer a slow pod takes.</summary>
    public const int SlowFactor = 20;

    public static TimeSpan Of(int seed, string space, string workload)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{space}/{workload}"));
        var part = BinaryPrimitives.ReadUInt32BigEndian(digest) / (double)uint.MaxValue;
        return TimeSpan.FromMilliseconds(Math.Round((ShortestSeconds + (LongestSeconds - ShortestSeconds) * part) * 1000));
    }
}
