using System.Buffers.Binary;
using PlatformOps.Guard.Traffic;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>When a session may be ended without ending anything else.</summary>
public class SessionFollowerTests
{
    private readonly SessionFollower session = new();

    [Fact]
    public void A_session_is_idle_between_its_statements_and_not_in_them()
    {
        Assert.False(session.Idle);
        session.FromServer(Ready('I'));
        Assert.True(session.Idle);
        session.FromClient(Message('Q', 20));
        Assert.False(session.Idle);
        session.FromServer([.. Message('C', 9), .. Ready('I')]);
        Assert.True(session.Idle);
    }

    [Fact]
    public void An_open_transaction_is_under_way_though_nothing_is_sent()
    {
        session.FromServer(Ready('I'));
        session.FromClient(Message('Q', 6));
        session.FromServer([.. Message('C', 6), .. Ready('T')]);
        Assert.False(session.Idle);
        session.FromClient(Message('Q', 7));
        session.FromServer([.. Message('C', 7), .. Ready('E')]);
        Assert.False(session.Idle);
        session.FromClient(Message('Q', 9));
        session.FromServer(Ready('I'));
        Assert.True(session.Idle);
    }

    [Fact]
    public void Statements_that_were_sent_at_once_are_all_answered_before_it_is_idle()
    {
        session.FromServer(Ready('I'));
        session.FromClient([.. Message('P', 30), .. Message('B', 12), .. Message('E', 9), .. Message('S', 4), .. Message('P', 8), .. Message('S', 4)]);
        session.FromServer([.. Message('1', 4), .. Ready('I')]);
        Assert.False(session.Idle);
        session.FromServer(Ready('I'));
        Assert.True(session.Idle);
        session.FromClient(Message('P', 30));
        Assert.False(session.Idle);
    }

    [Fact]
    public void It_does_not_matter_how_messages_are_cut_into_pieces()
    {
        session.FromServer(Ready('I'));
        byte[] asked = [.. Message('P', 300), .. Message('B', 5), .. Message('S', 4)], answered = [.. Message('D', 1000), .. Message('C', 14), .. Ready('I')];
        foreach (var piece in asked.Chunk(3))
        {
            session.FromClient(piece);
            Assert.False(session.Idle);
        }

        var pieces = answered.Chunk(7).ToList();
        foreach (var piece in pieces.SkipLast(1))
        {
            session.FromServer(piece);
            Assert.False(session.Idle);
        }

        session.FromServer(pieces[^1]);
        Assert.True(session.Idle);
    }

    [Fact]
    public void Data_of_a_copy_is_part_of_it_and_a_statement_without_its_end_is_under_way_though_the_one_before_it_is_answered()
    {
        session.FromServer(Ready('I'));
        session.FromClient([.. Message('Q', 30), .. Message('d', 100), .. Message('c', 4)]);
        session.FromServer([.. Message('C', 9), .. Ready('I')]);
        Assert.True(session.Idle);
        session.FromClient([.. Message('P', 30), .. Message('S', 4), .. Message('P', 30)]);
        session.FromServer([.. Message('1', 4), .. Ready('I')]);
        Assert.False(session.Idle);
    }

    [Fact]
    public void Only_an_idle_session_is_closed_and_a_closed_one_begins_nothing()
    {
        Assert.False(session.TryClose());
        session.FromServer(Ready('I'));
        Assert.True(session.FromClient(Message('Q', 20)));
        Assert.False(session.TryClose());
        Assert.False(session.Closed);
        session.FromServer(Ready('I'));
        Assert.True(session.TryClose());
        Assert.True(session.Closed);
        Assert.False(session.FromClient(Message('Q', 20)));
    }

    /// <param name="length">Counts itself, as in the protocol.</param>
    private static byte[] Message(char type, int length)
    {
        var message = new byte[1 + length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), length);
        return message;
    }

    private static byte[] Ready(char state)
    {
        var message = Message('Z', 5);
        message[^1] = (byte)state;
        return message;
    }
}
