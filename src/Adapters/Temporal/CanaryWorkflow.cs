using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>A workflow that does nothing but complete: to start it takes the frontend, history and the database, to hand its task out takes matching. Its
/// worker is here, and nothing of it is left afterwards.</summary>
public sealed class CanaryWorkflow(TemporalCluster cluster)
{
    internal const string WorkflowId = "platformops-canary";

    /// <summary>Starts one in a namespace and completes it.</summary>
    /// <returns>False when its task was not handed out in the time that a call may take.</returns>
    /// <exception cref="AdapterException">A part of it was refused or not answered.</exception>
    public async Task<bool> CompletesAsync(string space, CancellationToken ct)
    {
        await ForgetAsync(space, ct);
        // A queue of its own, so that nobody else's worker and no canary before it meets its task.
        var queue = $"{WorkflowId}-{Guid.NewGuid():N}";
        var started = await cluster.CallAsync($"start a canary workflow in namespace {space}", (services, rpc) => services.StartWorkflowExecutionAsync(
            new StartWorkflowExecutionRequest
            {
                Namespace = space,
                WorkflowId = WorkflowId,
                WorkflowType = new WorkflowType { Name = "Canary" },
                TaskQueue = new TaskQueue { Name = queue },
                RequestId = queue,
                Identity = WorkflowId,
                WorkflowRunTimeout = new() { Seconds = 60 },
                WorkflowIdConflictPolicy = WorkflowIdConflictPolicy.TerminateExisting,
            }, rpc), ct);
        try
        {
            return await CompleteAsync(space, queue, ct);
        }
        finally
        {
            // Also when nobody waits for the answer any more, because the run was aborted: what is left would be found in the namespace.
            await cluster.CallAsync($"delete the canary workflow in namespace {space}", (services, rpc) => services.DeleteWorkflowExecutionAsync(
                new DeleteWorkflowExecutionRequest { Namespace = space, WorkflowExecution = new WorkflowExecution { WorkflowId = WorkflowId, RunId = started.RunId } }, rpc), CancellationToken.None);
        }
    }

    /// <summary>Deletes what a worker left that died between start and deletion: each canary removes the one before it, so that there is never more than one.</summary>
    private async Task ForgetAsync(string space, CancellationToken ct)
    {
        try
        {
            await cluster.CallAsync($"delete an earlier canary workflow in namespace {space}", (services, rpc) => services.DeleteWorkflowExecutionAsync(
                new DeleteWorkflowExecutionRequest { Namespace = space, WorkflowExecution = new WorkflowExecution { WorkflowId = WorkflowId } }, rpc), ct);
        }
        catch (AdapterException none) when (none.Kind == AdapterFailureKind.Moved)
        {
            // There is none, as usual.
        }
    }

    private async Task<bool> CompleteAsync(string space, string queue, CancellationToken ct)
    {
        var task = await cluster.CallAsync($"poll for the canary workflow's task in namespace {space}", (services, rpc) => services.PollWorkflowTaskQueueAsync(
            new PollWorkflowTaskQueueRequest { Namespace = space, TaskQueue = new TaskQueue { Name = queue }, Identity = WorkflowId }, rpc), ct);
        if (task.TaskToken.IsEmpty)
            return false;
        await cluster.CallAsync($"complete the canary workflow in namespace {space}", (services, rpc) => services.RespondWorkflowTaskCompletedAsync(
            new RespondWorkflowTaskCompletedRequest
            {
                Namespace = space,
                TaskToken = task.TaskToken,
                Identity = WorkflowId,
                Commands =
                {
                    new Command { CommandType = CommandType.CompleteWorkflowExecution, CompleteWorkflowExecutionCommandAttributes = new CompleteWorkflowExecutionCommandAttributes() },
                },
            }, rpc), ct);
        return true;
    }
}
