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

    /// <summary>Nothing is under way: whoever ends the session now ends nothing else.</summary>
    public bool Idle
    {
        get
        {
            lock (gate)
                return open == 0 && transaction == 'I' && client.AtBoundary && server.AtBoundary;
        }
    }

    public void FromClient(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            // Query, Sync and FunctionCall are each answered by a ReadyForQuery. A Parse, Bind or Execute before its Sync is under way, too.
            client.Follow(bytes, type => open += type is (byte)'Q' or (byte)'S' or (byte)'F' ? 1 : 0);
            if (!client.LastEndsTurn)
                transaction = (byte)'T';
        }
    }

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

        /// <summary>The last message of the client is one that the server answers with ReadyForQuery, or none came yet.</summary>
        public bool LastEndsTurn { get; private set; } = true;

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
                LastEndsTurn = head[0] is (byte)'Q' or (byte)'S' or (byte)'F' or (byte)'p';
                begun(head[0]);
            }
        }
    }
}
