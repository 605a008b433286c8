using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.Platform.Certificates;

/// <summary>When a certificate is renewed.</summary>
public static class RenewalPolicy
{
    /// <summary>Of the time before a certificate is due, the last tenth is where it may fall due: certificates that were made together are not renewed together.</summary>
    private const double JitterShare = 0.1;

    /// <summary>When it is due: after a share of its lifetime, a little earlier by an amount that its name decides.</summary>
    /// <param name="key">What tells it from others, such as <c>name@region</c>: the same key gives the same time.</param>
    /// <param name="renewAt">Percent of its lifetime.</param>
    public static DateTimeOffset DueAt(string key, DateTimeOffset notBefore, DateTimeOffset notAfter, int renewAt)
    {
        var share = (notAfter - notBefore) * (renewAt / 100.0);
        var chance = BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(key))) / (double)uint.MaxValue;
        return notBefore + share - (share * JitterShare * chance);
    }
}
