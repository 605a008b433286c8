using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Bench.Failover;

/// <summary>How Patroni decides; seconds. Its defaults are 30, 10, 10.</summary>
/// <param name="StartTimeout">How long a stopped primary is tried to be started before the other node may take over; null: Patroni's default (300).</param>
internal sealed record PatroniSettings(int Ttl, int LoopWait, int RetryTimeout, int? StartTimeout)
{
    public string Name => string.Create(CultureInfo.InvariantCulture, $"Patroni {Ttl}/{LoopWait}/{RetryTimeout}");
}

/// <summary>Two PostgreSQL servers under Patroni, with etcd, on loopback. Clients reach the servers at both addresses, as with libpq's list of hosts.</summary>
internal sealed class PatroniPair : IAsyncDisposable
{
    // Not "first": that is a word of synchronous_standby_names' own.
    public const string First = "east", Second = "west";

    private const string Superuser = "postgres";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string folder;
    private readonly PatroniSettings settings;
    private readonly bool synchronous;
    private readonly Process etcd;
    private readonly int etcdPort;
    private readonly Dictionary<string, Node> nodes;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(60) };

    private PatroniPair(string folder, PatroniSettings settings, bool synchronous)
    {
        (this.folder, this.settings, this.synchronous, etcdPort) = (folder, settings, synchronous, LocalPostgres.FreePort());
        nodes = new[] { First, Second }.ToDictionary(name => name, name => new Node(name, Path.Combine(folder, name), LocalPostgres.FreePort(), LocalPostgres.FreePort()));
        var peer = LocalPostgres.FreePort();
        etcd = Start("etcd", "etcd.log", [
            "etcd", "--data-dir", Path.Combine(folder, "etcd"), "--listen-client-urls", Http(etcdPort), "--advertise-client-urls", Http(etcdPort),
            "--listen-peer-urls", Http(peer), "--initial-advertise-peer-urls", Http(peer), "--initial-cluster", $"default={Http(peer)}"]);
    }

    /// <summary>What is missing here, with the command that installs it; null: nothing.</summary>
    public static string? Missing { get; } = Array.Find(["patroni", "etcd"], program => !OnPath(program)) is { } program
        ? $"Patroni was not measured: there is no `{program}` on the PATH (Debian: apt-get install {(program == "etcd" ? "etcd-server" : program)})."
        : null;

    public IReadOnlyList<string> Addresses => [.. nodes.Values.Select(node => node.Address)];

    /// <summary>A leader and a standby that streams, and commits that wait for it when they should.</summary>
    public static async Task<PatroniPair> StartAsync(PatroniSettings settings, bool synchronous)
    {
        var pair = new PatroniPair(await LocalPostgres.FolderAsync(), settings, synchronous);
        try
        {
            foreach (var node in pair.nodes.Values)
                await File.WriteAllTextAsync(pair.ConfigurationFile(node.Name), pair.Configuration(node));
            pair.StartAgent(First);
            await pair.UntilAsync("the first node leads", async () => (await pair.PrimaryAsync())?.Name == First);
            await using (var primary = await LocalPostgres.OpenAsync(pair.nodes[First].Port, Superuser))
            {
                // The timeline is to Patroni's pair what the epoch is to a guarded one.
                await LocalPostgres.RunAsync(primary, $"""
                    {Clients.Schema}
                    CREATE SCHEMA platformops;
                    CREATE VIEW platformops.epoch AS SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int::bigint AS epoch;
                    GRANT USAGE ON SCHEMA platformops TO public;
                    GRANT SELECT ON platformops.epoch TO public;
                    """);
            }

            pair.StartAgent(Second);
            await pair.UntilWholeAsync();
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>Both nodes are there, the standby streams, and commits wait for it when they should.</summary>
    public Task UntilWholeAsync() => UntilAsync("the standby streams", IsWholeAsync);

    private async Task<bool> IsWholeAsync()
    {
        if (await PrimaryAsync() is not { } primary || !nodes.Values.All(node => node.Agent is { HasExited: false }))
            return false;
        // What the servers do, and what Patroni knows of it: it looks once in a while.
        if (synchronous && !(await http.GetStringAsync(new Uri($"{Http(nodes[primary.Name].Rest)}/cluster"))).Contains("\"sync_standby\"", StringComparison.Ordinal))
            return false;
        await using var connection = await LocalPostgres.OpenAsync(primary.Port, Superuser);
        return await LocalPostgres.RunAsync(connection, $"SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND {(synchronous ? "sync_state = 'sync'" : "true")})") is true;
    }

    /// <summary>Who takes writes now; null: nobody, or nobody says so.</summary>
    public async Task<Primary?> PrimaryAsync(string? except = null)
    {
        foreach (var node in nodes.Values.Where(node => node.Name != except))
        {
            try
            {
                await using var connection = await LocalPostgres.OpenAsync(node.Port, Superuser);
                if (await LocalPostgres.RunAsync(connection, "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_postmaster_start_time() END") is DateTime started)
                    return new(node.Name, node.Port, node.Address, started);
            }
            catch (Exception silent) when (silent is NpgsqlException or TimeoutException or IOException)
            {
                // It is down, or starts.
            }
        }

        return null;
    }

    /// <summary>The end of a machine: agent and server die at once, unasked.</summary>
    public void Lose(string node)
    {
        LocalPostgres.KillNow([nodes[node].Agent!.Id, .. LocalPostgres.Processes(nodes[node].Data)]);
        LocalPostgres.KillNow(LocalPostgres.Processes(nodes[node].Data));
    }

    /// <summary>Only the server's first process dies.</summary>
    public async Task KillPostmasterAsync(string node) => LocalPostgres.KillNow([await LocalPostgres.PostmasterAsync(nodes[node].Data)]);

    /// <summary>Only the agent dies; its server lives on.</summary>
    public void KillAgent(string node) => LocalPostgres.KillNow([nodes[node].Agent!.Id]);

    public void StartAgent(string node) => nodes[node] = nodes[node] with { Agent = Start("patroni", $"{node}.log", ["patroni", ConfigurationFile(node)]) };

    /// <summary>What an operator asks for; returns when it is done.</summary>
    public async Task SwitchOverAsync(string from, string to)
    {
        // Its server wants to know the length before it reads.
        using var body = new StringContent(JsonSerializer.Serialize(new { leader = from, candidate = to }), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"{Http(nodes[from].Rest)}/switchover"), body);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"Patroni answered {(int)answer.StatusCode} to a switchover: {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>For the next scenario: what the clients of the last one wrote is removed.</summary>
    public async Task EmptyAsync()
    {
        await using var connection = await LocalPostgres.OpenAsync((await PrimaryAsync())!.Port, Superuser);
        await LocalPostgres.RunAsync(connection, "TRUNCATE ledger, probes");
    }

    public async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await holds())
                    return;
            }
            catch (Exception silent) when (silent is NpgsqlException or TimeoutException or IOException or HttpRequestException)
            {
                // Asked again.
            }

            if (Stopwatch.GetElapsedTime(started) > Patience)
                throw new InvalidOperationException($"{settings.Name}: waited for {Patience.TotalMinutes:0} minutes: {what}.\n{Logs()}");
            await Task.Delay(50);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes.Values)
        {
            if (node.Agent is { } agent)
            {
                LocalPostgres.KillNow([agent.Id]);
                await agent.WaitForExitAsync();
                agent.Dispose();
            }

            while (LocalPostgres.Processes(node.Data) is { Count: > 0 } left)
            {
                LocalPostgres.KillNow(left);
                await Task.Delay(10);
            }
        }

        LocalPostgres.KillNow([etcd.Id]);
        await etcd.WaitForExitAsync();
        etcd.Dispose();
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string ConfigurationFile(string node) => Path.Combine(folder, $"{node}.yml");

    /// <summary>The same settings of the server as a guarded node's.</summary>
    private string Configuration(Node node) => $"""
        scope: bench
        name: {node.Name}
        restapi: {Braced($"listen: '127.0.0.1:{node.Rest}', connect_address: '127.0.0.1:{node.Rest}'")}
        etcd3: {Braced($"hosts: '127.0.0.1:{etcdPort}'")}
        bootstrap:
          dcs:
            ttl: {settings.Ttl}
            loop_wait: {settings.LoopWait}
            retry_timeout: {settings.RetryTimeout}
            {(settings.StartTimeout is { } start ? $"primary_start_timeout: {start}" : "maximum_lag_on_failover: 1048576")}
            synchronous_mode: {(synchronous ? "true" : "false")}
            postgresql:
              use_pg_rewind: true
              use_slots: true
              parameters:
                wal_level: replica
                wal_log_hints: 'on'
                hot_standby: 'on'
                full_page_writes: 'on'
                max_wal_senders: 10
                max_replication_slots: 10
                wal_keep_size: '256MB'
                max_slot_wal_keep_size: '16GB'
                wal_retrieve_retry_interval: '100ms'
                wal_receiver_status_interval: '1s'
                wal_receiver_timeout: '5s'
                wal_sender_timeout: '5s'
                synchronous_commit: 'remote_apply'
          initdb: [{Braced("encoding: UTF8")}, {Braced("locale: C.UTF-8")}, data-checksums]
        postgresql:
          listen: '127.0.0.1:{node.Port}'
          connect_address: '127.0.0.1:{node.Port}'
          data_dir: '{node.Data}'
          bin_dir: '{LocalPostgres.Binaries}'
          pgpass: '{Path.Combine(folder, $"{node.Name}.pgpass")}'
          parameters: {Braced($"unix_socket_directories: '{folder}'")}
          pg_hba: ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
          authentication:
            superuser: {Braced($"username: {Superuser}, password: bench")}
            replication: {Braced("username: replicator, password: bench")}

        """;

    private Process Start(string what, string log, IEnumerable<string> command)
    {
        // The log is a file, which outlives whoever writes into it.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec setsid \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", Path.Combine(folder, log), .. LocalPostgres.AsServerUser, .. command]) { WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C.UTF-8";
        return Process.Start(start) ?? throw new InvalidOperationException($"{what} cannot be started.");
    }

    private string Logs() => string.Join('\n', Directory.GetFiles(folder, "*.log").Select(file => $"{Path.GetFileName(file)}:\n{string.Join('\n', File.ReadLines(file).TakeLast(15))}"));

    private static string Braced(string inside) => "{" + inside + "}";

    private static string Http(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private static bool OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <param name="Started">When its server's first process was started: one that was started again is another one.</param>
    public sealed record Primary(string Name, int Port, string Address, DateTime Started);

    private sealed record Node(string Name, string Data, int Port, int Rest, Process? Agent = null)
    {
        public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");
    }
}
