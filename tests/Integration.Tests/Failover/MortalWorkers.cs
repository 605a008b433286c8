using PlatformOps.Activities;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Testing;
using Temporalio.Worker;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>When something happens to a step.</summary>
public enum Moment
{
    BeforeEffect,

    /// <summary>Before anybody is told of it.</summary>
    AfterEffect,

    /// <summary>The Temporal server knows of it.</summary>
    AfterCompletion,
}

/// <summary>The workers of failovers and of regions with the product's activities. They can die as one process does: what was under way stops where it was, nobody is told
/// anything, and their connections end.</summary>
internal sealed class MortalWorkers : IFailoverActivities, IAsyncDisposable
{
    private readonly FailoverActivities inner;
    private readonly Func<string, Moment, Task> reached;
    private readonly Link link;
    private readonly CancellationTokenSource dying = new(), ended = new();
    private readonly List<Task> working = [];
    private TemporalClient client = null!;

    private MortalWorkers(FailoverActivities inner, Link link, Func<string, Moment, Task> reached) => (this.inner, this.link, this.reached) = (inner, link, reached);

    /// <param name="serverPort">Where the bootstrap server listens.</param>
    /// <param name="reached">Told of each step's moments but the last, which the server alone knows.</param>
    public static async Task<MortalWorkers> StartAsync(
        int serverPort, IReadOnlyList<string> regions, ProvisioningSources sources, PlatformConnections connections, Func<string, Moment, Task> reached, CancellationToken ct)
    {
        var workers = new MortalWorkers(new(sources, connections, FailoverPairs.Opener(connections)), new(serverPort), reached);
        workers.client = await TemporalTarget.Of(workers.link.Address, "a test").ConnectAsync(ct);
        workers.Work(WorkerRegistration.CreateFailoverWorkerOptions(workers));
        foreach (var region in regions)
            workers.Work(WorkerRegistration.CreateRegionWorkerOptions(workers, TaskQueues.Of(region)));
        return workers;
    }

    /// <summary>They live, and nothing passes between them and the bootstrap server.</summary>
    public void CutOff() => link.Cut();

    /// <summary>They reach it again.</summary>
    public void Reach() => link.Restore();

    /// <summary>Kills them.</summary>
    public void Kill()
    {
        link.Break();
        dying.Cancel();
    }

    public Task<FailoverSettings> ReadFailoverSettingsAsync(ReadFailoverSettingsInput input) => MortalAsync("readSettings", activities => activities.ReadFailoverSettingsAsync(input));

    public Task ObserveRegionAsync(ObserveRegionInput input) => MortalAsync("observe", async activities =>
    {
        await activities.ObserveRegionAsync(input);
        return true;
    });

    public Task<FailoverStepResult> PrepareAsync(FailoverOrder order) => MortalAsync("prepare", activities => activities.PrepareAsync(order));

    public Task<ClaimedEpoch> ClaimEpochAsync(ClaimOrder order) => MortalAsync("claim", activities => activities.ClaimEpochAsync(order));

    public Task<FencedNode> FenceAsync(FenceOrder order) => MortalAsync("fence", activities => activities.FenceAsync(order));

    public Task<FailoverStepResult> PromoteAsync(FailoverOrder order) => MortalAsync("promote", activities => activities.PromoteAsync(order));

    public Task<FailoverStepResult> VerifyAsync(FailoverOrder order) => MortalAsync("verify", activities => activities.VerifyAsync(order));

    public Task<FailoverStepResult> RepointAsync(FailoverOrder order) => MortalAsync("repoint", activities => activities.RepointAsync(order));

    public Task<FailoverStepResult> MoveNamespacesAsync(FailoverOrder order) => MortalAsync("namespaces", activities => activities.MoveNamespacesAsync(order));

    public Task<UnfinishedFailover> ReadUnfinishedAsync(ReadUnfinishedInput input) => MortalAsync("readUnfinished", activities => activities.ReadUnfinishedAsync(input));

