using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace PlatformOps.Starter.Demos;

/// <summary>Clients of a database pair: writers that note what was acknowledged to them, and a prober at each node. The account at the end needs nobody's word but theirs.</summary>
internal sealed class Clients : IAsyncDisposable
{
    /// <summary>What the clients need in the database.</summary>
    public const string Schema = """
        CREATE ROLE app LOGIN PASSWORD 'app';
        CREATE TABLE ledger (id bigint PRIMARY KEY);
        CREATE TABLE probes (id bigint PRIMARY KEY);
        GRANT ALL ON ledger, probes TO app;
        """;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(5);

    private readonly TimeProvider clock;
    private readonly TimeSpan pause;
    private readonly (string User, string Password) login;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentBag<(long Id, long At)> acknowledged = [];
    private readonly ConcurrentBag<long> doubted = [];
    private readonly ConcurrentBag<Probe> probes = [];
    private readonly List<Task> running = [];
    private long next;

    /// <param name="addresses">Where the nodes' clients connect, <c>host:port</c>.</param>
    /// <param name="pause">After each row of a writer. Default: none.</param>
    /// <param name="login">Who they are; the tables are found without their schema. Default: the one of <see cref="Schema"/>.</param>
    public Clients(IReadOnlyList<string> addresses, int writers, TimeProvider clock, TimeSpan pause = default, (string User, string Password)? login = null)
    {
        (this.clock, this.pause, this.login) = (clock, pause, login ?? ("app", "app"));
        for (var number = 0; number < writers; number++)
            running.Add(Task.Run(() => WriteAsync(addresses)));
        foreach (var address in addresses)
            running.Add(Task.Run(() => ProbeAsync(address)));
    }

    /// <summary>How many rows were acknowledged so far, those of the probers included.</summary>
    public int Acknowledged => acknowledged.Count + probes.Count;

    /// <summary>The same without those of the probers.</summary>
    public int Written => acknowledged.Count;

    /// <summary>Rows of which nobody knows whether they are there: the connection broke before the answer.</summary>
    public int InDoubt => doubted.Count;

    /// <summary>The moment of a writer's first acknowledgement after a moment, as timestamps of the clock; null: there was none.</summary>
    public long? FirstAfter(long moment) => acknowledged.Where(row => row.At > moment).Select(row => (long?)row.At).Min();

    /// <summary>The longest time without a writer's acknowledgement after a moment, and when it ended.</summary>
    public (TimeSpan Length, long Ended) LongestGap(long moment)
    {
        var times = acknowledged.Select(row => row.At).Where(at => at > moment).Append(moment).Order().ToList();
        return times.Zip(times.Skip(1), (from, to) => (clock.GetElapsedTime(from, to), to)).DefaultIfEmpty().MaxBy(gap => gap.Item1);
    }

    /// <summary>How many nodes were writable at once: two when a write of an epoch began after one of a later epoch was acknowledged.</summary>
    public int MaxWritable()
    {
        var ordered = probes.OrderBy(probe => probe.Acknowledged).ToList();
        if (ordered.Count == 0)
            return 0;
        var firstOfEpoch = ordered.GroupBy(probe => probe.Epoch).Select(epoch => (Epoch: epoch.Key, At: epoch.Min(probe => probe.Acknowledged))).ToList();
        return ordered.Exists(old => firstOfEpoch.Exists(young => young.Epoch > old.Epoch && young.At < old.Begun)) ? 2 : 1;
    }

    /// <summary>For how long two nodes took writes: from the first acknowledged one of a later epoch to the beginning of the last acknowledged one of an earlier epoch.</summary>
    public TimeSpan TwoWritableFor()
    {
        var longest = TimeSpan.Zero;
        foreach (var young in probes.GroupBy(probe => probe.Epoch))
        {
            var first = young.Min(probe => probe.Acknowledged);
            var late = probes.Where(probe => probe.Epoch < young.Key && probe.Begun > first).Select(probe => probe.Begun).DefaultIfEmpty(first).Max();
            if (clock.GetElapsedTime(first, late) is var both && both > longest)
                longest = both;
        }

        return longest;
    }

