using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>Whoever approves hears what the region that takes over has no room for.</summary>
public sealed partial class RegionFailover
{
    /// <summary>Nothing waits for it: an approval may come before the answer.</summary>
    private void TellCapacity()
    {
        if (!Drill && Workflow.Patched("capacity-told"))
            _ = TellCapacityAsync(pending!);
    }

    private async Task TellCapacityAsync(Pending asked)
    {
        try
        {
            var found = await Workflow.ExecuteActivityAsync(
                (IFailoverActivities activities) => activities.ReadCapacityAsync(new(Environment, asked.Proposal.To)), Options($"Whether {asked.Proposal.To} has room", TimeSpan.FromSeconds(10), attempts: 1, CancellationToken.None));
            if (found.Ok == true || pending?.Hash != asked.Hash || phase != RunbookPhase.AwaitingApproval)
                return;
            pending = pending with { Why = $"{pending.Why} {found.Detail}" };
            EnterPhase(RunbookPhase.AwaitingApproval, pending.Why);
        }
        catch (ActivityFailureException)
        {
            // It is told what is known; that nothing is known is no reason to wait.
        }
    }
}
