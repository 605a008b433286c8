using PlatformOps.Platform.Failover;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>How a run that knows nothing finishes what another one began, whose history was lost with its Temporal cluster.</summary>
public sealed partial class RegionFailover
{
    /// <summary>Beside watching: a primary that dies meanwhile is not waited with. What comes before the promotion is gone on with by the claim, or decided by what the observers find.</summary>
    private async Task GoOnWithRestAsync()
    {
        if (input?.ValueOrNull?.State is not null || recovering is not null || Drill || settings!.Witness is not { Epoch: > 1, Lease.Released: false } || !Workflow.Patched("finish-what-is-left"))
            return;
        var (epoch, primary) = (state.Epoch, state.Primary!);
        await TryAsync(async () =>
        {
            var left = await Workflow.ExecuteActivityAsync((IFailoverActivities activities) => activities.ReadUnfinishedAsync(new(Environment)), new()
            {
                Summary = $"What is left of the last change of places of {Environment}",
                StartToCloseTimeout = TimeSpan.FromMinutes(1),
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 3 },
                CancellationToken = Watching.Token,
            });
            // Decided meanwhile, by people or by what was seen: that comes first, and ends with these steps too.
            if (left.Epoch != epoch || (state.Epoch, state.Primary) != (epoch, primary) || recovering is not null || pending is not null || suspended is not null || state.Recovery is not null || Standby is null)
                return;
            // What people have to do first makes nothing of it safe; what only cannot be read is the step's own business.
            if (left.Steps.Any(step => step is { Actor: NextActor.People, Step: not (FailoverStep.Repoint or FailoverStep.Namespaces) }) || !left.Steps.Any(step => step is { Actor: NextActor.Run, Step: FailoverStep.Repoint or FailoverStep.Rebuild }))
                return;
            Finish(primary, epoch, string.Join(" ", left.Steps.Select(step => step.Found)));
        });
    }

    /// <summary>From the write that proves it on: each step finds what is so already.</summary>
    private void Finish(string primary, long epoch, string found)
    {
        FailoverStep[] had = [FailoverStep.Claim, FailoverStep.Fence, FailoverStep.Promote];
        Begin(
            new() { Environment = Environment, Kind = FailoverKind.Failover, From = Standby!, To = primary, Epoch = epoch, Stack = StackMove.Stays, Loss = new(Nothing: false, null, null, null) },
            $"Epoch {epoch} is {primary}'s, and what {settings!.WitnessOperation} began was not finished: {found}", asked: false, had);
        state = state with { Recovery = state.Recovery! with { Promoted = true } };
    }
}
