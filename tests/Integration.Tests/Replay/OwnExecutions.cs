using PlatformOps.Activities;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.Integration.Tests.Replay;

/// <summary>Executions of the product's workflows, as the shipped worker for runbooks begins them, or one that decides otherwise. Nothing carries their activities out.</summary>
internal static class OwnExecutions
{
    /// <summary>Starts a run and has it decide what it does first.</summary>
    /// <returns>Its run id.</returns>
    public static async Task<string> BeginAsync(TemporalClient client, string id, bool otherwise = false)
    {
        var queue = $"queue-{Guid.NewGuid()}";
        using var worker = new TemporalWorker(client, otherwise ? new TemporalWorkerOptions(queue).AddWorkflow<Hasty>() : WorkerRegistration.CreateDomainWorkerOptions(WorkerDomain.Runbooks, queue));
        return await worker.ExecuteAsync(async () =>
        {
            var handle = await client.StartWorkflowAsync(nameof(ProvisionEnvironment), [new ProvisionEnvironmentInput { Environment = "development", Reason = "canary-of-a-payload" }], new(id, queue));
            await Wait.UntilAsync(
                async () => (await handle.FetchHistoryAsync()).Events.Any(one => one.EventType is EventType.ActivityTaskScheduled or EventType.TimerStarted), () => $"{id} does not begin.");
            return handle.ResultRunId!;
        });
    }

    /// <summary>A runbook as nobody has shipped it: it waits before it plans.</summary>
    [Workflow(nameof(ProvisionEnvironment))]
    public sealed class Hasty
    {
        [WorkflowRun]
        public Task RunAsync(ProvisionEnvironmentInput input) => Workflow.DelayAsync(TimeSpan.FromDays(1));
    }
}
