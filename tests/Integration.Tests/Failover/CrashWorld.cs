using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Sandbox;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Demos;
using PlatformOps.Starter.Failover;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A failover run with everything real around it (servers, guards, witness, bootstrap server as a process with a file, workers), clients that keep account, and everything of it
/// can die, freeze or be cut off. An operator who does what the run asks for is part of it.</summary>
internal sealed partial class CrashWorld : IAsyncDisposable
{
    private const string Environment = "production", Secret = "database", NotReached = " (not reached)";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    /// <summary>All is well for so long: what was caused led to no change of places, for example because a server that ended was started again in place.</summary>
    private static readonly TimeSpan WellForGood = TimeSpan.FromSeconds(10);

    /// <summary>From so long a pause of the machine on half a second of ours is no longer half a second: the lease is a second, and stalls after 0.8 of it.</summary>
    private static readonly TimeSpan Starved = TimeSpan.FromMilliseconds(150);

    private readonly Cli cli = new();
    private readonly int port = LocalPorts.Take();
    private readonly bool synchronous;
    private readonly Action<string> say;
    private readonly GuardedPair pair;
    private readonly Dictionary<string, Link> guardLinks, clientLinks;
    private readonly Link workersToWitness;
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim starting = new(1), hiring = new(1);
    private readonly ConcurrentDictionary<string, MortalWorkers> workers = new();
    private readonly List<MortalWorkers> dead = [];
    private readonly ConcurrentDictionary<string, FailoverReport> reports = new();
    private readonly ConcurrentDictionary<long, string> scheduled = new();
    private SandboxHost sandbox = null!;
    private RunningCli? server;
    private TemporalClient client = null!;
    private Clients clients = null!;
    private PlatformConnections connections = null!;
    private Task following = Task.CompletedTask;
    private Armed? armed;
    private int seat = 1;
    private bool brainLost, aborting;
    private string said = "", what = "the start";

