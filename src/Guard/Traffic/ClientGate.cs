using PlatformOps.Guard.Leasing;

namespace PlatformOps.Guard.Traffic;

/// <summary>Whether clients get through: the node serves an epoch, and holds its lease at this very moment.</summary>
internal sealed class ClientGate(HeldLease lease)
{
    private long epoch;

    /// <summary>The epoch that is served; 0: none.</summary>
    public long Epoch => Interlocked.Read(ref epoch);

    public bool IsOpen => Epoch > 0 && lease.Valid;

    public void Open(long serve) => Interlocked.Exchange(ref epoch, serve);

    /// <summary>False: it was closed already.</summary>
    public bool Close() => Interlocked.Exchange(ref epoch, 0) != 0;

    /// <summary>Closes it when the lease of what is served is over; not when it was opened only just now, with a lease that was taken since. True: closed now.</summary>
    public bool CloseWhenOver() => Epoch is > 0 and var served && !lease.Valid && Interlocked.CompareExchange(ref epoch, 0, served) == served;

    /// <summary>Whether a session that began in an epoch may still pass.</summary>
    public bool Passes(long begunIn) => begunIn == Epoch && lease.Valid;
}
