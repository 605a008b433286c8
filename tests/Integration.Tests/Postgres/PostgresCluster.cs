using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Starter.Demos;

[assembly: AssemblyFixture(typeof(PostgresCluster))]

namespace PlatformOps.Integration.Tests.Postgres;

/// <summary>A real PostgreSQL server on loopback, over TLS with a certificate for localhost, with one login that owns nothing and one that may do everything. Started once, when the first test asks for it.
/// Its tests stand in one collection: some make all of it read-only.</summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    public const string User = "platformops", Owner = "provisioner", Password = "canary-password-of-ours";

    /// <summary>Runs what it is given as the server's user.</summary>
    internal const string AsItsUser = "[ $(id -u) != 0 ] || set -- setpriv --reuid=postgres --regid=postgres --init-groups \"$@\"; \"$@\" >/dev/null </dev/null";

    internal static readonly string? Binaries = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin")).LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
        : null;

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-postgres-").FullName;
    private readonly SemaphoreSlim gate = new(1);

    /// <summary>Stops the server when we end, even when we are killed: our end of its standard input closes. Null: the server does not run.</summary>
    private Process? stopping;

    public string Address { get; private set; } = "";

    public string Authority => In("authority.pem");

    public string PasswordFile => In("password");

    /// <summary>What the server has logged.</summary>
    public string Log => File.ReadAllText(In("log"));

    /// <summary>Skips the test where there is no PostgreSQL.</summary>
    public async Task StartAsync()
    {
        Assert.SkipWhen(Binaries is null, "Install PostgreSQL (Debian: apt-get install postgresql) to run the tests on a real server.");
        await gate.WaitAsync();
        try
        {
            if (stopping is not null)
                return;
            await CreateAsync();
            await RunAsync("pg_ctl", "-D", In("data"), "-l", In("log"), "-w", "start");
            stopping = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"read -r _; {AsItsUser}", "sh", Path.Combine(Binaries!, "pg_ctl"), "-D", In("data"), "-m", "immediate", "-w", "stop"]) { RedirectStandardInput = true, WorkingDirectory = "/" })!;
            await SqlAsync($"CREATE ROLE {User} LOGIN PASSWORD '{Password}'");
            await SqlAsync($"CREATE ROLE {Owner} LOGIN SUPERUSER PASSWORD '{Password}'");
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>As the owner of everything.</summary>
    public async Task SqlAsync(string statement)
    {
        await RunAsync("psql", "-h", folder, "-p", Address.Split(':')[1], "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", statement);
        if (statement.StartsWith("ALTER SYSTEM", StringComparison.Ordinal))
            await RunAsync("pg_ctl", "-D", In("data"), "reload");
    }

    /// <summary>A session of the login that may do everything.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(string database = "postgres")
    {
        var connection = new NpgsqlConnection($"Host=localhost;Port={Address.Split(':')[1]};Username={Owner};Password={Password};Database={database};SSL Mode=VerifyFull;Root Certificate={Authority};Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>What a query finds, as text.</summary>
    public async Task<string?> AskAsync(string query, string database = "postgres")
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(query, connection);
        return (await command.ExecuteScalarAsync())?.ToString();
    }

    /// <summary>Waits until the sessions of tests in a database have ended: the server takes a moment longer than the client.</summary>
    public Task UntilNobodyIsInAsync(string database) => Wait.UntilAsync(
        async () => await AskAsync($"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = ''") == "0", () => $"Sessions in {database} do not end.");

    public async ValueTask DisposeAsync()
    {
        if (stopping is not null)
        {
            stopping.StandardInput.Close();
            await stopping.WaitForExitAsync();
            stopping.Dispose();
        }

        Directory.Delete(folder, recursive: true);
        gate.Dispose();
    }

    private async Task CreateAsync()
    {
        await File.WriteAllTextAsync(PasswordFile, Password + "\n");
        Address = $"localhost:{LocalPorts.Take()}";
        MakeCertificates();
        // The server runs as another user when the tests run as root.
        await ShellAsync($"chmod 711 {folder}; [ $(id -u) != 0 ] || chown -R postgres {folder}");
        await RunAsync("initdb", "-D", In("data"), "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync");
        await ShellAsync($"cp -p {In("server.pem")} {In("server.key")} {In("data")}/; chmod 600 {In("data")}/server.key");
        await File.AppendAllTextAsync(In("data/postgresql.conf"), $"""

            listen_addresses = 'localhost'
            port = {Address.Split(':')[1]}
            unix_socket_directories = '{folder}'
            ssl = on
            ssl_cert_file = 'server.pem'
            ssl_key_file = 'server.key'
            fsync = off
            wal_level = logical

            """);
    }

    private void MakeCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(In("server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Authority, certificate.ExportCertificatePem());
        File.WriteAllText(In("server.key"), key.ExportPkcs8PrivateKeyPem());
    }

    internal static Task RunAsync(string program, params string[] arguments) =>
        ShellAsync(AsItsUser, [Path.Combine(Binaries!, program), .. arguments]);

    internal static async Task ShellAsync(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, "sh", .. arguments]) { RedirectStandardError = true, WorkingDirectory = "/" })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{script} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors}");
    }

    private string In(string name) => Path.Combine(folder, name);
}
