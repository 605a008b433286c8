using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Sandbox;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>The PostgreSQL of the bootstrap cluster, started with what is shipped: arguments, pg_hba.conf, first statements, probes and the commands of its backup. Only paths, the port and the certificates are the test's.</summary>
public sealed partial class BootstrapDatabaseTests
{
    private const string Password = "canary-password-of-ours";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_database_starts_as_shipped_admits_who_it_should_and_comes_back_from_its_backup()
    {
        Assert.SkipWhen(PostgresCluster.Binaries is null, "Install PostgreSQL (Debian: apt-get install postgresql) to run the tests on a real server.");
        await using var pod = await Pod.StartAsync(await Kustomization.RenderAsync("k8s/bootstrap/overlays/production"));

        Assert.DoesNotMatch("(?i)warning|error|fatal|unrecognized", pod.Log);
        await pod.ShellAsync(string.Join(' ', pod.Probe), []);
        await using (var session = await pod.OpenAsync("temporal", "SSL Mode=VerifyCA"))
        {
            Assert.Equal("300 on on scram-sha-256", await AskAsync(session, "SELECT concat_ws(' ', current_setting('max_connections'), current_setting('ssl'), current_setting('data_checksums'), current_setting('password_encryption'))"));
            // The setup of the visibility store makes an extension.
            Assert.Equal("t", await AskAsync(session, "SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)::text::char"));
        }

        // As the server's configuration names them.
        foreach (var store in pod.Stores)
        {
            Assert.Equal("temporal", store.User);
            await using var session = await pod.OpenAsync(store.Database, "SSL Mode=VerifyCA", store.User);
            await AskAsync(session, "CREATE EXTENSION IF NOT EXISTS btree_gin; CREATE TABLE runs (id int PRIMARY KEY); INSERT INTO runs VALUES (7); SELECT 1");
        }

        Assert.Contains("no encryption", (await Assert.ThrowsAsync<PostgresException>(() => pod.OpenAsync("temporal", "SSL Mode=Disable"))).MessageText, StringComparison.Ordinal);
        Assert.Equal(PostgresErrorCodes.InvalidPassword, (await Assert.ThrowsAsync<PostgresException>(() => pod.OpenAsync("temporal", "SSL Mode=Require", password: "guessed"))).SqlState);
        Assert.Equal(PostgresErrorCodes.InvalidPassword, (await Assert.ThrowsAsync<PostgresException>(() => pod.OpenAsync("temporal", "SSL Mode=Require", "postgres"))).SqlState);

        await pod.DumpAsync();
        var restore = Restore().Match(await File.ReadAllTextAsync(Path.Combine(Tools.Root, "docs", "deployment.md"), Ct)).Groups[1].Value;
        Assert.NotEqual("", restore);
        foreach (var store in pod.Stores)
        {
            await using (var session = await pod.OpenAsync(store.Database, "SSL Mode=VerifyCA"))
                await AskAsync(session, "INSERT INTO runs VALUES (8); SELECT 1");
            await pod.ShellAsync($"{restore}={store.Database} < {pod.In("dumps")}/{store.Database}.dump", []);
            await using var after = await pod.OpenAsync(store.Database, "SSL Mode=VerifyCA");
            Assert.Equal("7", await AskAsync(after, "SELECT string_agg(id::text, ',') FROM runs"));
        }

        Assert.Matches(@"^s3 cp --recursive --sse aws:kms \S+/dumps s3://platformops-bootstrap-backups/bootstrap/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ/\n$", await pod.CopyAsync());
        await using (var session = await pod.OpenAsync("temporal", "SSL Mode=VerifyCA"))
            await AskAsync(session, "DROP DATABASE temporal_visibility");
        // Then nothing is copied.
        Assert.Contains("database \"temporal_visibility\" does not exist", (await Assert.ThrowsAsync<InvalidOperationException>(pod.DumpAsync)).Message, StringComparison.Ordinal);
    }

    /// <summary>What the page tells people to do in the pod, where nobody is asked for a password.</summary>
    [GeneratedRegex("-- (pg_restore .*--dbname)=temporal < temporal\\.dump$", RegexOptions.Multiline)]
    private static partial Regex Restore();

