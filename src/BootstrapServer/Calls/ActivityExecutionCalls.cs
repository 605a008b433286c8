using System.Runtime.CompilerServices;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>
/// What operators do to one activity, by the calls that newer clients send: they name an activity of a workflow, or one that
/// stands alone, which this server does not have.
/// </summary>
internal sealed class ActivityExecutionCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<PauseActivityExecutionResponse> PauseActivityExecution(PauseActivityExecutionRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, request.Identity);
        await ActivityControl.PauseAsync(run, One(request.ActivityId), request.Identity, request.Reason, request.RequestId);
        return new PauseActivityExecutionResponse();
    }

    public async Task<UnpauseActivityExecutionResponse> UnpauseActivityExecution(UnpauseActivityExecutionRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, request.Identity);
        await ActivityControl.UnpauseAsync(run, One(request.ActivityId), resetAttempts: false, resetHeartbeat: false, request.Jitter);
        return new UnpauseActivityExecutionResponse();
    }

    public async Task<ResetActivityExecutionResponse> ResetActivityExecution(ResetActivityExecutionRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, request.Identity);
        await ActivityControl.ResetAsync(run, One(request.ActivityId), request.ResetHeartbeat, request.KeepPaused, request.RestoreOriginalOptions, request.Jitter);
        return new ResetActivityExecutionResponse();
    }

    public async Task<UpdateActivityExecutionOptionsResponse> UpdateActivityExecutionOptions(UpdateActivityExecutionOptionsRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, request.Identity);
        RequestChecks.Priority(request.ActivityOptions?.Priority);
        return new UpdateActivityExecutionOptionsResponse
        {
            ActivityOptions = await ActivityControl.ChangeAsync(run, One(request.ActivityId), request.ActivityOptions, request.UpdateMask, request.RestoreOriginal),
        };
    }

    private static WhichActivities One(string activityId) => new(activityId, null, false);

    private WorkflowRun Find(string namespaceName, string workflowId, string runId, string activityId, string identity, [CallerMemberName] string call = "")
    {
        var ns = engine.Namespaces.Get(namespaceName);
        if (workflowId.Length == 0)
            throw ServiceError.Unimplemented($"{call} of a stand-alone activity (without a workflow id)");
        if (activityId.Length == 0)
            throw ServiceError.InvalidArgument("activity ID is required");
        RequestChecks.Length(activityId, "activity ID");
        RequestChecks.Length(identity, "identity");
        return engine.Find(ns, new WorkflowExecution { WorkflowId = workflowId, RunId = runId });
    }
}
