using System.Collections.Concurrent;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Batches;

/// <summary>All batch operations, in memory and in the store. One of a namespace runs at a time; ended ones are kept as long as its runs.</summary>
internal sealed class BatchDirectory(Engine engine) : IAsyncDisposable
{
    private const string DocumentKind = "batch";
    private const string ProgressKind = "batchProgress";
    private const string TargetsKind = "batchTargets";

    /// <summary>Executions in one document.</summary>
    private const int Piece = 1000;

    private readonly ConcurrentDictionary<(string NamespaceId, string JobId), LiveBatch> batches = new();
    private readonly ConcurrentDictionary<LiveBatch, Task> running = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();

    /// <summary>The batches of a namespace, the last started first.</summary>
    public IReadOnlyList<LiveBatch> Of(Namespace ns)
    {
        foreach (var (key, batch) in batches.Where(b => b.Key.NamespaceId == ns.Id))
        {
            if (batch.Progress.CloseTime is { } closed && closed + ns.Retention <= engine.Clock.GetUtcNow())
                Forget(key, batch);
        }
        return [.. batches.Values.Where(b => b.Namespace.Id == ns.Id).OrderByDescending(b => b.Stored.StartTime).ThenBy(b => b.Stored.JobId, StringComparer.Ordinal)];
    }

    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND when there is none of that id.</exception>
    public LiveBatch Get(Namespace ns, string jobId) => Of(ns).FirstOrDefault(b => b.Stored.JobId == jobId)
        ?? throw ServiceError.NotFound($"workflow not found for ID: {jobId}");

    /// <summary>Keeps a batch and whom it means, then lets it run.</summary>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED while another runs; ALREADY_EXISTS when the job id was used.</exception>
    public async Task StartAsync(Namespace ns, StoredBatch stored, IReadOnlyList<BatchTarget> targets)
    {
        LiveBatch batch;
        Task durable;
        lock (gate)
        {
            var all = Of(ns);
            if (all.Any(b => b.IsRunning))
                throw ServiceError.ResourceExhausted("Max concurrent batch operations is reached", ResourceExhaustedCause.ConcurrentLimit);
            if (all.Any(b => b.Stored.JobId == stored.JobId))
                throw ServiceError.AlreadyStarted($"Batch job {stored.JobId} was started before: use another job id.", "", "", "");
            var progress = new BatchProgress { Total = targets.Count };
            batch = batches[(ns.Id, stored.JobId)] = new LiveBatch(this, engine, ns, stored, progress, targets);
            var transaction = new Transaction { Documents = { new(DocumentKind, Id(stored), StateSerializer.Write(stored)), ProgressOf(stored, progress) } };
            foreach (var (index, piece) in targets.Chunk(Piece).Index())
                transaction.Documents.Add(new(TargetsKind, PieceId(stored, index), StateSerializer.Write(new BatchTargets { Executions = [.. piece] })));
            durable = engine.Store.Commit(transaction);
        }
        await durable;
        Run(batch);
    }

    /// <summary>Keeps how far a batch is; whom it meant is no longer needed once it ended.</summary>
    public Task SaveAsync(StoredBatch stored, BatchProgress progress)
    {
        var transaction = new Transaction { Documents = { ProgressOf(stored, progress) } };
        if (progress.State != BatchOperationState.Running)
            transaction.Documents.AddRange(WithoutTargets(stored, progress));
        return engine.Store.Commit(transaction);
    }

    /// <summary>Loads batches, and lets those go on that had not ended.</summary>
    public void Recover()
    {
        var progress = engine.Store.Documents(ProgressKind).ToDictionary(d => d.Key, d => StateSerializer.Read<BatchProgress>(d.Value));
        var targets = engine.Store.Documents(TargetsKind).ToDictionary(d => d.Key, d => StateSerializer.Read<BatchTargets>(d.Value));
        foreach (var (id, data) in engine.Store.Documents(DocumentKind))
        {
            var stored = StateSerializer.Read<StoredBatch>(data);
            if (engine.Namespaces.FindById(stored.NamespaceId) is not { } ns)
                continue;
            var pieces = Enumerable.Range(0, Pieces(progress[id])).Select(i => targets.GetValueOrDefault(PieceId(stored, i)));
            var batch = new LiveBatch(this, engine, ns, stored, progress[id], [.. pieces.SelectMany(p => p?.Executions ?? [])]);
            batches[(ns.Id, stored.JobId)] = batch;
            if (batch.IsRunning)
                Run(batch);
        }
    }

    /// <summary>Stops and forgets the batches of a namespace that goes away.</summary>
    public async Task DeleteAllAsync(Namespace ns)
    {
        foreach (var batch in Of(ns))
        {
            await batch.StopAsync();
            Forget((ns.Id, batch.Stored.JobId), batch);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(running.Values);
        stopping.Dispose();
    }

    private void Run(LiveBatch batch)
    {
        var work = batch.RunAsync(stopping.Token);
        running[batch] = work;
        engine.Background(work.ContinueWith(
            finished =>
            {
                running.TryRemove(batch, out _);
                return finished;
            },
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default).Unwrap());
    }

    private void Forget((string NamespaceId, string JobId) key, LiveBatch batch)
    {
        batches.TryRemove(key, out _);
        engine.Background(engine.Store.Commit(new Transaction
        {
            Documents = { new(DocumentKind, Id(batch.Stored), null), new(ProgressKind, Id(batch.Stored), null) },
        }));
    }

    private static IEnumerable<DocumentChange> WithoutTargets(StoredBatch stored, BatchProgress progress) =>
        Enumerable.Range(0, Pieces(progress)).Select(i => new DocumentChange(TargetsKind, PieceId(stored, i), null));

    private static DocumentChange ProgressOf(StoredBatch stored, BatchProgress progress) => new(ProgressKind, Id(stored), StateSerializer.Write(progress));

    private static int Pieces(BatchProgress progress) => (progress.Total + Piece - 1) / Piece;

    private static string Id(StoredBatch stored) => $"{stored.NamespaceId}/{stored.JobId}";

    private static string PieceId(StoredBatch stored, int piece) => $"{Id(stored)}/{piece}";
}