    private static async Task<string?> AskAsync(NpgsqlConnection session, string query)
    {
        await using var command = new NpgsqlCommand(query, session);
        return (await command.ExecuteScalarAsync(Ct))?.ToString();
    }

    private sealed partial class Pod : IAsyncDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("platformops-postgres-").FullName;
        private readonly int port = LocalPorts.Take();
        private readonly JsonObject database, dump, copy, settings, where;
        private Process? server;

        private Pod(IReadOnlyList<JsonObject> objects)
        {
            database = Container("StatefulSet", "postgresql", "containers");
            (dump, copy) = (Container("CronJob", "backup", "initContainers"), Container("CronJob", "backup", "containers"));
            (settings, where) = (Data("postgresql-"), Data("bootstrap-backup-"));
            var stores = YamlText.Read(Template().Replace((string)Data("temporal-config-")["config_template.yaml"]!, "text"))!["persistence"]!["datastores"]!;
            Stores = [.. stores.AsObject().Select(store => store.Value!["sql"]!).Select(sql => ((string)sql["databaseName"]!, (string)(sql["user"] ?? sql["<<"]!["user"])!))];

            JsonObject Container(string kind, string name, string which)
            {
                var owner = objects.Single(item => (string?)item["kind"] == kind && (string?)item["metadata"]!["name"] == name);
                return (owner["spec"]!["template"] ?? owner["spec"]!["jobTemplate"]!["spec"]!["template"])!["spec"]![which]![0]!.AsObject();
            }

            JsonObject Data(string name) => objects.Single(item => (string?)item["kind"] == "ConfigMap" && ((string)item["metadata"]!["name"]!).StartsWith(name, StringComparison.Ordinal))["data"]!.AsObject();
        }

        /// <summary>Of the server's configuration.</summary>
        public IReadOnlyList<(string Database, string User)> Stores { get; }

        public string Log => File.ReadAllText(In("log"));

        public IEnumerable<string> Probe => database["readinessProbe"]!["exec"]!["command"]!.AsArray().Select(word => (string)word!);

        /// <summary>What the backup's container is told, on this machine.</summary>
        private IReadOnlyList<(string, string)> Login =>
        [
            .. dump["env"]!.AsArray().Select(variable => ((string)variable!["name"]!, variable["value"] is { } value ? Here((string)value!) : Password)), ("PGHOSTADDR", "127.0.0.1"), ("PGPORT", $"{port}"),
        ];

        public static async Task<Pod> StartAsync(IReadOnlyList<JsonObject> objects)
        {
            var pod = new Pod(objects);
            pod.Fill();
            try
            {
                // As a Secret is mounted. Without root the key is the server's own.
                var tls = pod.In("etc/postgresql/tls");
                await PostgresCluster.ShellAsync($"chmod 711 {pod.folder}; chmod 600 {tls}/tls.key; [ $(id -u) != 0 ] || {{ chown -R postgres {pod.folder}; chown root:postgres {tls}/*; chmod 440 {tls}/tls.key; }}");
                await pod.InitializeAsync();
                await pod.RunAsync("");
                return pod;
            }
            catch (InvalidOperationException broken)
            {
                var log = File.Exists(pod.In("log")) ? pod.Log : "";
                await pod.DisposeAsync();
                throw new InvalidOperationException($"{broken.Message}\n{log}", broken);
            }
        }

        public string In(string path) => Path.Combine(folder, path.TrimStart('/'));

        public async Task<NpgsqlConnection> OpenAsync(string name, string tls, string user = "temporal", string password = Password)
        {
            var session = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username={user};Password={password};Database={name};{tls};Root Certificate={In("etc/temporal/database/ca.crt")};Pooling=false");
            await session.OpenAsync(Ct);
            return session;
        }

        public Task DumpAsync() => ShellAsync(Here((string)dump["args"]![0]!), Login);

        /// <returns>What the command line of AWS was called with.</returns>
        public async Task<string> CopyAsync()
        {
            await File.WriteAllTextAsync(In("bin/aws"), $"#!/bin/sh\necho \"$@\" >> {In("called")}\n", Ct);
            await PostgresCluster.ShellAsync($"chmod 755 {In("bin/aws")}");
            await ShellAsync(Here((string)copy["args"]![0]!), [.. where.Select(entry => (entry.Key, (string)entry.Value!))]);
            return await File.ReadAllTextAsync(In("called"), Ct);
        }

