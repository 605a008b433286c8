using System.Buffers.Binary;
using System.Text;

namespace PlatformOps.Guard.Traffic;

/// <summary>What the guard says in the server's place: real errors of the protocol, so that a driver with several hosts goes on to the next.</summary>
internal static class ServerErrors
{
    /// <summary><c>cannot_connect_now</c>: libpq and Npgsql try the next host.</summary>
    public const string CannotConnectNow = "57P03";

    /// <summary><c>admin_shutdown</c>: the session is over, and nothing that was sent since its last answer was carried out.</summary>
    public const string AdminShutdown = "57P01";

    public const string InvalidAuthorization = "28000";

    public const string ProtocolViolation = "08P01";

    public static byte[] Fatal(string code, string message)
    {
        var fields = Encoding.UTF8.GetBytes($"SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
        var response = new byte[5 + fields.Length];
        response[0] = (byte)'E';
        BinaryPrimitives.WriteInt32BigEndian(response.AsSpan(1), 4 + fields.Length);
        fields.CopyTo(response, 5);
        return response;
    }
}
