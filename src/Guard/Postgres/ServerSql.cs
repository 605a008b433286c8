using Npgsql;
using PlatformOps.Guard.Configuration;

namespace PlatformOps.Guard.Postgres;

/// <summary>What the guard says to its server in SQL. One connection, made anew when it broke; one statement at a time; every statement has a deadline.</summary>
/// <param name="server">Which process the server is now: a connection to an earlier one is over, and does not know it yet.</param>
/// <param name="database">That it is said to.</param>
internal sealed class ServerSql(GuardConfiguration configuration, Func<int> server, string database = "postgres") : IAsyncDisposable
{
    private const string Observe = """
        SELECT r.recovering,
          CASE WHEN r.recovering THEN (SELECT received_tli FROM pg_stat_wal_receiver)
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
          (CASE WHEN r.recovering THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn)::bigint,
          (CASE WHEN r.recovering THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn)::bigint,
          CASE WHEN r.recovering THEN EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
            ELSE EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND application_name = $1) END,
          EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync' AND application_name = $1),
          (SELECT max(at) FROM platformops.marker),
          coalesce((SELECT max(epoch) FROM platformops.epoch), 0),
          CASE WHEN NOT r.recovering THEN (SELECT greatest(0, pg_current_wal_flush_lsn() - flush_lsn)::bigint FROM pg_stat_replication WHERE state = 'streaming' AND application_name = $1 LIMIT 1) END,
          (SELECT greatest(c.timeline_id, m.min_recovery_end_timeline) FROM pg_control_checkpoint() c, pg_control_recovery() m)
        FROM (SELECT pg_is_in_recovery() AS recovering) r
        """;

    private readonly SemaphoreSlim turn = new(1);
    private NpgsqlConnection? connection;
    private NpgsqlDataSource? source;
    private int openedTo;
    private (int Server, int Timeline) followed;

    /// <summary>Asks the server for everything that is shown of it.</summary>
    public Task<ServerView> ObserveAsync(TimeSpan patience, CancellationToken ct) => InTurnAsync(patience, async (open, token) =>
    {
        await using var command = new NpgsqlCommand(Observe, open) { Parameters = { new() { Value = ServerSettings.StandbyName(configuration.Peer.Node) } } };
        await using var row = await command.ExecuteReaderAsync(token);
        await row.ReadAsync(token);
        // Without a receiver only the control file says, and of a standby that was told of a new timeline it does so minutes later: what was followed last counts.
        var timeline = !row.IsDBNull(1) ? row.GetInt32(1) : Math.Max(row.GetInt32(9), followed.Server == openedTo ? followed.Timeline : 0);
        followed = (openedTo, timeline);
        return new ServerView(
            row.GetBoolean(0), timeline, row.IsDBNull(2) ? 0 : row.GetInt64(2), row.IsDBNull(3) ? 0 : row.GetInt64(3), row.GetBoolean(4), row.GetBoolean(5),
            row.IsDBNull(6) ? null : new DateTimeOffset(row.GetDateTime(6), TimeSpan.Zero), row.GetInt64(7), row.IsDBNull(8) ? null : row.GetInt64(8));
    }, ct);

    /// <summary>Carries a statement out and gives the first value of its answer.</summary>
    public Task<object?> RunAsync(string statement, TimeSpan patience, CancellationToken ct, params object[] parameters) => InTurnAsync(patience, async (open, token) =>
    {
        await using var command = new NpgsqlCommand(statement, open);
        foreach (var value in parameters)
            command.Parameters.Add(new() { Value = value });
        return await command.ExecuteScalarAsync(token) is { } answer and not DBNull ? answer : null;
    }, ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        turn.Dispose();
    }

    private async Task<T> InTurnAsync<T>(TimeSpan patience, Func<NpgsqlConnection, CancellationToken, Task<T>> act, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(patience);
        try
        {
            await turn.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Silent(patience, null);
        }

        try
        {
            if (connection is null || connection.State != System.Data.ConnectionState.Open || openedTo != server())
                await OpenAsync(deadline.Token);
            return await act(connection!, deadline.Token);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            if (failure is not PostgresException { SqlState: not ("57P01" or "57P02" or "57P03") })
                await CloseAsync();
            throw failure is OperationCanceledException ? Silent(patience, failure)
                : new GuardException($"The server of {configuration.Node} answered: {failure.Message}", failure);
        }
        catch
        {
            await CloseAsync();
            throw;
        }
        finally
        {
            turn.Release();
        }
    }

    private GuardException Silent(TimeSpan patience, Exception? failure) => new($"The server of {configuration.Node} did not answer within {patience.TotalMilliseconds:0} ms.", failure);

    private async Task OpenAsync(CancellationToken ct)
    {
        await CloseAsync();
        openedTo = server();
        var options = new NpgsqlConnectionStringBuilder
        {
            Host = configuration.SocketDirectory,
            Port = 5432,
            Username = ServerRoles.Guard,
            Password = ServerRoles.PasswordOf(ServerRoles.Guard, configuration.PasswordFile).Reveal(),
            Database = database,
            Pooling = false,
            // What the guard writes waits for no standby: it is about this node.
            Options = "-c synchronous_commit=local",
            ApplicationName = "platformops guard",
            CancellationTimeout = 50,
            Timeout = 5,
        };
        var builder = new NpgsqlDataSourceBuilder(options.ConnectionString);
        // Traces say that there was a statement, and not which: after a restore one carries the verifiers of passwords.
        builder.ConfigureTracing(tracing => tracing
            .ConfigureCommandEnrichmentCallback((span, _) => span.SetTag("db.query.text", null))
            .ConfigureBatchEnrichmentCallback((span, _) => span.SetTag("db.query.text", null)));
        source = builder.Build();
        connection = source.CreateConnection();
        await connection.OpenAsync(ct);
    }

    private async Task CloseAsync()
    {
        if (connection is { } broken)
        {
            connection = null;
            await broken.DisposeAsync();
        }

        if (source is { } used)
        {
            source = null;
            await used.DisposeAsync();
        }
    }
}