        /// <summary>With the binaries of PostgreSQL on the path, as the server's user, and stopped by the first failure.</summary>
        public Task ShellAsync(string script, IReadOnlyList<(string Name, string Value)> environment) => PostgresCluster.RunAsync("/usr/bin/env",
            ["LC_ALL=C.UTF-8", $"HOME={folder}", $"PATH={In("bin")}:{PostgresCluster.Binaries}:/usr/bin:/bin", $"PGHOST={In("var/run/postgresql")}", $"PGPORT={port}", .. environment.Select(variable => $"{variable.Name}={variable.Value}"), "sh", "-ec", script]);

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            Directory.Delete(folder, recursive: true);
        }

        /// <summary>What is mounted.</summary>
        private void Fill()
        {
            foreach (var path in new[] { "etc/postgresql/settings", "etc/postgresql/tls", "etc/temporal/database", "docker-entrypoint-initdb.d", "var/lib/postgresql/data", "var/run/postgresql", "dumps", "bin" })
                Directory.CreateDirectory(In(path));
            File.WriteAllText(In("etc/postgresql/settings/pg_hba.conf"), (string)settings["pg_hba.conf"]!);
            File.WriteAllText(In("docker-entrypoint-initdb.d/databases.sql"), (string)settings["databases.sql"]!);
            File.WriteAllText(In("password"), Password);
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=postgresql", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("postgresql");
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
            using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            foreach (var path in new[] { "etc/postgresql/tls/tls.crt", "etc/temporal/database/ca.crt" })
                File.WriteAllText(In(path), certificate.ExportCertificatePem());
            File.WriteAllText(In("etc/postgresql/tls/tls.key"), key.ExportPkcs8PrivateKeyPem());
        }

        /// <summary>As the image's entry point does it: initdb, and the first statements by a server that listens to nobody.</summary>
        private async Task InitializeAsync()
        {
            await ShellAsync($"initdb --pgdata={Here(Told("PGDATA"))} --username={Told("POSTGRES_USER")} --pwfile={In("password")} --no-sync {Told("POSTGRES_INITDB_ARGS")}", []);
            await RunAsync("-c listen_addresses=''");
            await ShellAsync($"""
                psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username={Told("POSTGRES_USER")} --dbname=postgres -c 'CREATE DATABASE {Told("POSTGRES_DB")}'
                for file in {In("docker-entrypoint-initdb.d")}/*.sql; do psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username={Told("POSTGRES_USER")} --dbname={Told("POSTGRES_DB")} -f $file; done
                """, []);
            await StopAsync();
        }

        /// <summary>Stops when our end of its standard input closes, even when we are killed.</summary>
        private async Task RunAsync(string further)
        {
            var arguments = string.Join(' ', database["args"]!.AsArray().Select(word => Here((string)word!)));
            await ShellAsync($"pg_ctl -D {Here(Told("PGDATA"))} -l {In("log")} -w -o \"{arguments} -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={In("var/run/postgresql")} {further}\" start", []);
            server = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"read -r _; {PostgresCluster.AsItsUser}", "sh", Path.Combine(PostgresCluster.Binaries!, "pg_ctl"), "-D", Here(Told("PGDATA")), "-m", "fast", "-w", "stop"]) { RedirectStandardInput = true, WorkingDirectory = "/" })!;
        }

        private async Task StopAsync()
        {
            if (server is null)
                return;
            server.StandardInput.Close();
            await server.WaitForExitAsync(CancellationToken.None);
            server.Dispose();
            server = null;
        }

        private string Told(string variable) => (string)database["env"]!.AsArray().Single(known => (string?)known!["name"] == variable)!["value"]!;

        /// <summary>Paths of the container as those of this machine.</summary>
        private string Here(string text) => text.Replace("/etc/", $"{folder}/etc/", StringComparison.Ordinal).Replace("/var/lib/", $"{folder}/var/lib/", StringComparison.Ordinal).Replace("/dumps", $"{folder}/dumps", StringComparison.Ordinal);

        [GeneratedRegex("\\{\\{.*?\\}\\}")]
        private static partial Regex Template();
    }
}
