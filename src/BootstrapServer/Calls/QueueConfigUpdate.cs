using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>A change of what operators set for a task queue.</summary>
internal static class QueueConfigUpdate
{
    private const int MostWeights = 1000;

    public static void Check(UpdateTaskQueueConfigRequest request)
    {
        CheckLimit(request.UpdateQueueRateLimit, request.TaskQueueType, "rate limit", "UpdateQueueRateLimit");
        CheckLimit(request.UpdateFairnessKeyRateLimitDefault, request.TaskQueueType, "fairness key rate limit", "UpdateFairnessKeyRateLimitDefault");
        if (request.Identity.Length > Limits.MaxIdLength)
            throw ServiceError.InvalidArgument($"Identity length exceeds limit of {Limits.MaxIdLength}.");
        foreach (var (key, weight) in request.SetFairnessWeightOverrides)
        {
            if (weight <= 0)
                throw ServiceError.InvalidArgument($"invalid fairness weight override for key \"{key}\": must be greater than zero");
            if (request.UnsetFairnessWeightOverrides.Contains(key))
                throw ServiceError.InvalidArgument($"fairness weight override for key \"{key}\" is both set and unset");
        }
        if (request.SetFairnessWeightOverrides.Count + request.UnsetFairnessWeightOverrides.Count > MostWeights)
            throw ServiceError.InvalidArgument($"too many fairness weight overrides in one request: at most {MostWeights}");
    }

    public static void Apply(UpdateTaskQueueConfigRequest request, TaskQueueConfig config, Timestamp now)
    {
        if (request.UpdateQueueRateLimit is { } queue)
            config.QueueRateLimit = Limit(queue, request.Identity, now);
        if (request.UpdateFairnessKeyRateLimitDefault is { } key)
            config.FairnessKeysRateLimitDefault = Limit(key, request.Identity, now);
        foreach (var unset in request.UnsetFairnessWeightOverrides)
            config.FairnessWeightOverrides.Remove(unset);
        foreach (var (name, weight) in request.SetFairnessWeightOverrides)
            config.FairnessWeightOverrides[name] = weight;
    }

    private static void CheckLimit(UpdateTaskQueueConfigRequest.Types.RateLimitUpdate? update, TaskQueueType type, string what, string field)
    {
        if (update is null)
            return;
        if (update.RateLimit is not null && type == TaskQueueType.Workflow)
            throw ServiceError.InvalidArgument($"Setting {what} on workflow task queues is not allowed.");
        if (update.RateLimit is { RequestsPerSecond: < 0 })
            throw ServiceError.InvalidArgument($"{field}: the rate may not be negative.");
        if (update.Reason.Length > Limits.MaxIdLength)
            throw ServiceError.InvalidArgument($"{field}.Reason length exceeds limit of {Limits.MaxIdLength}.");
    }

    /// <summary>Without a rate the limit is taken away; who did it, and why, stays.</summary>
    private static RateLimitConfig Limit(UpdateTaskQueueConfigRequest.Types.RateLimitUpdate update, string identity, Timestamp now) => new()
    {
        RateLimit = update.RateLimit,
        Metadata = new ConfigMetadata { Reason = update.Reason, UpdateIdentity = identity, UpdateTime = now },
    };
}
