using Temporalio.Activities;

namespace PlatformOps.Workflows.Failover;

/// <summary>What a failover asks of the outside. Every one may run twice: it may die after its effect and before its answer. Whatever changes something takes a
/// <see cref="FailoverOrder"/> with an epoch, and every actuator refuses an older one.</summary>
public interface IFailoverActivities
{
    /// <summary>Reads the specification and what the witness keeps. Changes nothing.</summary>
    [Activity]
    Task<FailoverSettings> ReadFailoverSettingsAsync(ReadFailoverSettingsInput input);

    /// <summary>Watches database, witness and services from one region until it is cancelled, and signals the failover whenever something changed. Heartbeats.
    /// Changes nothing but the row of its write probe.</summary>
    [Activity]
    Task ObserveRegionAsync(ObserveRegionInput input);

    /// <summary>Makes sure that the new primary has what it needs: it follows, commits wait for it, and what only it has was exported before.</summary>
    [Activity]
    Task<FailoverStepResult> PrepareAsync(FailoverOrder order);

    /// <summary>Claims the next epoch for the new primary by compare-and-swap; once for each operation. Answers void when the facts are others than those that were decided by.</summary>
    [Activity]
    Task<ClaimedEpoch> ClaimEpochAsync(ClaimOrder order);

    /// <summary>Lets nobody through the old primary any more and stops it.</summary>
    [Activity]
    Task<FencedNode> FenceAsync(FenceOrder order);

    /// <summary>Makes the new primary writable once nobody else can be.</summary>
    [Activity]
    Task<FailoverStepResult> PromoteAsync(FailoverOrder order);

    /// <summary>Writes through the path that clients take, with the epoch, and reads it back.</summary>
    [Activity]
    Task<FailoverStepResult> VerifyAsync(FailoverOrder order);

    /// <summary>Leads Service, Secret reference and DNS to the new primary.</summary>
    [Activity]
    Task<FailoverStepResult> RepointAsync(FailoverOrder order);

    /// <summary>Makes the Temporal namespaces active where the database is: handed over by the server when it was planned, else by force; and asks both sides whether they agree. Heartbeats.</summary>
    [Activity]
    Task<FailoverStepResult> MoveNamespacesAsync(FailoverOrder order);

    /// <summary>Watches handovers of namespaces until they have ended, on the old or on the new side, and opens what stays closed. Heartbeats.</summary>
    [Activity]
    Task<WatchedHandover> GuardHandoverAsync(GuardHandoverOrder order);

    /// <summary>Scales what serves in the new primary's region up, after it has seen that there is room.</summary>
    [Activity]
    Task<FailoverStepResult> ScaleRegionAsync(FailoverOrder order);

    /// <summary>Runs a workflow on the platform's own Temporal and waits for its end.</summary>
    [Activity]
    Task<FailoverStepResult> RunCanaryAsync(FailoverOrder order);

    /// <summary>Exports what only the old primary has and makes a standby of it that follows the new one. Heartbeats.</summary>
    [Activity]
    Task<RebuiltNode> RebuildAsync(FailoverOrder order);

    /// <summary>Looks whether everything is there that the next failover would need. Changes nothing.</summary>
    [Activity]
    Task<ReadinessReport> CheckReadinessAsync(CheckReadinessInput input);

    /// <summary>What the last run of <c>WarmStandby</c> found of the region that would take over. Changes nothing.</summary>
    [Activity]
    Task<ReadinessItem> ReadCapacityAsync(ReadCapacityInput input);

    /// <summary>Reads at witness, nodes and what leads to them what is left of a change of places whose history is lost. Changes nothing.</summary>
    [Activity]
    Task<UnfinishedFailover> ReadUnfinishedAsync(ReadUnfinishedInput input);

    /// <summary>Takes a claim back: claims a further epoch for the old primary, whether the claim of this operation has arrived or is still on its way.</summary>
    [Activity]
    Task<ClaimedEpoch> ClaimBackAsync(FailoverOrder order);

    /// <summary>Makes the isolated copy of a drill, with clients that write. Heartbeats. Null: people have made one (<c>failover.{environment}-drill</c>).</summary>
    [Activity]
    Task<DrillCopy?> PrepareDrillAsync(DrillOrder order);

    /// <summary>The machine of the copy's primary is lost.</summary>
    [Activity]
    Task<FailoverStepResult> LoseDrillPrimaryAsync(DrillOrder order);

    /// <summary>It is back.</summary>
    [Activity]
    Task<FailoverStepResult> ReturnDrillNodeAsync(DrillOrder order);

    /// <summary>Ends the clients of the copy and counts their rows.</summary>
    [Activity]
    Task<DrillAccount> AccountForDrillAsync(DrillOrder order);

    /// <summary>Removes the copy and looks for what may be left.</summary>
    [Activity]
    Task<RemovedDrill> RemoveDrillAsync(DrillOrder order);

    /// <summary>Lets the old primary serve again as it did; also starts a server again that merely stopped.</summary>
    [Activity]
    Task<FailoverStepResult> UnfenceAsync(FailoverOrder order);
}
