using System.Buffers.Binary;

namespace PlatformOps.Guard.Traffic;

/// <summary>Follows the messages of a session, to know when nothing is under way in it: every question was answered, and no transaction is open. Pure but for what it has seen.</summary>
internal sealed class SessionFollower
{
    private readonly Framing client = new(), server = new();
    private readonly Lock gate = new();

    /// <summary>The server speaks first: it greets with a ReadyForQuery.</summary>
    private int open = 1;

    private byte transaction = (byte)'I';

    /// <summary>Something came that no ReadyForQuery will answer before a Sync comes.</summary>
    private bool begun;

    private bool closed;

    /// <summary>Nothing is under way: whoever ends the session now ends nothing else.</summary>
    public bool Idle
    {
        get
        {
            lock (gate)
                return IsIdle;
        }
    }

    /// <summary>Nothing is passed on any more.</summary>
    public bool Closed
    {
        get
        {
            lock (gate)
                return closed;
        }
    }

    private bool IsIdle => open == 0 && transaction == 'I' && !begun && client.AtBoundary && server.AtBoundary;

    /// <summary>Lets nothing begin any more.</summary>
    /// <returns>False: something is under way, and goes on.</returns>
    public bool TryClose()
    {
        lock (gate)
            return closed |= IsIdle;
    }

    /// <summary>What the client sent, before it is passed on.</summary>
    /// <returns>False: the session is closed, and it must not be passed on.</returns>
    public bool FromClient(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            if (closed)
                return false;
            client.Follow(bytes, type =>
            {
                switch ((char)type)
                {
                    // Each is answered by a ReadyForQuery.
                    case 'Q' or 'S' or 'F':
                        open++;
                        begun = false;
                        break;
                    // They belong to what is under way: data of a COPY, a login.
                    case 'd' or 'c' or 'f' or 'p':
                        break;
                    default:
                        begun = true;
                        break;
                }
            });
            return true;
        }
    }

    /// <summary>What the server answered, when the client has it: an answer that is not with the client yet is under way.</summary>
    public void FromServer(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            server.Follow(bytes, _ => { }, state =>
            {
                transaction = state;
                open = Math.Max(0, open - 1);
            });
        }
    }

    /// <summary>Where messages begin and end: a letter, and a length that counts itself.</summary>
    private sealed class Framing
    {
        private readonly byte[] head = new byte[5];
        private int have;
        private int left;

        public bool AtBoundary => have == 0 && left == 0;

        public void Follow(ReadOnlySpan<byte> bytes, Action<byte> begun, Action<byte>? ready = null)
        {
            while (bytes.Length > 0)
            {
                if (left > 0)
                {
                    if (head[0] == 'Z')
                        ready?.Invoke(bytes[0]);
                    var taken = Math.Min(left, bytes.Length);
                    left -= taken;
                    bytes = bytes[taken..];
                    continue;
                }

                head[have++] = bytes[0];
                bytes = bytes[1..];
                if (have < head.Length)
                    continue;
                have = 0;
                left = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4;
                begun(head[0]);
            }
        }
    }
}