    private CrashWorld(GuardedPair pair, bool synchronous, Action<string> say)
    {
        (this.pair, this.synchronous, this.say) = (pair, synchronous, say);
        guardLinks = pair.Files.Nodes.ToDictionary(node => node, node => new Link(Port(pair.Files[node].Api.Listen)));
        clientLinks = pair.Files.Nodes.ToDictionary(node => node, node => new Link(Port(pair.Files[node].Clients.Listen)));
        workersToWitness = new(pair.WitnessPort);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private WorkflowHandle Run => client.GetWorkflowHandle(RegionFailover.WorkflowId(Environment));

    /// <param name="say">Gets a line for what happened.</param>
    public static async Task<CrashWorld> StartAsync(bool synchronous, Action<string> say)
    {
        var world = new CrashWorld(await GuardedPair.StartAsync(synchronous), synchronous, say);
        try
        {
            await world.BringUpAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>One fault at one moment, then all is well again: and so must be the end.</summary>
    public async Task CrashAsync(CrashCase one)
    {
        // A server that ended when its standby lacked something is started again in place instead: that is not the case that was meant.
        for (var attempt = 1; !await ReachAsync(one) && attempt < 3; attempt++)
        {
        }

        Assert.DoesNotContain(NotReached, what, StringComparison.Ordinal);
    }

    /// <summary>Returns false: the moment did not come.</summary>
    private async Task<bool> ReachAsync(CrashCase one)
    {
        what = $"{one}";
        var began = Stopwatch.GetTimestamp();
        var (primary, standby) = await WhoAsync();
        var epoch = (await pair.Witness.ReadAsync(Ct))!.Record.Epoch;
        var fired = Arm(one.Step, one.Moment, () => HitAsync(one.Victim, primary, standby));
        await CauseAsync(one.Cause, primary);
        var returned = one.Cause == Cause.NodeLost ? ReturnAsync(primary) : Task.CompletedTask;
        var settled = SettleAsync(primary, () => fired.IsCompleted && returned.IsCompleted, unlessNothingComes: true);
        if (await Task.WhenAny(fired, settled) == settled)
            await settled;
        Volatile.Write(ref armed, null);
        if (!fired.IsCompleted)
            what += NotReached;
        await Task.Delay(one.Lasts, Ct);
        await returned;
        await HealAsync();
        await settled;
        await AccountAsync(began);
        if (one.Victim == Victim.Brain)
            Assert.InRange((await pair.Witness.ReadAsync(Ct))!.Record.Epoch, epoch, epoch + (one.Cause == Cause.TakenBack ? 2 : 1));
        return fired.IsCompleted;
    }

    /// <summary>Faults at random, of random length, one beside the other; then all is well again. A seed gives the same faults to the same roles, whatever was before.</summary>
    public async Task DisturbAsync(int seed, TimeSpan length)
    {
        var began = Stopwatch.GetTimestamp();
        var random = new Random(seed);
        var (primary, standby) = await WhoAsync();
        what = $"seed {seed} ({(synchronous ? "synchronous" : "asynchronous")}):";
        var over = false;
        var settled = SettleAsync(primary, () => over);
        var going = new List<Task>();
        while (Stopwatch.GetElapsedTime(began) < length && !settled.IsCompleted)
        {
            await Task.Delay(random.Next(50, 1500), Ct);
            var (fault, hit, heal) = RandomFault(random, primary, standby);
            var lasts = TimeSpan.FromMilliseconds(random.Next(100, 4000));
            what += string.Create(CultureInfo.InvariantCulture, $" {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} {fault} for {lasts.TotalSeconds:0.0};");
            going.Add(DisturbOnceAsync(hit, heal, lasts));
        }

        await Task.WhenAll(going);
        await HealAsync();
        over = true;
        await settled;
        await AccountAsync(began);
    }

    /// <summary>What happens on a healthy platform: something stands still for half a second at most, packets are lost, connections break. One after the other, with load all the while; and nothing changes places.</summary>
    public async Task BearAsync(int seed, TimeSpan length)
    {
        var began = Stopwatch.GetTimestamp();
        var random = new Random(seed);
        var (primary, standby) = await WhoAsync();
        var (epoch, before) = ((await pair.Witness.ReadAsync(Ct))!.Record.Epoch, reports.Count);
        what = $"noise of seed {seed} ({(synchronous ? "synchronous" : "asynchronous")}):";
        var over = false;
        var settled = SettleAsync(primary, () => over);
        var own = OwnPauseAsync(() => over);
        for (var left = 10; Stopwatch.GetElapsedTime(began) < length && !settled.IsCompleted;)
        {
            await Task.Delay(random.Next(300, 1000), Ct);
            var (fault, hit, heal) = Nuisance(random, primary, standby);
            var lasts = TimeSpan.FromMilliseconds(random.Next(50, 501));
            var entry = string.Create(CultureInfo.InvariantCulture, $" {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} {fault} for {lasts.TotalSeconds:0.00};");
            what = left-- > 0 ? what + entry : what[..what.IndexOf(':', StringComparison.Ordinal)] + ": ..." + entry;
            await DisturbOnceAsync(hit, heal, lasts);
        }

        over = true;
        await settled;
        await AccountAsync(began);
        var pause = await own;
        var moved = (await pair.Witness.ReadAsync(Ct))!.Record.Epoch != epoch || reports.Count != before;
        if (moved)
            say(string.Create(CultureInfo.InvariantCulture, $"The places changed, and this machine itself stood still for {pause.TotalSeconds:0.00} s."));
        Assert.False(moved && pause < Starved, what);
    }

    /// <summary>The longest time for which this very process did not get on: what else the machine does adds to every pause.</summary>
    private static async Task<TimeSpan> OwnPauseAsync(Func<bool> over)
    {
        var longest = TimeSpan.Zero;
        while (!over())
        {
            var since = Stopwatch.GetTimestamp();
            await Task.Delay(10, Ct);
            longest = Stopwatch.GetElapsedTime(since) is var pause && pause > longest ? pause : longest;
        }

        return longest;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        if (clients is not null)
            await clients.DisposeAsync();
        await HealLinksAsync();
        await following;
        // One whose server is gone waits for it for a while.
        await Task.WhenAll(dead.Concat(workers.Values).Select(gone => gone.DisposeAsync().AsTask()));
        server?.Dispose();
        if (sandbox is not null)
            await sandbox.DisposeAsync();
        await pair.DisposeAsync();
        foreach (var link in guardLinks.Values.Concat(clientLinks.Values).Append(workersToWitness))
            link.Dispose();
        cli.Dispose();
        starting.Dispose();
        hiring.Dispose();
        stop.Dispose();
    }

    private async Task BringUpAsync()
    {
        await StartServerAsync();
        client = await TemporalTarget.Of($"127.0.0.1:{port}", "a test").ConnectAsync(Ct);
        sandbox = await SandboxHost.StartAsync(new() { Regions = [.. pair.Files.Nodes] }, Ct);
        var password = Path.Combine(pair.Files.Folder, "app-password");
        await File.WriteAllTextAsync(password, "app", Ct);
        connections = new PlatformConnections
        {
            Regions = pair.Files.Nodes.ToDictionary(node => node, Connect),
            Failover = new Dictionary<string, FailoverAccess>
            {
                [Environment] = new()
                {
                    Nodes = pair.Files.Nodes.ToDictionary(node => node, node => new FailoverNodeAccess($"https://{guardLinks[node].Address}", clientLinks[node].Address)),
                    GuardTls = new(pair.Files.Certificates.Authority, pair.Files.Certificates.Certificate(LocalPair.Operator), pair.Files.Certificates.Key(LocalPair.Operator)),
                    Login = new(User: "app", PasswordFile: password, Database: "postgres"),
                    ClientTls = false,
                    Synchronous = synchronous,
                    Service = new("default", "postgresql"),
                    Secrets = [new("default", Secret)],
                    Buckets = [new(pair.Files.Nodes.ToDictionary(node => node, Bucket), "arn:aws:iam::123456789012:role/copies")],
                    Witness = new("witness", Environment, new("eu-central-1", $"http://{workersToWitness.Address}", Path.Combine(pair.Files.Folder, "credentials"))),
                },
            },
        };
        foreach (var region in pair.Files.Nodes)
        {
            using var cluster = new KubectlLike(sandbox.Regions[region].ApiServer, sandbox.Regions[region].Kubeconfig.Split("token: \"")[1].Split('"')[0]);
            await cluster.CreateAsync("/api/v1/namespaces/default/secrets", $$"""{"metadata":{"name":"{{Secret}}"},"stringData":{"host":"nobody","port":"5432"} }""");
            using var aws = RegionAws.Open(connections, region);
            await new Buckets(aws).EnsureAsync(new() { Name = Bucket(region) }, Names.Owner, "op-1", Ct);
        }

        await StartWorkersAsync();
        await BeginAsync();
        following = FollowCompletionsAsync();
        clients = new(pair.Files.Nodes.Select(node => pair.Files[node].Clients.Listen).ToList(), writers: 2, TimeProvider.System, pause: TimeSpan.FromMilliseconds(5));
        await SettleAsync(GuardedPair.First, () => true);
    }

    private Task BeginAsync() => client.StartWorkflowAsync(
        nameof(RegionFailover), [new RegionFailoverRequest { Environment = Environment }], new(RegionFailover.WorkflowId(Environment), TaskQueues.Failover) { TaskTimeout = RegionFailover.TaskTimeout });

    private Task StartGuardAsync(string node, bool mayDie = false) => InTurnAsync(starting, async () =>
    {
        if (!pair.Lives(node))
            await pair.StartGuardAsync(node, mayDie);
    });

    /// <param name="mayDie">Whether somebody may kill it while it starts.</param>
    private Task StartServerAsync(bool mayDie = false) => InTurnAsync(starting, async () =>
    {
        if (server is { HasEnded: false })
            return;
        server?.Dispose();
        server = cli.Start("server", "--port", port.ToString(CultureInfo.InvariantCulture), "--database", Path.Combine(cli.Home, $"bootstrap-{seat}.db"));
        try
        {
            await server.WaitForAsync("Bootstrap server:");
        }
        catch (Xunit.Sdk.XunitException) when (mayDie && server.HasEnded)
        {
            // Whoever killed it starts it again.
        }
    });

    /// <summary>In a turn of their own: they wait for a server that may have to be started first.</summary>
    private Task StartWorkersAsync() => InTurnAsync(hiring, async () =>
    {
        var locations = Locations.From(null, null, null);
        while (pair.Files.Nodes.FirstOrDefault(region => !workers.ContainsKey(region)) is { } region)
        {
            try
            {
                workers[region] = await MortalWorkers.StartAsync(port, [region], new ProvisioningSources(locations.Specification, locations.Catalog), connections, ReachedAsync, Ct);
            }
            catch (CommandFailure)
            {
                // The bootstrap server is down or frozen: a service manager starts them again and again.
                await Task.Delay(200, Ct);
            }
        }
    });

    private static async Task InTurnAsync(SemaphoreSlim turn, Func<Task> act)
    {
        await turn.WaitAsync(Ct);
        try
        {
            await act();
        }
        finally
        {
            turn.Release();
        }
    }

    private void KillWorkers(params IReadOnlyList<string> regions)
    {
        foreach (var region in regions)
        {
            if (!workers.TryRemove(region, out var killed))
                continue;
            killed.Kill();
            lock (dead)
                dead.Add(killed);
        }
    }

    private async Task KillServerAsync()
    {
        if (server is { HasEnded: false } running)
            await running.KillAsync();
    }

    private void SignalServer(int signal)
    {
        if (server is { HasEnded: false } running)
            Posix.Signal(running.Id, signal);
    }

    private void Say(string what)
    {
        if (what != said && System.Environment.GetEnvironmentVariable("PLATFORMOPS_TEST_KEEP") is not null)
            say($"  {DateTime.UtcNow:HH:mm:ss.fff} {what}");
        said = what;
    }

    /// <summary>A cluster for each region. What is not there must not be looked for elsewhere.</summary>
    private RegionConnection Connect(string region)
    {
        var kubeconfig = Path.Combine(pair.Files.Folder, $"{region}.kubeconfig");
        File.WriteAllText(kubeconfig, sandbox.Regions[region].Kubeconfig);
        return new() { Kubeconfig = kubeconfig, Context = sandbox.Regions[region].Context, TemporalAddress = "127.0.0.1:1", Aws = new(Endpoint: $"http://127.0.0.1:{pair.WitnessPort}", CredentialsFile: Path.Combine(pair.Files.Folder, "credentials")) };
    }

    private static string Bucket(string region) => $"orders-{region}";

    private static Task Now(Action act)
    {
        act();
        return Task.CompletedTask;
    }

    private static Task Each<T>(IEnumerable<T> all, Action<T> act)
    {
        foreach (var one in all)
            act(one);
        return Task.CompletedTask;
    }

    private static int Port(string address) => int.Parse(address.Split(':')[1], CultureInfo.InvariantCulture);

    private sealed record Armed(string Step, Moment Moment, Func<Task> Fire)
    {
        public TaskCompletionSource Fired { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
