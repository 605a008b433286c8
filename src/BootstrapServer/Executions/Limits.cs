using Google.Protobuf;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>How much is too much. The numbers are the real server's defaults, so that what works here works there.</summary>
internal static class Limits
{
    public const int MaxIdLength = 1000;
    public const int BlobBytes = 2 * 1024 * 1024;
    public const int MemoBytes = 2 * 1024 * 1024;
    public const long HistoryEvents = 51_200;
    public const long HistoryBytes = 50L * 1024 * 1024;
    public const int PendingActivities = 2_000;
    public const int PendingChildren = 2_000;
    public const int PendingSignals = 2_000;
    public const int PendingCancels = 2_000;
    public const int SignalsPerRun = 10_000;
    public const int BufferedEvents = 100;
    private const long SuggestAfterEvents = 4 * 1024;
    private const long SuggestAfterBytes = 4L * 1024 * 1024;
    private const int UpdatesInFlight = 10;
    private const int UpdatesPerRun = 2_000;
    private const int WaitingQueries = 1_000;

    public static bool SuggestContinueAsNew(WorkflowRun run) =>
        run.Events.NextEventId >= SuggestAfterEvents || run.State.HistorySize >= SuggestAfterBytes || run.Updates.Total >= UpdatesPerRun * 0.9;

    public static void RequireRoomForUpdate(Updates updates)
    {
        if (updates.InFlight >= UpdatesInFlight)
        {
            throw ServiceError.ResourceExhausted(
                $"limit on number of concurrent in-flight updates has been reached ({UpdatesInFlight})", ResourceExhaustedCause.ConcurrentLimit);
        }
        if (updates.Total >= UpdatesPerRun)
        {
            throw ServiceError.FailedPrecondition(
                $"limit on number of total updates has been reached ({UpdatesPerRun}): continue the workflow as new");
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
        if (run.Events.NextEventId > HistoryEvents)
            return "Workflow history count exceeds limit.";
        return run.State.HistorySize > HistoryBytes ? "Workflow history size exceeds limit." : null;
    }

    /// <summary>Refuses a request's payload above the limit, before anything happens.</summary>
    public static void RequireSize(IMessage? message, string what, int limit = BlobBytes)
    {
        if (message is not null && message.CalculateSize() > limit)
            throw ServiceError.InvalidArgument($"{what} exceeds size limit: {message.CalculateSize()} of {limit} bytes.");
    }
}
