using System.Collections.Concurrent;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>
/// One thread that writes: whatever was handed in while it waited for the disk goes with the next sync, all together. After
/// a failed write nothing more is written, because the state in memory is ahead of the file: a restart finds what was acknowledged.
/// </summary>
internal sealed class GroupCommit : IDisposable
{
    private readonly string path;
    private readonly TransactionWriter writer;
    private readonly WriteAheadLog log;
    private readonly BlockingCollection<Pending> queue = [];
    private readonly Thread thread;
    private readonly Lock gate = new();
    private Task last = Task.CompletedTask;
    private Exception? broken;

    public GroupCommit(string path, TransactionWriter writer, WriteAheadLog log)
    {
        this.path = path;
        this.writer = writer;
        this.log = log;
        thread = new Thread(Run) { IsBackground = true, Name = "database writer" };
        thread.Start();
    }

    /// <summary>The last transaction handed in; since they are written in order, everything before it too.</summary>
    public Task Last => Volatile.Read(ref last);

    public Task Add(Transaction transaction)
    {
        var pending = new Pending(transaction);
        lock (gate)
        {
            if (queue.IsAddingCompleted)
                return Task.FromException(new StorageException($"Database file {path} is closed: the server is stopping."));
            queue.Add(pending);
            last = pending.Done.Task;
        }
        return pending.Done.Task;
    }

    /// <summary>Writes what was handed in, then ends.</summary>
    public void Dispose()
    {
        lock (gate)
            queue.CompleteAdding();
        thread.Join();
        queue.Dispose();
    }

    private void Run()
    {
        var batch = new List<Pending>();
        foreach (var first in queue.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (queue.TryTake(out var next))
                batch.Add(next);
            Write(batch);
            batch.Clear();
            if (broken is null)
                log.Tend();
        }
    }

    private void Write(List<Pending> batch)
    {
        try
        {
            if (broken is null)
                writer.Write(batch.Select(p => p.Transaction));
        }
        catch (Exception e)
        {
            broken = new StorageException($"Database file {path} cannot be written: {e.Message} Nothing is accepted any more; make room or repair it, and start the server again.", e);
        }
        foreach (var pending in batch)
        {
            if (broken is null)
                pending.Done.SetResult();
            else
                Fail(pending);
        }
    }

    private void Fail(Pending pending)
    {
        pending.Done.SetException(broken!);
        _ = pending.Done.Task.Exception; // seen: nobody has to wait for it
    }

    private sealed record Pending(Transaction Transaction)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
