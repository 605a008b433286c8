using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.Update.V1;

namespace PlatformOps.BootstrapServer.Executions;

internal enum LiveUpdateStage
{
    Admitted,
    Sent,
    Accepted,
    Completed,
}

/// <summary>One update while somebody may wait for it.</summary>
internal sealed class LiveUpdate(string id)
{
    private readonly TaskCompletionSource<Failure?> accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Outcome> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id => id;

    public string MessageId => id + "/request";

    /// <summary>Null when history brings it to the worker, or the worker has accepted it.</summary>
    public Request? Request { get; set; }

    /// <summary>Updates are delivered in the order in which they were admitted.</summary>
    public long Order { get; init; }

    public LiveUpdateStage Stage { get; set; }

    /// <summary>0 until the worker accepted it.</summary>
    public long AcceptedEventId { get; set; }

    public static LiveUpdate AlreadyAccepted(string id, long acceptedEventId)
    {
        var update = new LiveUpdate(id) { Stage = LiveUpdateStage.Accepted, AcceptedEventId = acceptedEventId };
        update.SayAccepted();
        return update;
    }

    public static LiveUpdate Ended(string id, Outcome outcome)
    {
        var update = new LiveUpdate(id) { Stage = LiveUpdateStage.Completed };
        update.End(outcome);
        return update;
    }

    public bool ToSend(bool includeSent) => Stage == LiveUpdateStage.Admitted || (includeSent && Stage == LiveUpdateStage.Sent);

    public void SayAccepted() => accepted.TrySetResult(null);

    public void SayRejected(Failure failure)
    {
        outcome.TrySetResult(new Outcome { Failure = failure });
        accepted.TrySetResult(failure);
    }

    /// <summary>The outcome is known before anybody hears of the acceptance, so that a waiter for that gets both.</summary>
    public void End(Outcome result)
    {
        outcome.TrySetResult(result);
        accepted.TrySetResult(null);
    }

    public void Abort(Exception error)
    {
        if (accepted.TrySetException(error))
            _ = accepted.Task.Exception; // seen: nobody has to wait for it
        if (outcome.TrySetException(error))
            _ = outcome.Task.Exception;
    }

    /// <summary>Waits for a stage. When patience ends first, says which stage was reached.</summary>
    public async Task<(UpdateWorkflowExecutionLifecycleStage Stage, Outcome? Outcome)> WaitAsync(
        UpdateWorkflowExecutionLifecycleStage wanted, TimeSpan patience, CancellationToken ct)
    {
        Task? wait = wanted switch
        {
            UpdateWorkflowExecutionLifecycleStage.Completed => outcome.Task,
            UpdateWorkflowExecutionLifecycleStage.Accepted => accepted.Task,
            _ => null,
        };
        if (wait is not null)
        {
            try
            {
                await wait.WaitAsync(patience, ct);
            }
            catch (TimeoutException)
            {
                // The stage that was reached is the answer; the caller polls again.
            }
            catch (OperationCanceledException)
            {
                throw new RpcException(new Status(StatusCode.DeadlineExceeded, "The update did not reach the wanted stage in time."));
            }
        }
        if (outcome.Task.IsCompletedSuccessfully)
            return (UpdateWorkflowExecutionLifecycleStage.Completed, await outcome.Task);
        return accepted.Task.IsCompletedSuccessfully
            ? (UpdateWorkflowExecutionLifecycleStage.Accepted, null)
            : (UpdateWorkflowExecutionLifecycleStage.Admitted, null);
    }
}
