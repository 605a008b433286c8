namespace PlatformOps.Platform.Failover;

/// <summary>What the witness keeps for one environment: which node alone may be writable, and until when. It is changed by compare-and-swap only, so that of
/// two writers one learns that it lost.</summary>
/// <param name="Epoch">The fencing token: grows by one with every claim, never otherwise. 1 is the first.</param>
/// <param name="Primary">The node that may be writable in this epoch, for example <c>us-east-1</c>: nodes are named after their region.</param>
/// <param name="OperationId">The run that claimed the epoch.</param>
/// <param name="Lease">The lease of <paramref name="Primary"/>; null from the claim until that node has taken it.</param>
/// <param name="Replaced">The last lease that anybody held in an earlier epoch; null when it is over for certain. While it is here, it has to be waited out
/// before <paramref name="Primary"/> may take its own. A second claim keeps it: the one who claimed first may have died before it had waited.</param>
public sealed record WitnessRecord(long Epoch, string Primary, string OperationId, PrimaryLease? Lease, PrimaryLease? Replaced)
{
    /// <summary>The record after a failover's claim. The old primary's next renewal meets another record and fails.</summary>
    /// <param name="fenced">The old primary's guard said that its node is stopped and fenced: nothing has to be waited out.</param>
    public WitnessRecord Claim(string primary, string operationId, bool fenced) =>
        new(Epoch + 1, primary, operationId, Lease: null, (Lease ?? Replaced) is { } held ? fenced ? held.Release() : held : null);

    /// <summary>The record when its primary takes its lease, or renews it. Sequences go on over epochs, so that none is met twice.</summary>
    public WitnessRecord Renew(TimeSpan duration) => this with { Lease = new((Lease ?? Replaced)?.Sequence + 1 ?? 1, duration, Released: false), Replaced = null };

    /// <summary>The record when the guard of the replaced node has said, after the claim, that its node is stopped and fenced: it cannot renew any more, so that
    /// nothing has to be waited out.</summary>
    public WitnessRecord ReplacedFenced() => this with { Replaced = Replaced?.Release() };

    /// <summary>The record when its primary has given its lease back.</summary>
    public WitnessRecord Release() => this with { Lease = Lease?.Release() };
}

/// <summary>The permission of one node to be writable, renewed again and again by its guard.</summary>
/// <param name="Sequence">Grows by one with every renewal. That it grew is the only sign of life: no two clocks are ever compared.</param>
/// <param name="Duration">For how long the node may be writable, from the moment at which its guard <em>sent</em> the renewal, by the guard's own monotonic clock.</param>
/// <param name="Released">True when the guard gave the lease back: its node is stopped and fenced, and nobody has to wait.</param>
public sealed record PrimaryLease(long Sequence, TimeSpan Duration, bool Released)
{
    /// <summary>Given back.</summary>
    public PrimaryLease Release() => Released ? this : this with { Sequence = Sequence + 1, Released = true };
}
