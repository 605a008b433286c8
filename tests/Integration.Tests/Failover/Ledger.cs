using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Clients of the pair: writers who note what was acknowledged to them, and a prober at each node's port. The account afterwards needs nobody's word but theirs.</summary>
internal sealed class Ledger : IAsyncDisposable
{
    public const string Schema = """
        CREATE ROLE app LOGIN PASSWORD 'app';
        CREATE TABLE ledger (id bigint PRIMARY KEY);
        CREATE TABLE probes (id bigint PRIMARY KEY);
        GRANT ALL ON ledger, probes TO app;
        """;

    private readonly GuardedPair pair;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentBag<(long Id, long At)> acknowledged = [];
    private readonly ConcurrentBag<long> doubted = [];
    private readonly ConcurrentBag<Probe> probes = [];
    private readonly List<Task> running = [];
    private long next;

    private Ledger(GuardedPair pair) => this.pair = pair;

    /// <summary>How many rows were acknowledged so far.</summary>
    public int Acknowledged => acknowledged.Count;

    /// <summary>Rows of which nobody knows whether they are there: the connection broke before the answer.</summary>
    public int InDoubt => doubted.Count;

    public static Ledger Start(GuardedPair pair, int writers = 4)
    {
        var ledger = new Ledger(pair);
        int[] ports = [pair.ClientPort(GuardedPair.First), pair.ClientPort(GuardedPair.Second)];
        for (var number = 0; number < writers; number++)
            ledger.running.Add(Task.Run(() => ledger.WriteAsync(ports)));
        foreach (var port in ports)
            ledger.running.Add(Task.Run(() => ledger.ProbeAsync(port)));
        return ledger;
    }

    /// <summary>The moment of the first acknowledgement after a moment; null: there was none.</summary>
    public long? FirstAfter(long moment) => acknowledged.Where(row => row.At > moment).Select(row => (long?)row.At).Min();

    /// <summary>The longest time without an acknowledgement after a moment.</summary>
    public TimeSpan Gap(long moment)
    {
        var times = acknowledged.Select(row => row.At).Where(at => at > moment).Append(moment).Order().ToList();
        return times.Zip(times.Skip(1), Stopwatch.GetElapsedTime).DefaultIfEmpty().Max();
    }

    /// <summary>Waits until so many more rows were acknowledged.</summary>
    public async Task MoreAsync(int rows)
    {
        var (started, before) = (Stopwatch.GetTimestamp(), Acknowledged);
        while (Acknowledged < before + rows)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), $"Only {Acknowledged - before} rows were acknowledged in a minute.\n{pair.Log(GuardedPair.First)}\n{pair.Log(GuardedPair.Second)}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(running);
    }

    /// <summary>Two nodes took writes at once when an epoch's write began after a later epoch's was acknowledged.</summary>
    public int MaxWritable()
    {
        var all = probes.ToList();
        return all.Count == 0 ? 0 : all.Any(old => all.Exists(young => young.Epoch > old.Epoch && young.Acknowledged < old.Begun)) ? 2 : 1;
    }

    /// <summary>How many acknowledged rows, of writers and probers, the node does not have by its own word.</summary>
    public async Task<int> LostAsync(string node)
    {
        await using var connection = await OpenAsync(pair.ClientPort(node), CancellationToken.None);
        var rows = await MissingAsync(connection, "SELECT id FROM ledger", acknowledged.Select(row => row.Id));
        return rows + await MissingAsync(connection, "SELECT id FROM probes", probes.Select(probe => probe.Id));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private static async Task<int> MissingAsync(NpgsqlConnection connection, string query, IEnumerable<long> ids)
    {
        await using var command = new NpgsqlCommand(query, connection);
        await using var rows = await command.ExecuteReaderAsync();
        var there = new HashSet<long>();
        while (await rows.ReadAsync())
            there.Add(rows.GetInt64(0));
        return ids.Count(id => !there.Contains(id));
    }

    private static async Task<NpgsqlConnection> OpenAsync(int port, CancellationToken ct)
    {
        var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username=app;Password=app;Database=postgres;Pooling=false;Timeout=3;Command Timeout=5;Cancellation Timeout=500;SSL Mode=Disable");
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private Task WriteAsync(int[] ports) => AgainAsync(ports, async connection =>
    {
        var id = Interlocked.Increment(ref next);
        await using var command = new NpgsqlCommand("INSERT INTO ledger VALUES ($1)", connection) { Parameters = { new() { Value = id } } };
        await DoubtedAsync(id, async () =>
        {
            await command.ExecuteNonQueryAsync();
            acknowledged.Add((id, Stopwatch.GetTimestamp()));
        });
    });

    private Task ProbeAsync(int port) => AgainAsync([port], async connection =>
    {
        var (id, begun) = (Interlocked.Increment(ref next), Stopwatch.GetTimestamp());
        await using var command = new NpgsqlCommand("INSERT INTO probes VALUES ($1) RETURNING (SELECT max(epoch) FROM platformops.epoch)", connection) { Parameters = { new() { Value = id } } };
        await DoubtedAsync(id, async () => probes.Add(new(id, (long)(await command.ExecuteScalarAsync())!, begun, Stopwatch.GetTimestamp())));
        await Task.Delay(2, stop.Token);
    });

    /// <summary>A row whose answer does not come may be there or not; one that was refused is not.</summary>
    private async Task DoubtedAsync(long id, Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception failure) when (failure is not PostgresException)
        {
            doubted.Add(id);
            throw;
        }
    }

    /// <summary>Connects to the ports in turn until one lets in, and acts there until it no longer works.</summary>
    private async Task AgainAsync(int[] ports, Func<NpgsqlConnection, Task> act)
    {
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            var port = ports[turn % ports.Length];
            try
            {
                await using var connection = await OpenAsync(port, stop.Token);
                while (!stop.IsCancellationRequested)
                    await act(connection);
            }
            catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or InvalidOperationException or IOException or TimeoutException)
            {
                if (!stop.IsCancellationRequested)
                    await Task.Delay(5);
            }
        }
    }

    private sealed record Probe(long Id, long Epoch, long Begun, long Acknowledged);
}
