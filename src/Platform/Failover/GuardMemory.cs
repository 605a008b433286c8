namespace PlatformOps.Platform.Failover;

/// <summary>What a guard remembers over kill -9 and power loss. Each change of it is on disk before anything is done that follows from it.</summary>
public sealed record GuardMemory
{
    /// <summary>The highest epoch that the guard has seen, from callers and from the witness. Lower ones are refused.</summary>
    public long Epoch { get; init; }

    /// <summary>The epoch that the node's data was promoted for, and the only one that it serves in; 0: it is a standby, or nothing.</summary>
    public long ServesIn { get; init; }

    /// <summary>The node is the first primary of a new pair, and the witness has nothing yet.</summary>
    public bool First { get; init; }

    /// <summary>Why the node is out of service until somebody decides; null: it is not.</summary>
    public GuardFence? Fence { get; init; }

    /// <summary>A standby is being made of the node: its data may be half of one; null: not.</summary>
    public GuardRebuild? Rebuild { get; init; }

    /// <summary>Commits wait for the standby as long as the node is primary. A promotion sets it to false, and nothing else does by itself.</summary>
    public bool Synchronous { get; init; }

    /// <summary>The epoch for which everything that only this node has was kept as files; 0: nothing was.</summary>
    public long ExportedFor { get; init; }

    /// <summary>The operation whose restored data takes the place of the node's own: until it is opened by a promotion, or the old is put back, nothing else opens the node; null: none does.</summary>
    public string? Restoring { get; init; }

    /// <summary>Null when a call with this epoch may be carried out.</summary>
    public string? WhyRefused(long epoch) =>
        epoch < Epoch ? $"epoch {epoch} is over: epoch {Epoch} was claimed since. Whoever acts for {epoch} has to stop" : null;

    /// <summary>After somebody told of an epoch.</summary>
    public GuardMemory Seen(long epoch) => epoch > Epoch ? this with { Epoch = epoch } : this;

    /// <summary>Out of service from now on. An earlier reason stays: it is what happened.</summary>
    public GuardMemory Fenced(long epoch, string why) => Seen(epoch) with { Fence = Fence ?? new(epoch, why) };

    /// <summary>Promoted: the only way to serve in another epoch. Commits wait for nobody, since nobody follows yet.</summary>
    public GuardMemory Promoted(long epoch) => Seen(epoch) with { ServesIn = epoch, First = false, Fence = null, Restoring = null, Synchronous = ServesIn == epoch && Synchronous };

    /// <summary>From now on the data is not what it was.</summary>
    public GuardMemory Rebuilding(string primary, long epoch) => Seen(epoch) with { Rebuild = new(primary, epoch), ServesIn = 0, Synchronous = false, First = false };

    /// <summary>The data is a standby's.</summary>
    public GuardMemory Rebuilt() => this with { Rebuild = null, Fence = null };
}

/// <param name="Epoch">Of whoever fenced it.</param>
public sealed record GuardFence(long Epoch, string Why);

/// <param name="Primary">The node to follow.</param>
public sealed record GuardRebuild(string Primary, long Epoch);
