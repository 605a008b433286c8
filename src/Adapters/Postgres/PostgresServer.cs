using System.Globalization;
using Npgsql;

namespace PlatformOps.Adapters.Postgres;

/// <summary>A PostgreSQL server, by one login. Every call has a timeout, makes its own connection and is made once.</summary>
public sealed class PostgresServer : IDisposable
{
    /// <summary>What our sessions call themselves.</summary>
    internal const string Application = "platformops";

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    private readonly NpgsqlConnectionStringBuilder options;
    private readonly NpgsqlDataSource source;
    private readonly PostgresFailures failures;
    private readonly Action? refused;

    private PostgresServer(NpgsqlConnectionStringBuilder options, string address, Action? refused) =>
        (this.options, source, Address, failures, this.refused) = (options, Source(options), address, new(address), refused);

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>Prepares connections; nothing is sent yet.</summary>
    /// <param name="address">Where it answers when nothing else is stated, <c>host:port</c>.</param>
    /// <param name="tls">Whether to speak TLS; then the certificate must be trusted and carry the host's name.</param>
    /// <exception cref="AdapterException">The address or a file is wrong.</exception>
    /// <param name="setting">Where the connections file has it, for messages.</param>
    /// <param name="secret">A login for when the connections state none; asked at each connection. Null: there is none.</param>
    /// <param name="patience">For each statement; null: five seconds.</param>
    public static PostgresServer Open(PostgresAccess access, string address, bool tls, string setting, Login? secret, TimeSpan? patience = null)
    {
        var stated = access.Address ?? address;
        var colon = stated.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(stated.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port))
            throw new AdapterException(AdapterFailureKind.Rejected, $"{setting}.address is '{stated}': host:port is expected.");
        if ((access is { User: { } user, PasswordFile: { } file } ? new Login(user, new(Read(file, setting))) : secret) is not { } login)
            throw new AdapterException(AdapterFailureKind.Unauthorized, $"There is no login for PostgreSQL: state user and passwordFile under {setting} in the connections file, or a secret in the gate.");
        var options = new NpgsqlConnectionStringBuilder
        {
            Host = stated[..colon].Trim('[', ']'),
            Port = port,
            Username = login.User,
            Password = login.Password.Reveal(),
            Database = access.Database ?? "postgres",
            SslMode = tls ? SslMode.VerifyFull : SslMode.Disable,
            RootCertificate = tls ? access.CertificateAuthority : null,
            Timeout = (int)CallTimeout.TotalSeconds,
            CommandTimeout = (int)(patience ?? CallTimeout).TotalSeconds,
            ApplicationName = Application,
            // Nothing is held while nobody asks, and nobody meets a connection of before a failover.
            Pooling = false,
        };
        return new(options, stated, login.Refused);
    }

    /// <summary>The same server by another login. Dispose it.</summary>
    internal PostgresServer As(Login login) => new(new(options.ConnectionString) { Username = login.User, Password = login.Password.Reveal() }, Address, login.Refused);

    /// <summary>Another server of the same cluster, such as a standby in a pod. Its certificate has to be trusted; the name in it is that of the Service, by which a pod is not asked. Dispose it.</summary>
    /// <param name="host">An address.</param>
    internal PostgresServer At(string host, int port, Login login) => new(
        new(options.ConnectionString) { Host = host, Port = port, Username = login.User, Password = login.Password.Reveal(), SslMode = options.SslMode == SslMode.VerifyFull ? SslMode.VerifyCA : options.SslMode },
        $"{host}:{port}", login.Refused);

    /// <summary>Logs in.</summary>
    /// <exception cref="AdapterException">It was refused, or the server did not answer.</exception>
    public Task LogInAsync(CancellationToken ct) => InAsync("log in", null, session => session.CountAsync("SELECT 1::bigint AS count"), ct);

    /// <summary>Writes a record into the write-ahead log and commits it as everything is committed there, with whatever copies a commit waits for. No table changes.</summary>
    /// <returns>The server's version.</returns>
    /// <exception cref="AdapterException">It did not; it may be a standby, read-only, or wait for a copy that does not come.</exception>
    public async Task<string> WriteAsync(CancellationToken ct)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using (var ask = new NpgsqlCommand("SHOW transaction_read_only", connection))
                if ((string?)await ask.ExecuteScalarAsync(ct) == "on")
                    throw failures.ReadOnly();
            // A commit that stops waiting for its standby says so in a warning only.
            string? unsafely = null;
            connection.Notice += (_, notice) => unsafely = notice.Notice.InvariantSeverity == "WARNING" ? notice.Notice.MessageText : unsafely;
            await using var write = new NpgsqlCommand("SELECT pg_logical_emit_message(true, 'platformops', 'health')", connection);
            await write.ExecuteNonQueryAsync(ct);
            return unsafely is null ? connection.PostgreSqlVersion.ToString() : throw failures.Unsafe(unsafely);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or IOException && !ct.IsCancellationRequested)
        {
            throw Failed("accept a write", failure);
        }
    }

    /// <summary>Works in a session of its own.</summary>
    /// <param name="what">For messages: "PostgreSQL does not let us ...".</param>
    /// <param name="database">Null: the one of the connections.</param>
    /// <exception cref="AdapterException">Something was refused, or the server did not answer.</exception>
    internal async Task<T> InAsync<T>(string what, string? database, Func<PostgresSession, Task<T>> work, CancellationToken ct)
    {
        var there = database is null ? source : Source(new(options.ConnectionString) { Database = database });
        try
        {
            await using var connection = await there.OpenConnectionAsync(ct);
            return await work(new(connection, (next, then) => InAsync(what, next, then, ct), ct));
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or IOException && !ct.IsCancellationRequested)
        {
            throw Failed(what, failure);
        }
        finally
        {
            if (there != source)
                await there.DisposeAsync();
        }
    }

    /// <summary>Traces of it say that there was a statement, and not which: one that sets a password carries its verifier.</summary>
    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder options)
    {
        var builder = new NpgsqlDataSourceBuilder(options.ConnectionString);
        builder.ConfigureTracing(tracing => tracing
            .ConfigureCommandEnrichmentCallback((span, _) => span.SetTag("db.query.text", null))
            .ConfigureBatchEnrichmentCallback((span, _) => span.SetTag("db.query.text", null)));
        return builder.Build();
    }

    private AdapterException Failed(string what, Exception failure)
    {
        if (failure is PostgresException { SqlState: "28P01" or "28000" })
            refused?.Invoke();
        return failures.Of(what, failure);
    }

    /// <summary>Who we are.</summary>
    public sealed record Login(string User, SecretText Password)
    {
        /// <summary>Told when the server does not accept it; null: nobody wants to know.</summary>
        public Action? Refused { get; init; }
    }

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();

    private static string Read(string file, string setting)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Unauthorized, $"The password for PostgreSQL cannot be read: {failure.Message} Correct {setting}.passwordFile in the connections file.", failure);
        }
    }
}
