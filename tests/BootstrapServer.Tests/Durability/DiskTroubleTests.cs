using Microsoft.Data.Sqlite;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Storage.Sqlite;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Durability;

/// <summary>What a disk can do to the file: each is said with the next step, and nothing that was acknowledged goes silently.</summary>
public sealed class DiskTroubleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("disk-").FullName;

    private string Path => System.IO.Path.Combine(folder, "state.db");

    [Fact]
    public async Task Acknowledges_nothing_more_when_the_file_cannot_grow_and_goes_on_once_it_can()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Limits of file sizes are set with a shell of Linux.");
        // Two megabytes, in blocks of 512 bytes; the signal that comes with the limit is not wanted, its error is.
        const string limited = "export DOTNET_EnableWriteXorExecute=0 DOTNET_EnableDiagnostics=0; trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\"";
        string[] arguments = ["server", "start-dev", "--port", "0", "--db-filename", Path];
        var acknowledged = new List<string>();
        using (var server = await ServerProcess.StartUnderAsync(["sh", "-c", limited], arguments))
        {
            var client = await TemporalClient.ConnectAsync(new(server.Address) { RpcRetry = new() { MaxRetries = 1 } });
            var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (acknowledged.Count < 1000)
                {
                    var handle = await client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync(new string('x', 50_000)), new($"kept-{acknowledged.Count}", "nobody"));
                    acknowledged.Add(handle.Id);
                }
            });
            Assert.Equal(RpcException.StatusCode.Unavailable, refused.Code);
            Assert.Contains(Path, refused.Message, StringComparison.Ordinal);
            Assert.Contains("make room", refused.Message, StringComparison.Ordinal);
            // Memory is ahead of the file now: nothing is said from it.
            await Failures.RefusedAsync(RpcException.StatusCode.Unavailable, () => client.GetWorkflowHandle("kept-0").DescribeAsync());
        }
        Assert.InRange(acknowledged.Count, 5, 999);
        await using var again = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { DatabaseFile = Path });
        var found = await TemporalClient.ConnectAsync(new(again.Address));
        foreach (var id in acknowledged)
            Assert.Equal(WorkflowExecutionStatus.Running, (await found.GetWorkflowHandle(id).DescribeAsync()).Status);
        await found.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new("one more", "nobody"));
    }

    [Fact]
    public async Task Leaves_out_a_transaction_that_was_torn_before_it_was_acknowledged()
    {
        await using var store = new SqliteStore(Path);
        for (var n = 0; n < 50; n++)
            await store.Commit(Numbered(n));
        // As a kill leaves it: the file and its log, with half a transaction at the end.
        var copy = Copy();
        await File.AppendAllBytesAsync(copy + "-wal", new byte[3000]);
        await using (var torn = new SqliteStore(copy))
            Assert.Equal(49, Last(torn));
        var shorter = Copy();
        using (var log = new FileStream(shorter + "-wal", FileMode.Open))
            log.SetLength(log.Length - 1000);
        await using var withoutLast = new SqliteStore(shorter);
        Assert.Equal(48, Last(withoutLast));
    }

    [Fact]
    public async Task Refuses_a_file_that_lost_its_end()
    {
        await FillAsync();
        using (var file = new FileStream(Path, FileMode.Open))
            file.SetLength(file.Length / 2);
        Assert.Contains("Restore it from a copy", Assert.Throws<StorageException>(() => new SqliteStore(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_file_with_a_damaged_page()
    {
        await FillAsync();
        using (var file = new FileStream(Path, FileMode.Open))
        {
            file.Position = 4096;
            file.Write(Enumerable.Repeat((byte)0xFF, (int)file.Length - 4096).ToArray());
        }
        Assert.Contains("Restore it from a copy", Assert.Throws<StorageException>(() => new SqliteStore(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_a_workflow_that_is_damaged()
    {
        await using (var server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { DatabaseFile = Path }))
        {
            var client = await TemporalClient.ConnectAsync(new(server.Address));
            await client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new("the damaged one", "nobody"));
        }
        Sql("UPDATE runs SET state = x'00'");
        var refused = await Assert.ThrowsAsync<StorageException>(() => BootstrapServerHost.StartAsync(new BootstrapServerOptions { DatabaseFile = Path }));
        Assert.Contains("the damaged one", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Restore the file from a copy", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_where_it_may_not_write_and_which_folder_is_missing()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("/sys is a folder of Linux in which nobody can make a file.");
        var refused = Assert.Throws<StorageException>(() => new SqliteStore("/sys/state.db"));
        Assert.Contains("choose another file", refused.Message, StringComparison.Ordinal);
        var missing = System.IO.Path.Combine(folder, "missing", "state.db");
        var problem = await Assert.ThrowsAsync<ArgumentException>(() => BootstrapServerHost.StartAsync(new BootstrapServerOptions { DatabaseFile = missing }));
        Assert.Contains(missing, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keeps_its_log_in_bounds_although_somebody_always_reads()
    {
        await using var store = new SqliteStore(Path);
        await store.Commit(Numbered(0));
        SqliteConnection? before = null;
        for (var n = 0; n < 150; n++)
        {
            // There is a reader at every moment: the next one begins before the last one ends.
            var reader = Reader();
            before?.Dispose();
            before = reader;
            await store.Commit(new Transaction { Documents = { new DocumentChange("large", "one", new byte[1_000_000]) } });
        }
        before!.Dispose();
        Assert.InRange(new FileInfo(Path + "-wal").Length, 0, WriteAheadLog.Largest + 10_000_000);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static Transaction Numbered(int n) => new() { Documents = { new DocumentChange("counter", "last", BitConverter.GetBytes(n)) } };

    private static int Last(SqliteStore store) => BitConverter.ToInt32(store.Documents("counter").Single().Value);

    private async Task FillAsync()
    {
        await using var store = new SqliteStore(Path);
        for (var n = 0; n < 20; n++)
            await store.Commit(new Transaction { Documents = { new DocumentChange("large", $"{n}", new byte[10_000]) } });
    }

    private string Copy()
    {
        var copy = System.IO.Path.Combine(folder, Guid.NewGuid().ToString());
        File.Copy(Path, copy);
        File.Copy(Path + "-wal", copy + "-wal");
        return copy;
    }

    private SqliteConnection Reader()
    {
        var connection = new SqliteConnection($"Data Source={Path};Pooling=False;Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN; SELECT count(*) FROM documents";
        command.ExecuteScalar();
        return connection;
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