    /// <summary>The first acknowledged write of a later epoch than the first; null: there was none.</summary>
    public long? FirstOfLaterEpoch()
    {
        var first = probes.Select(probe => probe.Epoch).DefaultIfEmpty().Min();
        return probes.Where(probe => probe.Epoch > first).Select(probe => (long?)probe.Acknowledged).Min();
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(running);
    }

    /// <summary>How many acknowledged rows a node does not have, by its own word.</summary>
    public async Task<int> LostAsync(string address, CancellationToken ct)
    {
        await using var connection = await OpenAsync(address, ct);
        // What is acknowledged from now on need not be in the answer.
        return await MissingAsync(connection, "SELECT id FROM ledger", [.. acknowledged.Select(row => row.Id)], ct) + await MissingAsync(connection, "SELECT id FROM probes", [.. probes.Select(probe => probe.Id)], ct);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private static async Task<int> MissingAsync(NpgsqlConnection connection, string query, IReadOnlyList<long> ids, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(query, connection);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var there = new HashSet<long>();
        while (await rows.ReadAsync(ct))
            there.Add(rows.GetInt64(0));
        return ids.Count(id => !there.Contains(id));
    }

    private async Task<NpgsqlConnection> OpenAsync(string address, CancellationToken ct)
    {
        var colon = address.LastIndexOf(':');
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = address[..colon],
            Port = int.Parse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture),
            Username = login.User,
            Password = login.Password,
            Database = "postgres",
            Pooling = false,
            Timeout = 2,
            CommandTimeout = 5,
            CancellationTimeout = 500,
            SslMode = SslMode.Disable,
        }.ConnectionString);
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

    private Task WriteAsync(IReadOnlyList<string> addresses) => AgainAsync(addresses, async connection =>
    {
        var id = Interlocked.Increment(ref next);
        await using var command = new NpgsqlCommand("INSERT INTO ledger VALUES ($1)", connection) { Parameters = { new() { Value = id } } };
        await DoubtedAsync(id, async () =>
        {
            await command.ExecuteNonQueryAsync();
            acknowledged.Add((id, clock.GetTimestamp()));
        });
        if (pause > TimeSpan.Zero)
            await Task.Delay(pause, clock, stop.Token);
    });

    private Task ProbeAsync(string address) => AgainAsync([address], async connection =>
    {
        var (id, begun) = (Interlocked.Increment(ref next), clock.GetTimestamp());
        await using var command = new NpgsqlCommand("INSERT INTO probes VALUES ($1) RETURNING (SELECT max(epoch) FROM platformops.epoch)", connection) { Parameters = { new() { Value = id } } };
        await DoubtedAsync(id, async () => probes.Add(new(id, (long)(await command.ExecuteScalarAsync())!, begun, clock.GetTimestamp())));
        await Task.Delay(Between, clock, stop.Token);
    });

    /// <summary>A row whose answer does not come may be there or not; one that was refused is not.</summary>
    private async Task DoubtedAsync(long id, Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception failure) when (failure is not (PostgresException or OperationCanceledException))
        {
            doubted.Add(id);
            throw;
        }
    }

    /// <summary>Connects to the addresses in turn until one lets in, and acts there until it no longer works.</summary>
    private async Task AgainAsync(IReadOnlyList<string> addresses, Func<NpgsqlConnection, Task> act)
    {
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            try
            {
                await using var connection = await OpenAsync(addresses[turn % addresses.Count], stop.Token);
                while (!stop.IsCancellationRequested)
                    await act(connection);
            }
            catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or InvalidOperationException or IOException or TimeoutException or System.Net.Sockets.SocketException)
            {
                if (!stop.IsCancellationRequested)
                    await Task.Delay(Between, clock);
            }
        }
    }

    private sealed record Probe(long Id, long Epoch, long Begun, long Acknowledged);
}