    public Task<WatchedHandover> GuardHandoverAsync(GuardHandoverOrder order) => MortalAsync("guardHandover", activities => activities.GuardHandoverAsync(order));

    public Task<FailoverStepResult> ScaleRegionAsync(FailoverOrder order) => MortalAsync("scale", activities => activities.ScaleRegionAsync(order));

    public Task<FailoverStepResult> RunCanaryAsync(FailoverOrder order) => MortalAsync("canary", activities => activities.RunCanaryAsync(order));

    public Task<RebuiltNode> RebuildAsync(FailoverOrder order) => MortalAsync("rebuild", activities => activities.RebuildAsync(order));

    public Task<ReadinessReport> CheckReadinessAsync(CheckReadinessInput input) => MortalAsync("readiness", activities => activities.CheckReadinessAsync(input));

    /// <summary>Nothing waits for it.</summary>
    public Task<ReadinessItem> ReadCapacityAsync(ReadCapacityInput input) => inner.ReadCapacityAsync(input);

    public Task<ClaimedEpoch> ClaimBackAsync(FailoverOrder order) => MortalAsync("claimBack", activities => activities.ClaimBackAsync(order));

    public Task<FailoverStepResult> UnfenceAsync(FailoverOrder order) => MortalAsync("unfence", activities => activities.UnfenceAsync(order));

    public Task<DrillCopy?> PrepareDrillAsync(DrillOrder order) => MortalAsync("prepareDrill", activities => activities.PrepareDrillAsync(order));

    public Task<FailoverStepResult> LoseDrillPrimaryAsync(DrillOrder order) => MortalAsync("loseDrillPrimary", activities => activities.LoseDrillPrimaryAsync(order));

    public Task<FailoverStepResult> ReturnDrillNodeAsync(DrillOrder order) => MortalAsync("returnDrillNode", activities => activities.ReturnDrillNodeAsync(order));

    public Task<DrillAccount> AccountForDrillAsync(DrillOrder order) => MortalAsync("accountForDrill", activities => activities.AccountForDrillAsync(order));

    public Task<RemovedDrill> RemoveDrillAsync(DrillOrder order) => MortalAsync("removeDrill", activities => activities.RemoveDrillAsync(order));

    public async ValueTask DisposeAsync()
    {
        await dying.CancelAsync();
        await ended.CancelAsync();
        // Whoever was dead is heard now, and believed no more.
        link.Restore();
        await Task.WhenAll(working).WaitAsync(TimeSpan.FromSeconds(30)).ContinueWith(_ => { }, TaskScheduler.Default);
        link.Dispose();
        inner.Dispose();
    }

    private void Work(TemporalWorkerOptions options) => working.Add(Task.Run(async () =>
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                using var worker = new TemporalWorker(client, options);
                await worker.ExecuteAsync(ended.Token);
            }
            catch (Exception) when (!ended.IsCancellationRequested)
            {
                // One that finds no server when it begins gives up: a service manager starts it again and again.
                await Task.Delay(200, ended.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }));

    private async Task<T> MortalAsync<T>(string step, Func<FailoverActivities, Task<T>> attempt)
    {
        var context = ActivityExecutionContext.Current;
        var process = new ActivityEnvironment { Info = context.Info, Heartbeater = context.Heartbeat, TemporalClient = client, PayloadConverter = context.PayloadConverter };
        await using var abort = context.CancellationToken.Register(() => process.Cancel());
        await using var death = dying.Token.Register(() => process.Cancel());
        try
        {
            await reached(step, Moment.BeforeEffect);
            dying.Token.ThrowIfCancellationRequested();
            var result = await process.RunAsync(() => attempt(inner));
            await reached(step, Moment.AfterEffect);
            dying.Token.ThrowIfCancellationRequested();
            return result;
        }
        catch (Exception) when (dying.IsCancellationRequested)
        {
            // Its last words are not heard.
            await Task.Delay(Timeout.InfiniteTimeSpan, ended.Token);
            throw;
        }
    }
}
