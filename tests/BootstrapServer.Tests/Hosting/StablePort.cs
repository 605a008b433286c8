using System.Net;
using System.Net.Sockets;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Ports for those who cannot let the system choose one, or who come back to theirs after they were down.</summary>
internal static class StablePort
{
    /// <summary>Below the ports that the system hands out (from 32768 on): nobody gets one of these by chance, so that it stays free meanwhile.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 32_768);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens on it.
            }
        }
    }
}
