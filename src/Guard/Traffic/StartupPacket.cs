using System.Buffers.Binary;
using System.Text;

namespace PlatformOps.Guard.Traffic;

/// <summary>The first packet of a connection.</summary>
/// <param name="Bytes">As it came.</param>
/// <param name="Parameters">Of a session: user, database, ...</param>
internal sealed record StartupPacket(StartupKind Kind, byte[] Bytes, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>As in the server.</summary>
    private const int LongestPacket = 10_000;

    private static readonly Dictionary<string, string> None = [];

    public string User => Parameters.GetValueOrDefault("user", "");

    /// <summary>Whether it asks for the write-ahead log rather than for SQL.</summary>
    public bool Replication => Parameters.TryGetValue("replication", out var value) && value is not ("" or "0" or "false" or "off" or "no");

    /// <summary>Null: the connection ended, or it is no packet of PostgreSQL's.</summary>
    public static async Task<StartupPacket?> ReadAsync(Stream from, CancellationToken ct)
    {
        var head = new byte[8];
        if (await from.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct) < head.Length)
            return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(head);
        if (length is < 8 or > LongestPacket)
            return null;
        var bytes = new byte[length];
        head.CopyTo(bytes, 0);
        if (await from.ReadAtLeastAsync(bytes.AsMemory(8), length - 8, throwOnEndOfStream: false, ct) < length - 8)
            return null;
        return BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) switch
        {
            80877103 => new(StartupKind.Tls, bytes, None),
            80877104 => new(StartupKind.Gss, bytes, None),
            80877102 => new(StartupKind.Cancel, bytes, None),
            _ => new(StartupKind.Session, bytes, Read(bytes.AsSpan(8))),
        };
    }

    /// <summary>The process whose statement is to be cancelled.</summary>
    public int CancelledProcess => BinaryPrimitives.ReadInt32BigEndian(Bytes.AsSpan(8));

    private static Dictionary<string, string> Read(ReadOnlySpan<byte> pairs)
    {
        var words = Encoding.UTF8.GetString(pairs).Split('\0');
        var parameters = new Dictionary<string, string>();
        for (var at = 0; at + 1 < words.Length && words[at].Length > 0; at += 2)
            parameters[words[at]] = words[at + 1];
        return parameters;
    }
}

internal enum StartupKind
{
    Session,
    Tls,
    Gss,
    Cancel,
}
