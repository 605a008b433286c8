using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Leasing;
using PlatformOps.Guard.Postgres;
using PlatformOps.Guard.Traffic;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard;

/// <summary>What the guard says of its node, and who waits for it to change.</summary>
internal sealed class NodeStatus(GuardConfiguration configuration, MemoryFile memory, Func<ServerProcess> server, Func<LeaseKeeper> keeper, Func<ClientGate> gate)
{
    private ServerView? view;
    private string? silence, trouble;
    private bool? commitsWaited;
    private long? end;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string last = "";
    private volatile bool dying;

    /// <summary>What the server said last; null: nothing since it was started.</summary>
    public ServerView? View => Volatile.Read(ref view);

    /// <summary>The server answered.</summary>
    public void Seen(ServerView seen)
    {
        silence = null;
        end = null;
        // With a standby that is gone they wait as well, and are not acknowledged; and a server whose first process has died still answers when its standby has left it.
        commitsWaited = seen.Recovering ? null : seen.Synchronous || (commitsWaited == true && memory.Memory.Synchronous);
        Volatile.Write(ref view, seen);
        Changed();
    }

    /// <summary>The server did not answer.</summary>
    public void Silent(string why)
    {
        silence = why;
        Changed();
    }

    /// <summary>The server is down.</summary>
    /// <param name="lsn">The end of its write-ahead log; null: not known.</param>
    public void Down(long? lsn)
    {
        silence = null;
        end = lsn;
        dying = false;
        Volatile.Write(ref view, null);
        Changed();
    }

    /// <summary>The server has ended by itself, and what comes of it is under way: nobody is told before <see cref="Down"/>. Who asks is answered.</summary>
    public void Dying() => dying = true;

    /// <summary>False from the moment in which the server ends by itself until <see cref="Down"/>.</summary>
    public bool Settled => !dying && (server().Running || !server().Remains);

    /// <summary>What does not succeed; null when it does again.</summary>
    public void Troubled(string? what)
    {
        trouble = what;
        Changed();
    }

    /// <summary>Tells those who wait, when there is something to tell.</summary>
    public void Changed()
    {
        if (!Settled)
            return;
        var state = Now().StateText();
        if (Interlocked.Exchange(ref last, state) != state)
            Interlocked.Exchange(ref changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>Ends with the next change.</summary>
    public Task NextChange => Volatile.Read(ref changed).Task;

    public DatabaseNode Now()
    {
        var known = memory.Memory;
        var seen = View;
        var (process, running) = (server(), server().Running);
        var lease = keeper();
        var writable = gate().IsOpen;
        // Clients get through to a primary only: a look at the server from before its promotion says nothing against that.
        var role = known.Rebuild is not null ? NodeRole.Rebuilding
            : !running ? NodeRole.Stopped
            : writable ? NodeRole.Primary
            : seen is null ? NodeRole.Unknown
            : seen.Recovering ? NodeRole.Standby : NodeRole.Primary;
        return new()
        {
            Name = configuration.Node,
            Role = role,
            Writable = writable,
            Fenced = known.Fence is not null && !running && !process.Remains && !writable && !lease.Held.Valid,
            Epoch = known.Epoch,
            Timeline = running ? seen?.Timeline : null,
            ReceivedLsn = running ? seen?.Received : end,
            ReplayedLsn = running && seen is { Recovering: true } ? seen.Replayed : null,
            Synchronous = running && seen is { Recovering: false } ? seen.Synchronous : null,
            // They may have ceased to since it was seen.
            CommitsWaited = role is NodeRole.Standby or NodeRole.Rebuilding ? null : commitsWaited & known.Synchronous,
            Streaming = running ? seen?.Streaming : null,
            LastMarker = running ? seen?.Marker : null,
            Trouble = Joined(trouble, running ? silence : null, known.Fence is { } fence ? $"Fenced in epoch {fence.Epoch}: {fence.Why}." : null, lease.Trouble),
        };
    }

    private static string? Joined(params string?[] sentences) => string.Join(' ', sentences.OfType<string>()) is { Length: > 0 } text ? text : null;
}
