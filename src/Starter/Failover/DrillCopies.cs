using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using PlatformOps.Activities.Failover;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard;
using PlatformOps.Guard.Configuration;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox.Aws;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Demos;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Starter.Failover;

/// <summary>Copies for drills on this machine: two guarded servers on loopback, a witness of their own in this process, clients of their own. Their certificates are of an authority that exists for the
/// copy alone, so that no guard but theirs listens to whoever acts for it.</summary>
internal sealed class DrillCopies(ILogger log) : IDrillCopies, IAsyncDisposable
{
    private const string Bucket = "witness", Secret = "not-a-secret", Region = "eu-central-1", Login = "platformops_drill";

    private static readonly TimeProvider Clock = TimeProvider.System;

    /// <summary>What a copy consists of; whoever merely looks into its folder is left alone.</summary>
    private static readonly HashSet<string> Ours = ["dotnet", "platformops", "postgres", "pg_basebackup", "pg_rewind", "setpriv"];

    private readonly ConcurrentDictionary<string, Copy> copies = new();

    public FailoverAccess? Find(string environment) => copies.GetValueOrDefault(environment)?.Access;

    public async Task<DrillCopy> MakeAsync(DrillOrder order, FailoverAccess access, IReadOnlyList<string> regions, CancellationToken ct)
    {
        var how = access.Drill ?? throw new AdapterException(AdapterFailureKind.Rejected, $"failover.{order.Environment}.drill is missing in the connections file: nobody says where a copy may stand. See docs/runbooks/drill.md.");
        if ((await RemoveAsync(order, access, ct)).Left is { Count: > 0 } left)
            throw new AdapterException(AdapterFailureKind.Unavailable, $"Of an earlier drill is left: {string.Join(", ", left)}. Remove it.");
        var copy = copies[order.Environment] = new(regions[0], regions[1]);
        try
        {
            await copy.StartAsync(order.Environment, Folder(how, order.Environment), how, access, log, ct);
        }
        catch (Exception failure) when (failure is GuardException or CommandFailure or IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"The copy cannot be made: {failure.Message}", failure);
        }

