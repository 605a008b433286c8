using Microsoft.Data.Sqlite;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Storage.Sqlite;

namespace PlatformOps.BootstrapServer.Tests.Durability;

public sealed class StoreTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("store-").FullName;

    private string Path => System.IO.Path.Combine(folder, "state.db");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keeps_runs_with_rows_and_batches(bool sqlite)
    {
        await using IStore store = sqlite ? new SqliteStore(Path) : new MemoryStore();
        await FillAsync(store);
        Check(store);
    }

    [Fact]
    public async Task Finds_everything_again_after_it_was_closed()
    {
        await using (var store = new SqliteStore(Path))
            await FillAsync(store);
        await using var again = new SqliteStore(Path);
        Check(again);
        Assert.Equal(4, again.NextRunKey());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reads_closed_runs_in_the_order_of_lists_slice_by_slice(bool sqlite)
    {
        await using IStore store = sqlite ? new SqliteStore(Path) : new MemoryStore();
        var all = new List<ClosedRun>();
        for (var n = 0; n < 60; n++)
        {
            // Many close in the same moment, and start in the same moment.
            var closed = Closed(store.NextRunKey(), $"wf{n % 3}", n * 7 % 4, n * 5 % 3);
            all.Add(closed);
            await store.Commit(new Transaction { Runs = { new RunChange { Key = closed.Key, Created = new NewRun(closed.Name, []), Open = false, Closed = closed } } });
        }
        var deleted = all[7];
        await store.Commit(new Transaction { DeletedRuns = { deleted.Key } });
        var expected = all.Where(r => r != deleted).OrderByDescending(r => r.Place.CloseTicks).ThenByDescending(r => r.Place.StartTicks).ThenBy(r => r.Name.RunId, StringComparer.Ordinal).ToList();

        Assert.Equal(expected.Select(r => r.Key), Slices(store, null));
        Assert.Equal(expected.Where(r => r.Name.WorkflowId == "wf1").Select(r => r.Key), Slices(store, "wf1"));
        Assert.Empty(store.ClosedRuns("elsewhere", null, null, 10));
        var oldest = store.OldestClosedRuns("ns", new DateTimeOffset(1, TimeSpan.Zero), 100);
        Assert.Equal(expected.Where(r => r.Place.CloseTicks <= 1).Reverse().Select(r => r.Key), oldest.Select(r => r.Key));
        Assert.Equal([5], oldest[0].Record);
    }

    [Fact]
    public async Task Makes_transactions_of_many_writers_durable_in_order()
    {
        await using (var store = new SqliteStore(Path))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
            {
                for (var n = 0; n < 100; n++)
                    await store.Commit(new Transaction { Documents = { new DocumentChange("counter", $"{writer}", BitConverter.GetBytes(n)) } });
            })));
        }
        await using var again = new SqliteStore(Path);
        Assert.All(again.Documents("counter"), d => Assert.Equal(99, BitConverter.ToInt32(d.Value)));
        Assert.Equal(8, again.Documents("counter").Count);
    }

    [Fact]
    public async Task Refuses_a_file_that_another_process_uses_and_names_it()
    {
        await using var store = new SqliteStore(Path);
        var refused = Assert.Throws<StorageException>(() => new SqliteStore(Path));
        Assert.Contains($"in use by process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_files_that_are_not_its_own()
    {
        File.WriteAllText(Path, new string('x', 5000));
        Assert.Contains("cannot be used", Assert.Throws<StorageException>(() => new SqliteStore(Path)).Message, StringComparison.Ordinal);
        File.Delete(Path);
        Sql("CREATE TABLE theirs (id)");
        Assert.Contains("another program", Assert.Throws<StorageException>(() => new SqliteStore(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_format_that_it_does_not_know()
    {
        await new SqliteStore(Path).DisposeAsync();
        Sql("PRAGMA user_version = 99");
        Assert.Contains("format 99", Assert.Throws<StorageException>(() => new SqliteStore(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acknowledges_nothing_after_a_write_failed()
    {
        await using var store = new SqliteStore(Path);
        Sql("DROP TABLE documents");
        var change = new Transaction { Documents = { new DocumentChange("kind", "id", [1]) } };
        Assert.Contains(Path, (await Assert.ThrowsAsync<StorageException>(() => store.Commit(change))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StorageException>(() => store.Commit(new Transaction()));
        await Assert.ThrowsAsync<StorageException>(store.Flushed);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static ClosedRun Closed(long key, string workflowId, long closed, long started)
    {
        var name = new RunName("ns", workflowId, $"run{key}");
        return new ClosedRun(key, name, new ListKey(closed, started, name.RunId), [5]);
    }

    private static List<long> Slices(IStore store, string? workflowId)
    {
        var (keys, after) = (new List<long>(), (ListKey?)null);
        while (store.ClosedRuns("ns", workflowId, after, 4) is { Count: > 0 } slice)
        {
            keys.AddRange(slice.Select(r => r.Key));
            after = slice[^1].Place;
        }
        return keys;
    }

    private static async Task FillAsync(IStore store)
    {
        for (var run = 1; run <= 3; run++)
        {
            var key = store.NextRunKey();
            await store.Commit(new Transaction
            {
                Runs =
                {
                    new RunChange
                    {
                        Key = key,
                        Created = new NewRun(new RunName("ns", "wf", $"run{run}"), [1, (byte)run]),
                        State = [2, (byte)run],
                        Open = run == 3,
                        Closed = run == 3 ? null : Closed(key, "wf", 100 + run, 1),
                        Rows = [new RowChange(RowKind.Timer, "5", [3]), new RowChange(run == 2 ? RowKind.Outgoing : RowKind.Activity, "6", [4])],
                        Batches = [new EventBatch(1, 3, [10]), new EventBatch(4, 4, [11]), new EventBatch(5, 9, [12])],
                    },
                },
                Documents = { new DocumentChange("kind", $"doc{run}", [(byte)run]) },
            });
        }
        await store.Commit(new Transaction
        {
            Runs = { new RunChange { Key = 3, State = [9], Rows = [new RowChange(RowKind.Timer, "5", null), new RowChange(RowKind.Activity, "6", [5])] } },
            Documents = { new DocumentChange("kind", "doc1", null), new DocumentChange("kind", "doc2", [22]) },
            DeletedRuns = { 1 },
        });
    }

    private static void Check(IStore store)
    {
        Assert.Equal("run3", store.FindLatest("ns", "wf")!.Name.RunId);
        Assert.Null(store.Find(new RunName("ns", "wf", "run1")));
        Assert.Equal([9], store.Find(new RunName("ns", "wf", "run3"))!.State);
        Assert.Equal([1, 3], store.Find(new RunName("ns", "wf", "run3"))!.Start);
        Assert.Equal([new { Kind = RowKind.Activity, Id = "6", Data = (byte)5 }], store.Rows(3).Select(r => new { r.Kind, r.Id, Data = r.Data[0] }));
        Assert.Empty(store.Rows(1));
        Assert.Equal([10, 11], store.History(3, 2, 5).Select(b => (int)b.Data[0]));
        Assert.Equal([12], store.History(3, 9, 100).Select(b => (int)b.Data[0]));
        Assert.Empty(store.History(1, 1, 100));
        Assert.Equal([3L], store.OpenRuns().Select(r => r.Run.Key));
        Assert.Equal([2L], store.ClosedRuns("ns", null, null, 10).Select(r => r.Key));
        Assert.Equal([2L], store.ClosedRunsWithOutgoing().Select(r => r.Run.Key));
        Assert.Equal(["doc2=22", "doc3=3"], store.Documents("kind").Select(d => $"{d.Key}={d.Value[0]}").Order());
    }

    private void Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
