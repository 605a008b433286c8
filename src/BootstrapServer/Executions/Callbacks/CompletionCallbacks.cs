using Google.Protobuf;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Callbacks;

/// <summary>Who wants to be called when the workflow ends: given at the start, or attached while it runs. The last run of a chain calls them.</summary>
internal sealed class CompletionCallbacks(WorkflowRun run, RowSet rows)
{
    /// <summary>The real server's limit.</summary>
    private const int Most = 32;

    private readonly Pending<string, CompletionCallback> attached = new(rows, RowKind.Callback);

    public IEnumerable<CompletionCallback> All => attached.All;

    /// <exception cref="Grpc.Core.RpcException">FAILED_PRECONDITION when there would be too many.</exception>
    public void RequireRoom(int more)
    {
        if (attached.Count + more > Most)
            throw ServiceError.FailedPrecondition($"cannot attach more than {Most} callbacks to a workflow ({attached.Count} callbacks already attached)");
    }

    public void Attach(string requestId, IEnumerable<Callback> callbacks)
    {
        foreach (var callback in callbacks)
        {
            var added = new CompletionCallback { Id = $"{requestId}-{attached.Count}", RequestId = requestId, Message = callback.ToByteArray(), Registered = run.Now };
            attached.Put(added.Id, added);
        }
    }

    public CompletionCallback? Find(string id) => attached.Find(id);

    /// <summary>True when the next attempt of this callback waits for its time.</summary>
    public bool IsBackingOff(string id) => attached.Find(id) is { State: CallbackState.BackingOff };

    /// <summary>The chain ended: the calls are owed now.</summary>
    public void RunClosed(HistoryEvent close)
    {
        foreach (var callback in attached.All.ToList())
        {
            callback.State = CallbackState.Scheduled;
            attached.Put(callback.Id, callback);
            run.Outgoing.OweCallback(callback.Id, close);
        }
    }

    /// <summary>An attempt ended.</summary>
    /// <param name="failure">Null when it arrived.</param>
    /// <param name="next">When to try again; null when there is nothing to try.</param>
    public void Attempted(CompletionCallback callback, Failure? failure, DateTimeOffset? next)
    {
        callback.Attempt++;
        callback.LastAttempt = run.Now;
        callback.LastFailure = failure;
        callback.NextAttempt = next;
        callback.State = failure is null ? CallbackState.Succeeded : next is null ? CallbackState.Failed : CallbackState.BackingOff;
        attached.Put(callback.Id, callback);
    }

    public void Restore(string id, byte[] data) => attached.Restore(id, data);
}
