using System.Net;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Callbacks;

/// <summary>
/// Calls whoever waits for the end of a workflow, until the call arrives or is refused for good. What is owed is a row: after
/// a crash the calls go on, and a receiver may hear of the same end twice.
/// </summary>
internal sealed class CallbackSender(Engine engine) : IDisposable
{
    /// <summary>The real server's numbers.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromHours(1);

    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = RequestTimeout };

    /// <summary>
    /// True when nothing is left to do for this callback; otherwise it is tried again later. A run that is deleted takes its
    /// callbacks with it, those too that still wait for their next attempt.
    /// </summary>
    public async Task<bool> TryAsync(WorkflowRun run, OutgoingState owed, HistoryEvent close)
    {
        if (engine.IsDeleted(run))
            return true;
        if (run.Callbacks.Find(owed.CallbackId!) is not { Callback.Nexus: { } nexus } callback)
            return true;
        if (callback.NextAttempt is { } due && due > run.Now)
        {
            TryLater(run, owed, close, due); // after a restart
            return false;
        }
        var (failure, retry) = await CallAsync(NexusCompletion.Request(run, callback, nexus, close));
        DateTimeOffset? next = failure is not null && retry ? run.Now + Interval(callback.Attempt) : null;
        var deleted = await run.StepAsync(() =>
        {
            if (engine.IsDeleted(run))
                return true;
            run.Callbacks.Attempted(callback, failure, next);
            return false;
        });
        if (deleted || next is not { } later)
            return true;
        TryLater(run, owed, close, later);
        return false;
    }

    public void Dispose() => client.Dispose();

    private void TryLater(WorkflowRun run, OutgoingState owed, HistoryEvent close, DateTimeOffset due) =>
        engine.Timers.Add(due, () => engine.Background(engine.ClosingNews.DeliverAsync(run, owed, close)));

    private async Task<(Failure? Failure, bool Retry)> CallAsync(HttpRequestMessage request)
    {
        using (request)
        {
            try
            {
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                return response.IsSuccessStatusCode
                    ? (null, false)
                    : (Failed($"handler error ({(int)response.StatusCode}): {response.ReasonPhrase}", !IsWorthARetry(response.StatusCode)), IsWorthARetry(response.StatusCode));
            }
            catch (HttpRequestException e)
            {
                return (Failed(e.Message, false), true);
            }
            catch (OperationCanceledException)
            {
                return (Failed($"no answer within {RequestTimeout.TotalSeconds} seconds", false), true);
            }
        }
    }

    /// <summary>What may be better next time; a receiver that does not know the operation will not know it later.</summary>
    private static bool IsWorthARetry(HttpStatusCode code) => code is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || ((int)code >= 500 && code != HttpStatusCode.NotImplemented);

    private static TimeSpan Interval(int attempts)
    {
        var interval = FirstInterval * Math.Pow(2, Math.Min(attempts, 20));
        return interval < LongestInterval ? interval : LongestInterval;
    }

    private static Failure Failed(string message, bool nonRetryable) => new()
    {
        Message = message,
        ServerFailureInfo = new ServerFailureInfo { NonRetryable = nonRetryable },
    };
}
