using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace PlatformOps.Starter.Demos;

/// <summary>Ports of loopback for programs that have to be told one before they listen.</summary>
internal static class LocalPorts
{
    private static readonly ConcurrentDictionary<int, bool> Taken = [];

    /// <summary>Ports that nobody listens on, from below the range that the system takes for port 0 and for outgoing connections: so that one is still free when whoever listens on it begins late, or was
    /// down for a while. A process gets each of them once.</summary>
    public static int[] Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Take())];

    /// <inheritdoc cref="Take(int)"/>
    public static int Take()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(10_000, 32_768);
            if (!Taken.TryAdd(port, true))
                continue;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens on it.
            }
        }
    }
}
