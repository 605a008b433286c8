using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Checks that several calls make of their requests, with the messages of the real server.</summary>
internal static class RequestChecks
{
    /// <summary>How long a waiting call waits at most, when its caller would wait longer.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    private const int LongestFairnessKey = 64;

    public static void Start(StartWorkflowExecutionRequest request, ServerLimits limits)
    {
        Priority(request.Priority);
        Id(request.WorkflowId, "WorkflowId");
        if (request.WorkflowType is not { Name.Length: > 0 })
            throw ServiceError.InvalidArgument("WorkflowType is not set on request.");
        if (request.TaskQueue is not { Name.Length: > 0 })
            throw ServiceError.InvalidArgument("TaskQueue is not set on request.");
        Length(request.WorkflowType.Name, "WorkflowType");
        Length(request.TaskQueue.Name, "TaskQueue");
        Length(request.RequestId, "RequestId");
        NotNegative(request.WorkflowExecutionTimeout, "WorkflowExecutionTimeout");
        NotNegative(request.WorkflowRunTimeout, "WorkflowRunTimeout");
        NotNegative(request.WorkflowTaskTimeout, "WorkflowTaskTimeout");
        NotNegative(request.WorkflowStartDelay, "WorkflowStartDelay");
        Policies(request.WorkflowIdReusePolicy, request.WorkflowIdConflictPolicy);
        if (RetryBackoff.Problem(request.RetryPolicy) is { } retry)
            throw ServiceError.InvalidArgument(retry);
        if (request.CronSchedule.Length > 0)
        {
            CronSchedule.Parse(request.CronSchedule);
            if (request.WorkflowStartDelay is { } delay && delay.ToTimeSpan() > TimeSpan.Zero)
                throw ServiceError.InvalidArgument("CronSchedule and WorkflowStartDelay may not be used together.");
        }
        limits.RequireSize(request.Input, "WorkflowInput");
        Limits.RequireSize(request.Memo, "Memo", limits.MemoBytes);
    }

    /// <summary>Refuses pairs of policies that contradict each other.</summary>
    private static void Policies(WorkflowIdReusePolicy reuse, WorkflowIdConflictPolicy conflict)
    {
#pragma warning disable CS0612 // Deprecated in favour of the conflict policy, and still sent by SDKs.
        if (reuse == WorkflowIdReusePolicy.TerminateIfRunning && conflict != WorkflowIdConflictPolicy.Unspecified)
            throw ServiceError.InvalidArgument("Invalid WorkflowIDReusePolicy: TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy");
#pragma warning restore CS0612
        if (reuse == WorkflowIdReusePolicy.RejectDuplicate && conflict == WorkflowIdConflictPolicy.TerminateExisting)
            throw ServiceError.InvalidArgument("Invalid WorkflowIDReusePolicy: REJECT_DUPLICATE cannot be used together with conflict policy TERMINATE_EXISTING");
    }

    public static void Id(string id, string what)
    {
        if (id.Length == 0)
            throw ServiceError.InvalidArgument($"{what} is not set on request.");
        Length(id, what);
    }

    public static void Execution(WorkflowExecution? execution)
    {
        if (execution is null)
            throw ServiceError.InvalidArgument("Execution is not set on request.");
        Id(execution.WorkflowId, "WorkflowId");
    }

    /// <summary>What a waiting call may take: the caller's time less what the answer needs, at most a while.</summary>
    public static TimeSpan Patience(ServerCallContext call)
    {
        if (call.Deadline == DateTime.MaxValue)
            return LongestWait;
        var left = call.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime - TimeSpan.FromMilliseconds(500);
        return left < TimeSpan.Zero ? TimeSpan.Zero : left > LongestWait ? LongestWait : left;
    }

    public static void Priority(Priority? priority)
    {
        if (priority is null)
            return;
        if (priority.PriorityKey < 0)
            throw ServiceError.InvalidArgument("priority key can't be negative");
        if (priority.FairnessKey.Length > LongestFairnessKey)
            throw ServiceError.InvalidArgument("fairness key length exceeds limit");
        if (priority.FairnessWeight < 0)
            throw ServiceError.InvalidArgument("fairness weight must be greater than zero");
    }

    public static void Length(string value, string what)
    {
        if (value.Length > Limits.MaxIdLength)
            throw ServiceError.InvalidArgument($"{what} exceeds length limit: {value.Length} of {Limits.MaxIdLength}.");
    }

    private static void NotNegative(Duration? duration, string what)
    {
        if (duration is not null && duration.ToTimeSpan() < TimeSpan.Zero)
            throw ServiceError.InvalidArgument($"Invalid {what}: it may not be negative.");
    }
}
