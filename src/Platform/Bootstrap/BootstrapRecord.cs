namespace PlatformOps.Platform.Bootstrap;

/// <summary>What a bootstrap cluster keeps about itself: whether its workers may take work, and who may when they may not. It is kept in the cluster that it is about and changed by
/// compare-and-swap. A cluster without one was never moved and is active in epoch 1.</summary>
/// <param name="Epoch">The fencing token of the standing work: grows with every attempt to move it.</param>
/// <param name="PivotId">The attempt that wrote it; null when none did.</param>
/// <param name="Next">The epoch that the attempt leads to; 0 when none is going on.</param>
/// <param name="Peer">The other cluster, for people: <c>address/namespace</c>.</param>
/// <param name="Since">When the source was closed, by its own clock: from then on what falls due is made up for. Null before that.</param>
/// <param name="Fresh">Of a cluster that expects: it had no record before, and has none again when the attempt is taken back.</param>
public sealed record BootstrapRecord(
    BootstrapRole Role, long Epoch, string? PivotId = null, long Next = 0, string? Peer = null, DateTimeOffset? Since = null, bool Fresh = false)
{
    /// <summary>Of a cluster that was never moved.</summary>
    public static BootstrapRecord Unmoved { get; } = new(BootstrapRole.Active, 1);

    /// <summary>Whether workers take work from a cluster with such a record. Never true of both sides of a move, once the target expects it.</summary>
    public bool TakesWork => Role is BootstrapRole.Active or BootstrapRole.HandingOver or BootstrapRole.Returning;

    /// <summary>Whether new runs and schedules may be made there.</summary>
    public bool TakesOrders => Role is BootstrapRole.Active;
}

/// <summary>What a bootstrap cluster is.</summary>
public enum BootstrapRole
{
    /// <summary>Schedules fire there and workers take work.</summary>
    Active,

    /// <summary>Its standing work is being moved; nothing new is begun.</summary>
    HandingOver,

    /// <summary>A move is being taken back.</summary>
    Returning,

    /// <summary>Its standing work has been moved; <see cref="BootstrapRecord.Peer"/> is active. The point of no return lies before this.</summary>
    HandedOver,

    /// <summary>Standing work is being moved there; nobody takes work until all of it has come.</summary>
    Expecting,
}
