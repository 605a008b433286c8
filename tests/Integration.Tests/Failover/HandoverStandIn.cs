using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What the worker role of a Temporal server does when a namespace is handed over: the steps of <c>namespace-handover</c> with their timeouts and their last step that is done in any case. Nothing is replicated
/// here, so that catching up and draining take no time but what a test gives them.</summary>
[Workflow("namespace-handover")]
public sealed class HandoverStandIn
{
    /// <summary>The server's own input.</summary>
    public sealed record Request(string Namespace, string RemoteCluster, int AllowedLaggingSeconds, long AllowedLaggingTasks, int HandoverTimeoutSeconds);

    [WorkflowRun]
    public async Task RunAsync(Request request)
    {
        await Workflow.ExecuteActivityAsync((Steps steps) => steps.CatchUpAsync(request), Patient());
        try
        {
            await Workflow.ExecuteActivityAsync((Steps steps) => steps.CloseAsync(request), Patient());
            await Workflow.ExecuteActivityAsync((Steps steps) => steps.DrainAsync(request), new() { StartToCloseTimeout = TimeSpan.FromSeconds(request.HandoverTimeoutSeconds), RetryPolicy = new() { MaximumAttempts = 1 } });
            await Workflow.ExecuteActivityAsync((Steps steps) => steps.MoveAsync(request), Patient());
        }
        finally
        {
            await Workflow.ExecuteActivityAsync((Steps steps) => steps.OpenAsync(request), Patient(CancellationToken.None));
        }
    }

    /// <summary>A worker of the system namespace in one region.</summary>
    public static async Task<TemporalWorker> WorkerAsync(TwoTemporals two, string region, Func<string, string, Task> at)
    {
        var client = await TemporalClient.ConnectAsync(new(two.Servers[region].Address) { Namespace = "temporal-system" });
        return new(client, new TemporalWorkerOptions("default-worker-tq").AddWorkflow<HandoverStandIn>().AddAllActivities(new Steps(two, region, at)));
    }

    private static ActivityOptions Patient(CancellationToken? ct = null) => new()
    {
        StartToCloseTimeout = TimeSpan.FromSeconds(10),
        RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), BackoffCoefficient = 1 },
        CancellationToken = ct ?? Workflow.CancellationToken,
    };

    /// <param name="at">Called with the namespace and <c>before</c> or <c>after</c> an effect, for example <c>after close</c>.</param>
    public sealed class Steps(TwoTemporals two, string region, Func<string, string, Task> at)
    {
        [Activity]
        public Task CatchUpAsync(Request request) => AroundAsync("catchUp", request, () => Task.CompletedTask);

        [Activity]
        public Task CloseAsync(Request request) => AroundAsync("close", request, () => two.SetStateAsync(region, request.Namespace, ReplicationState.Handover));

        [Activity]
        public Task DrainAsync(Request request) => AroundAsync("drain", request, () => Task.CompletedTask);

        [Activity]
        public Task MoveAsync(Request request) => AroundAsync("move", request, async () =>
        {
            if ((await two.SaysAsync(region, request.Namespace)).Cluster != request.RemoteCluster)
                await two.ActivateAsync(region, request.Namespace, request.RemoteCluster);
        });

        [Activity]
        public Task OpenAsync(Request request) => AroundAsync("open", request, () => two.SetStateAsync(region, request.Namespace, ReplicationState.Normal));

        private async Task AroundAsync(string step, Request request, Func<Task> effect)
        {
            await at(request.Namespace, $"before {step}");
            await effect();
            await at(request.Namespace, $"after {step}");
        }
    }
}
