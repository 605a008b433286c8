using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Executions.Callbacks;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Callbacks as a description shows them.</summary>
internal static class CallbackInfos
{
    public static CallbackInfo Describe(CompletionCallback callback) => new()
    {
        Callback = callback.Callback,
        Trigger = new CallbackInfo.Types.Trigger { WorkflowClosed = new CallbackInfo.Types.WorkflowClosed() },
        RegistrationTime = callback.Registered.ToTimestamp(),
        State = callback.State,
        Attempt = callback.Attempt,
        LastAttemptCompleteTime = callback.LastAttempt?.ToTimestamp(),
        LastAttemptFailure = callback.LastFailure,
        NextAttemptScheduleTime = callback.NextAttempt?.ToTimestamp(),
        RequestId = callback.RequestId,
    };
}
