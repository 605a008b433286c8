using Google.Protobuf;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What happens at the limits: refusals with the real server's messages.</summary>
internal static class Limits
{
    public const int MaxIdLength = 1000;
    private const int WaitingQueries = 1_000;

    /// <summary>Why the workflow would better continue as new; null when there is no reason.</summary>
    public static List<SuggestContinueAsNewReason>? ReasonsToContinueAsNew(WorkflowRun run)
    {
        List<SuggestContinueAsNewReason>? reasons = null;
        if (run.State.HistorySize >= run.Engine.Limits.SuggestAfterBytes)
            (reasons ??= []).Add(SuggestContinueAsNewReason.HistorySizeTooLarge);
        if (run.Events.NextEventId >= run.Engine.Limits.SuggestAfterEvents)
            (reasons ??= []).Add(SuggestContinueAsNewReason.TooManyHistoryEvents);
        if (run.Updates.Total >= run.Engine.Limits.UpdatesPerRun * 0.9)
            (reasons ??= []).Add(SuggestContinueAsNewReason.TooManyUpdates);
        return reasons;
    }

    public static void RequireRoomForUpdate(this ServerLimits limits, Updates updates)
    {
        if (updates.InFlight >= limits.UpdatesInFlight)
        {
            throw ServiceError.ResourceExhausted(
                $"limit on number of concurrent in-flight updates has been reached ({limits.UpdatesInFlight})", ResourceExhaustedCause.ConcurrentLimit);
        }
        if (updates.Total >= limits.UpdatesPerRun)
        {
            throw ServiceError.FailedPrecondition(
                $"limit on number of total updates has been reached ({limits.UpdatesPerRun}): continue the workflow as new");
        }
    }

    public static void RequireRoomForQuery(int waiting)
    {
        if (waiting >= WaitingQueries)
            throw ServiceError.ResourceExhausted("consistent query buffer is full, cannot accept new consistent queries", ResourceExhaustedCause.BusyWorkflow);
    }

    /// <summary>Why the history may not grow any more, or null.</summary>
    public static string? HistoryProblem(WorkflowRun run)
    {
        if (run.Events.NextEventId > run.Engine.Limits.HistoryEvents)
            return "Workflow history count exceeds limit.";
        return run.State.HistorySize > run.Engine.Limits.HistoryBytes ? "Workflow history size exceeds limit." : null;
    }

    /// <summary>Refuses a request's payload above the limit, before anything happens.</summary>
    public static void RequireSize(this ServerLimits limits, IMessage? message, string what) => RequireSize(message, what, limits.BlobBytes);

    /// <summary>As the other, with a limit of its own.</summary>
    public static void RequireSize(IMessage? message, string what, int limit)
    {
        if (message is not null && message.CalculateSize() > limit)
            throw ServiceError.InvalidArgument($"{what} exceeds size limit: {message.CalculateSize()} of {limit} bytes.");
    }
}