        var bytes = new DirectoryInfo(copy.Pair[regions[0]].Data).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        return new(how.Source, bytes, $"{how.Source} was cloned ({bytes / 1024 / 1024} MiB); {regions[0]} is the copy's primary, {regions[1]} follows it{(access.Synchronous ? ", and commits wait for it" : "")}.");
    }

    public async Task<string> LoseAsync(DrillOrder order, CancellationToken ct)
    {
        var copy = Of(order);
        await copy.Guards.LoseAsync(copy.First);
        return $"Guard and server of the copy's {copy.First} were killed.";
    }

    public Task<string> ReturnAsync(DrillOrder order, CancellationToken ct)
    {
        var copy = Of(order);
        if (!copy.Guards.Lives(copy.First))
            copy.Guards.Start(copy.First);
        return Task.FromResult($"The guard of the copy's {copy.First} was started again.");
    }

    public async Task<DrillAccount> AccountAsync(DrillOrder order, CancellationToken ct)
    {
        var copy = Of(order);
        var clients = copy.Clients;
        await clients.StopAsync();
        var gap = clients.LongestGap(copy.ClientsSince).Length;
        using var database = new GuardedPostgres(copy.Pair.Access);
        foreach (var node in copy.Pair.Nodes)
        {
            if (await database.ObserveAsync(node, ct) is { Writable: true })
                return new(clients.Acknowledged, await clients.LostAsync(copy.Pair[node].Clients.Listen, ct), clients.InDoubt, clients.MaxWritable(), Math.Round(gap.TotalSeconds, 3));
        }

        throw new AdapterException(AdapterFailureKind.Unavailable, "No node of the copy is writable: nobody can count its rows.");
    }

    public async Task<RemovedDrill> RemoveAsync(DrillOrder order, FailoverAccess access, CancellationToken ct)
    {
        if (copies.TryRemove(order.Environment, out var copy))
            await copy.DisposeAsync();
        if (access.Drill is not { } how)
            return new("Nothing: the connections file names no place for copies.", []);
        var folder = Folder(how, order.Environment);
        // What a process before this one has started.
        var started = Clock.GetTimestamp();
        while (ProcessesOf(folder) is { Count: > 0 } running && Clock.GetElapsedTime(started) < TimeSpan.FromSeconds(30))
        {
            foreach (var (id, _) in running)
                Posix.Signal(id, Posix.Kill);
            await Task.Delay(TimeSpan.FromMilliseconds(20), Clock, ct);
        }

        if (Directory.Exists(folder) && ProcessesOf(folder).Count == 0)
            Directory.Delete(folder, recursive: true);
        return new(
            $"Processes that stand in {folder} or name it, and the folder itself. The copy's witness was in this process and is gone.",
            [.. ProcessesOf(folder).Select(process => $"process {process.Id} ({process.Name})"), .. Directory.Exists(folder) ? [folder] : Array.Empty<string>()]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var copy in copies.Values)
            await copy.DisposeAsync();
    }

    private static string Folder(DrillAccess how, string environment) => Path.Combine(Path.GetFullPath(how.Folder), $"drill-{environment}");

    private Copy Of(DrillOrder order) => copies.GetValueOrDefault(order.Environment)
        ?? throw new AdapterException(AdapterFailureKind.Rejected, $"There is no copy of {order.Environment} in this worker: it was started again since the copy was made. Start another drill.");

    /// <summary>Guards by their command line, servers by where they stand.</summary>
    private static List<(int Id, string Name)> ProcessesOf(string folder)
    {
        var found = new List<(int, string)>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => Path.GetFileName(path).All(char.IsAsciiDigit)))
        {
            try
            {
                var stands = Directory.ResolveLinkTarget(Path.Combine(process, "cwd"), returnFinalTarget: false)?.FullName ?? "";
                var (id, name) = (int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture), File.ReadAllText(Path.Combine(process, "comm")).Trim());
                if (id != Environment.ProcessId && Ours.Contains(name)
                    && ((stands + "/").StartsWith(folder + "/", StringComparison.Ordinal) || File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0').Any(word => word.StartsWith(folder + "/", StringComparison.Ordinal))))
                    found.Add((id, name));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is nobody's that we could have started.
            }
        }

        return found;
    }

    /// <summary>One copy and what runs for it.</summary>
    private sealed class Copy(string first, string second) : IAsyncDisposable
    {
        private AwsStandIn? witness;

        public string First => first;

        public LocalPair Pair { get; private set; } = null!;

        public GuardProcesses Guards { get; private set; } = null!;

        public Clients Clients { get; private set; } = null!;

        public long ClientsSince { get; private set; }

        /// <summary>Nothing leads to it, and nothing goes with it.</summary>
        public FailoverAccess? Access { get; private set; }

        public async Task StartAsync(string environment, string folder, DrillAccess how, FailoverAccess of, ILogger log, CancellationToken ct)
        {
            Directory.CreateDirectory(folder);
            witness = await AwsStandIn.StartAsync(new(), ct);
            var credentials = Path.Combine(folder, "credentials");
            await File.WriteAllTextAsync(credentials, $"[default]\naws_access_key_id = {witness.AccessKeyId}\naws_secret_access_key = {Secret}\n", ct);
            using (var connection = new AwsConnection(new() { Region = Region, Endpoint = witness.Address, Keys = new(witness.AccessKeyId, Secret), CallTimeout = TimeSpan.FromSeconds(5) }))
                await new Buckets(connection).EnsureAsync(new() { Name = Bucket }, new("drill", environment, Bucket), "drill", ct);
            Pair = LocalPair.Make(
                folder, environment, first, second, new(S3: new(Bucket, environment, Region, witness.Address.AbsoluteUri, credentials)), Clock, node => node with { Binaries = how.Binaries ?? node.Binaries });
            File.Copy(how.PasswordFile, Pair[first].PasswordFile);
            File.SetUnixFileMode(Pair[first].PasswordFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            var source = new PeerSettings(how.Source, how.Replication);
            var tls = of.GuardTls is { ServerCertificateAuthority: { } authority, ClientCertificate: { } certificate, ClientKey: { } key } ? new TlsSettings(certificate, key, authority)
                : throw new AdapterException(AdapterFailureKind.Rejected, $"failover.{environment}.guardTls (serverCertificateAuthority, clientCertificate, clientKey) is missing in the connections file.");
            await GuardCopy.MakeAsync(
                Pair[first], source, tls,
                $"CREATE ROLE {Login} LOGIN PASSWORD '{password}'; CREATE SCHEMA {Login} AUTHORIZATION {Login}; ALTER ROLE {Login} SET search_path = {Login}; "
                + $"CREATE TABLE {Login}.ledger (id bigint PRIMARY KEY); CREATE TABLE {Login}.probes (id bigint PRIMARY KEY); ALTER TABLE {Login}.ledger OWNER TO {Login}; ALTER TABLE {Login}.probes OWNER TO {Login};",
                Clock, log, ct);
            Guards = new(Pair);
            await Guards.InitAsync(second, ["--standby"], ct);
            Guards.Start(first);
            Guards.Start(second);
            using var database = new GuardedPostgres(Pair.Access);
            await UntilAsync(database, first, node => node is { Writable: true, Streaming: true }, ct);
            await UntilAsync(database, second, node => node is { Role: NodeRole.Standby, Streaming: true }, ct);
            if (of.Synchronous)
            {
                await database.SetSynchronousAsync(first, synchronous: true, epoch: 1, ct);
                await UntilAsync(database, first, node => node is { Synchronous: true }, ct);
            }

            var passwordFile = Path.Combine(folder, "login");
            await File.WriteAllTextAsync(passwordFile, password, ct);
            Access = new()
            {
                Nodes = Pair.Nodes.ToDictionary(node => node, node => new FailoverNodeAccess($"https://{Pair[node].Api.Listen}", Pair[node].Clients.Listen)),
                GuardTls = new(Pair.Certificates.Authority, Pair.Certificates.Certificate(LocalPair.Operator), Pair.Certificates.Key(LocalPair.Operator)),
                Login = new(User: Login, PasswordFile: passwordFile, Database: "postgres"),
                ClientTls = false,
                Synchronous = of.Synchronous,
                Timing = of.Timing,
                Witness = new(Bucket, environment, new(Region, witness.Address.AbsoluteUri, credentials)),
            };
            ClientsSince = Clock.GetTimestamp();
            Clients = new([.. Pair.Nodes.Select(node => Pair[node].Clients.Listen)], writers: 2, Clock, TimeSpan.FromMilliseconds(5), (Login, password));
        }

        public async ValueTask DisposeAsync()
        {
            Access = null;
            if (Clients is not null)
                await Clients.DisposeAsync();
            if (Guards is not null)
                await Guards.DisposeAsync();
            if (witness is not null)
                await witness.DisposeAsync();
        }

        private static async Task UntilAsync(GuardedPostgres database, string name, Func<DatabaseNode, bool> wanted, CancellationToken ct)
        {
            DatabaseNode? last = null;
            for (var started = Clock.GetTimestamp(); last is null || !wanted(last);)
            {
                if (Clock.GetElapsedTime(started) > TimeSpan.FromHours(1))
                    throw new AdapterException(AdapterFailureKind.Unavailable, $"The copy's {name} is not as it has to be after an hour: {last}");
                await Task.Delay(TimeSpan.FromMilliseconds(50), Clock, ct);
                try
                {
                    last = await database.ObserveAsync(name, ct);
                }
                catch (AdapterException)
                {
                    // It is starting.
                }
            }
        }
    }
}
