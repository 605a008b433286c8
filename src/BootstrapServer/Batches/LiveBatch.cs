using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Batches;

/// <summary>
/// One batch operation that exists. While it runs it takes one execution after the other and notes each; an execution that is
/// gone, or closed, needs nothing more and counts as done.
/// </summary>
internal sealed class LiveBatch(BatchDirectory directory, Engine engine, Namespace ns, StoredBatch stored, BatchProgress progress, IReadOnlyList<BatchTarget> targets)
{
    private readonly Lock gate = new();

    public StoredBatch Stored => stored;

    public Namespace Namespace => ns;

    public bool IsRunning => Progress.State == BatchOperationState.Running;

    /// <summary>How far it is, at this moment.</summary>
    public BatchProgress Progress
    {
        get
        {
            lock (gate)
                return new BatchProgress { State = progress.State, CloseTime = progress.CloseTime, Total = progress.Total, Complete = progress.Complete, Failed = progress.Failed };
        }
    }

    /// <summary>Goes on with the first execution that is not counted yet, until all are or somebody stops it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        engine.Skipper?.Hold();
        try
        {
            var rate = new BatchRate(stored.Request.MaxOperationsPerSecond);
            var action = new BatchAction(engine, ns, stored.Request);
            for (var next = Progress; next.State == BatchOperationState.Running && next.Complete + next.Failed < next.Total; next = Progress)
            {
                await rate.WaitAsync(ct);
                if (!IsRunning)
                    return;
                var done = await TryAsync(action, targets[next.Complete + next.Failed]);
                await NoteAsync(() => _ = done ? progress.Complete++ : progress.Failed++);
            }
            await CloseAsync(BatchOperationState.Completed);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The server stops; the batch goes on with its next start.
        }
        finally
        {
            engine.Skipper?.Release();
        }
    }

    /// <summary>Ends it after the execution that it is busy with. False when it had ended.</summary>
    public Task<bool> StopAsync() => CloseAsync(BatchOperationState.Failed);

    private async Task<bool> CloseAsync(BatchOperationState state)
    {
        var closed = false;
        await NoteAsync(() =>
        {
            if (progress.State != BatchOperationState.Running)
                return;
            (progress.State, progress.CloseTime, closed) = (state, engine.Clock.GetUtcNow(), true);
        });
        return closed;
    }

    private static async Task<bool> TryAsync(BatchAction action, BatchTarget target)
    {
        try
        {
            await action.ApplyAsync(target);
            return true;
        }
        catch (RpcException e)
        {
            return e.StatusCode == StatusCode.NotFound;
        }
    }

    private Task NoteAsync(Action change)
    {
        lock (gate)
        {
            change();
            return directory.SaveAsync(stored, progress);
        }
    }
}
