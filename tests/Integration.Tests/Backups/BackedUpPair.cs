using System.Globalization;
using Npgsql;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Starter.Demos;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A guarded pair whose guards run pgBackRest, with an S3 server that is not ours behind TLS as the repository.</summary>
internal sealed class BackedUpPair : IAsyncDisposable
{
    public const string Bucket = "backups", PassPhrase = "correct-horse-battery-staple";

    private readonly MotoProcess s3;
    private readonly AwsConnection connection;

    private BackedUpPair(MotoProcess s3, S3Refusals refusals, TlsFront front, AwsConnection connection, GuardedPair pair)
    {
        (this.s3, Refusals, Front, this.connection, Pair) = (s3, refusals, front, connection, pair);
        Store = new(pair.Files.Access, TimeProvider.System);
        Objects = new(connection, Bucket);
        Catalog = new(Objects, "production/catalog/postgresql/");
    }

    public GuardedPair Pair { get; }

    public TlsFront Front { get; }

    /// <summary>Has the bucket refuse what the guards ask of it.</summary>
    public S3Refusals Refusals { get; }

    public GuardedBackups Store { get; }

    /// <summary>The bucket, past pgBackRest.</summary>
    public StoredObjects Objects { get; }

    public BackupCatalog Catalog { get; }

    public Uri S3 => s3.Address;

    /// <summary>Where in the bucket pgBackRest keeps its things.</summary>
    public static string Repository => "pair/";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="temporal">A Temporal server that is started on copies, given the folder of the pair; null: none.</param>
    public static async Task<BackedUpPair> StartAsync(Func<string, TemporalSettings>? temporal = null)
    {
        Assert.SkipWhen(!File.Exists(new BackupSettings().Program), "Install pgBackRest (Debian: apt-get install pgbackrest) to run the tests of backups on real servers.");
        Assert.SkipWhen(MotoProcess.Missing is not null, MotoProcess.Missing ?? "");
        var s3 = await MotoProcess.StartAsync();
        var connection = new AwsConnection(new AwsAccess { Region = "us-east-1", Endpoint = s3.Address, Keys = new("AKIAEXAMPLE", "not-a-secret") });
        await new Buckets(connection).EnsureAsync(new() { Name = Bucket }, new("shop", "production", "backups"), "test", Ct);
        var refusals = new S3Refusals(s3.Address.Port);
        TlsFront? front = null;
        var pair = await GuardedPair.StartAsync(synchronous: false, new(DurationMs: 10_000, RenewMs: 500), (node, folder) =>
        {
            var certificates = Path.Combine(folder, "certificates");
            front ??= new(refusals.Port, Path.Combine(certificates, $"{LocalPair.Operator}.pem"), Path.Combine(certificates, $"{LocalPair.Operator}.key"));
            File.WriteAllText(Path.Combine(folder, "passphrase"), PassPhrase);
            return node with
            {
                Backup = new()
                {
                    Repository = new(
                        Bucket, "/pair", "us-east-1", string.Create(CultureInfo.InvariantCulture, $"localhost:{front.Port}"), PathStyle: true, Authority: Path.Combine(certificates, "authority.pem"),
                        CredentialsFile: Path.Combine(folder, "credentials"), CipherPassFile: Path.Combine(folder, "passphrase")),
                    ArchiveTimeoutSeconds = 2,
                    MarkerSeconds = 1,
                    StoreTimeoutSeconds = 1,
                    Temporal = temporal?.Invoke(folder),
                },
            };
        });
        return new(s3, refusals, front!, connection, pair);
    }

    /// <summary>Carries a statement out at the primary, as its owner.</summary>
    public async Task<object?> SqlAsync(string statement)
    {
        await using var open = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Pair.ClientPort(GuardedPair.First)};Username=app;Password=app;Database=postgres;Pooling=false"));
        await open.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(statement, open);
        return await command.ExecuteScalarAsync(Ct);
    }

    /// <summary>What the workers' connections say of where the backups are.</summary>
    public IReadOnlyDictionary<string, BackupAccess> Backups => new Dictionary<string, BackupAccess>
    {
        ["production"] = new() { Bucket = Bucket, Aws = new("us-east-1", $"{S3}", Path.Combine(Pair.Files.Folder, "credentials")) },
    };

    /// <summary>Carries a statement out in the copy that was restored beside the standby, as its guard.</summary>
    public Task<object?> CopySqlAsync(string statement, string database = "postgres") => GuardSqlAsync(GuardedPair.Second, Path.Combine(Pair.Files[GuardedPair.Second].State, "q", "socket"), statement, database);

    /// <summary>Carries a statement out at the primary, as its guard.</summary>
    public Task<object?> OwnSqlAsync(string statement, string database = "postgres") => GuardSqlAsync(GuardedPair.First, Path.Combine(Pair.Files[GuardedPair.First].State, "socket"), statement, database);

    private async Task<object?> GuardSqlAsync(string node, string socket, string statement, string database)
    {
        await using var open = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = socket,
            Port = 5432,
            Username = ServerRoles.Guard,
            Password = ServerRoles.PasswordOf(ServerRoles.Guard, Pair.Files[node].PasswordFile).Reveal(),
            Database = database,
            Pooling = false,
        }.ConnectionString);
        await open.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(statement, open);
        return await command.ExecuteScalarAsync(Ct);
    }

    /// <summary>Waits until everything that is committed now is in the archive.</summary>
    public async Task ArchivedAsync()
    {
        var now = $"{await SqlAsync("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")}";
        await Wait.UntilAsync(async () => string.CompareOrdinal($"{await SqlAsync("SELECT last_archived_wal FROM pg_stat_archiver")}", now) >= 0, () => $"{now} is not archived.\n{Pair.Log(GuardedPair.First)}");
    }

    public async ValueTask DisposeAsync()
    {
        Store.Dispose();
        await Pair.DisposeAsync();
        await Front.DisposeAsync();
        await Refusals.DisposeAsync();
        connection.Dispose();
        await s3.DisposeAsync();
    }
}
