using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Leasing;
using PlatformOps.Guard.Postgres;
using PlatformOps.Guard.Traffic;

namespace PlatformOps.Guard;

/// <summary>What a guard is made of.</summary>
/// <param name="Sql">For what is short: looking, and acting.</param>
/// <param name="SlowSql">For what may take long, so that looking goes on meanwhile.</param>
/// <param name="Stopping">The guard ends; for what outlives the call that began it.</param>
internal sealed record GuardParts(
    GuardConfiguration Configuration,
    MemoryFile Memory,
    LeaseKeeper Keeper,
    ClientGate Gate,
    ClientPath Clients,
    ReplicationPath Replication,
    ServerProcess Server,
    ServerSettings Settings,
    ServerSql Sql,
    ServerSql SlowSql,
    ServerTools Tools,
    ServerUser User,
    NodeStatus Status,
    TimeProvider Clock,
    ILogger Log,
    CancellationToken Stopping)
{
    /// <summary>Lets nobody through any more, at once.</summary>
    public void Cut()
    {
        Gate.Close();
        Clients.Cut();
        Status.Changed();
    }

    /// <summary>The same of a server that has ended by itself. What is said of it is said once, by <see cref="NodeStatus.Down"/>: whoever decides by half of it acts on a node that is fenced a moment later.</summary>
    public void CutDead()
    {
        Status.Dying();
        Cut();
    }
}
