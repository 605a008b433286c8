using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What operators do to the pending activities of a workflow: one by id, all of a type, or all.</summary>
internal sealed class ActivityControlCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<PauseActivityResponse> PauseActivity(PauseActivityRequest request, ServerCallContext context)
    {
        var which = new WhichActivities(request.HasId ? request.Id : null, request.HasType ? request.Type : null, false);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != PauseActivityRequest.ActivityOneofCase.None);
        await ActivityControl.PauseAsync(run, which, request.Identity, request.Reason, request.RequestId);
        return new PauseActivityResponse();
    }

    public async Task<UnpauseActivityResponse> UnpauseActivity(UnpauseActivityRequest request, ServerCallContext context)
    {
        var which = new WhichActivities(request.HasId ? request.Id : null, request.HasType ? request.Type : null, request.HasUnpauseAll);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != UnpauseActivityRequest.ActivityOneofCase.None);
        await ActivityControl.UnpauseAsync(run, which, request.ResetAttempts, request.ResetHeartbeat, request.Jitter);
        return new UnpauseActivityResponse();
    }

    public async Task<ResetActivityResponse> ResetActivity(ResetActivityRequest request, ServerCallContext context)
    {
        var which = new WhichActivities(request.HasId ? request.Id : null, request.HasType ? request.Type : null, request.HasMatchAll);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != ResetActivityRequest.ActivityOneofCase.None);
        await ActivityControl.ResetAsync(run, which, request.ResetHeartbeat, request.KeepPaused, request.RestoreOriginalOptions, request.Jitter);
        return new ResetActivityResponse();
    }

    public async Task<UpdateActivityOptionsResponse> UpdateActivityOptions(UpdateActivityOptionsRequest request, ServerCallContext context)
    {
        var which = new WhichActivities(request.HasId ? request.Id : null, request.HasType ? request.Type : null, request.HasMatchAll);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != UpdateActivityOptionsRequest.ActivityOneofCase.None);
        RequestChecks.Priority(request.ActivityOptions?.Priority);
        return new UpdateActivityOptionsResponse
        {
            ActivityOptions = await ActivityControl.ChangeAsync(run, which, request.ActivityOptions, request.UpdateMask, request.RestoreOriginal),
        };
    }

    private WorkflowRun Find(string namespaceName, WorkflowExecution? execution, bool activityGiven)
    {
        var ns = engine.Namespaces.Get(namespaceName);
        RequestChecks.Execution(execution);
        if (!activityGiven)
            throw ServiceError.InvalidArgument("Either activity id or activity type must be provided.");
        return engine.Find(ns, execution);
    }
}
