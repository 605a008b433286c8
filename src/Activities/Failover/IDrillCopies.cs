using PlatformOps.Adapters.Failover;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>Makes isolated copies of databases for drills where this process stands, and removes them. Everything of a copy is on this machine, and nothing of it leads elsewhere.</summary>
public interface IDrillCopies
{
    /// <summary>Clones the environment's standby and makes a guarded pair of it, with clients that write. Of what an earlier drill left nothing is left before. Repeated for the same drill it
    /// begins anew.</summary>
    /// <param name="regions">The names of the copy's nodes, its primary first.</param>
    /// <exception cref="Adapters.AdapterException">It cannot be made; the message says why.</exception>
    Task<DrillCopy> MakeAsync(DrillOrder order, FailoverAccess access, IReadOnlyList<string> regions, CancellationToken ct);

    /// <summary>How the copy is reached; null: there is none here.</summary>
    FailoverAccess? Find(string environment);

    /// <summary>The machine of the copy's primary is lost at once.</summary>
    /// <returns>As a sentence.</returns>
    Task<string> LoseAsync(DrillOrder order, CancellationToken ct);

    /// <summary>It is back.</summary>
    Task<string> ReturnAsync(DrillOrder order, CancellationToken ct);

    /// <summary>Ends the clients and counts.</summary>
    Task<DrillAccount> AccountAsync(DrillOrder order, CancellationToken ct);

    /// <summary>Removes the copy, and looks for what may be left.</summary>
    Task<RemovedDrill> RemoveAsync(DrillOrder order, FailoverAccess access, CancellationToken ct);
}
