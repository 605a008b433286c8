using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Demos;
using PlatformOps.Starter.Failover;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A failover run with everything real around it (servers, guards, witness, bootstrap server as a process with a file, workers), clients that keep account, and everything of it
/// can die, freeze or be cut off. An operator who does what the run asks for is part of it.</summary>
internal sealed class CrashWorld : IAsyncDisposable
{
    private const string Environment = "production";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    /// <summary>All is well for so long: what was caused led to no change of places, for example because a server that ended was started again in place.</summary>
    private static readonly TimeSpan WellForGood = TimeSpan.FromSeconds(10);

    private readonly Cli cli = new();
    private readonly int port = LocalPair.FreePorts(1)[0];
    private readonly bool synchronous;
    private readonly Action<string> say;
    private readonly GuardedPair pair;
    private readonly Dictionary<string, Link> guardLinks, clientLinks;
    private readonly Link workersToWitness;
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim starting = new(1);
    private readonly List<MortalWorkers> dead = [];
    private readonly ConcurrentDictionary<string, FailoverReport> reports = new();
    private readonly ConcurrentDictionary<long, string> scheduled = new();
    private SandboxHost sandbox = null!;
    private RunningCli? server;
    private MortalWorkers? workers;
    private TemporalClient client = null!;
    private Clients clients = null!;
    private PlatformConnections connections = null!;
    private Task following = Task.CompletedTask;
    private Armed? armed;
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
        what = $"{one}";
        var began = Stopwatch.GetTimestamp();
        var (primary, standby) = await WhoAsync();
        var fired = Arm(one.Step, one.Moment, () => HitAsync(one.Victim, primary, standby));
        await CauseAsync(one.Cause, primary);
        var returned = one.Cause == Cause.NodeLost ? ReturnAsync(primary) : Task.CompletedTask;
        var settled = SettleAsync(primary, () => fired.IsCompleted && returned.IsCompleted, unlessNothingComes: true);
        if (await Task.WhenAny(fired, settled) == settled)
            await settled;
        Volatile.Write(ref armed, null);
        if (!fired.IsCompleted)
            what += " (not reached)";
        await Task.Delay(one.Lasts, Ct);
        await returned;
        await HealAsync();
        await settled;
        await AccountAsync(began);
    }

    /// <summary>Faults at random, of random length, one beside the other; then all is well again.</summary>
    public async Task DisturbAsync(int seed, TimeSpan length)
    {
        var began = Stopwatch.GetTimestamp();
        var random = new Random(seed);
        what = $"seed {seed} ({(synchronous ? "synchronous" : "asynchronous")}):";
        var (primary, _) = await WhoAsync();
        var over = false;
        var settled = SettleAsync(primary, () => over);
        var going = new List<Task>();
        while (Stopwatch.GetElapsedTime(began) < length && !settled.IsCompleted)
        {
            await Task.Delay(random.Next(50, 1500), Ct);
            var (fault, hit, heal) = RandomFault(random);
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

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        if (clients is not null)
            await clients.DisposeAsync();
        await HealLinksAsync();
        await following;
        foreach (var gone in dead.Append(workers).OfType<MortalWorkers>())
            await gone.DisposeAsync();
        server?.Dispose();
        if (sandbox is not null)
            await sandbox.DisposeAsync();
        await pair.DisposeAsync();
        foreach (var link in guardLinks.Values.Concat(clientLinks.Values).Append(workersToWitness))
            link.Dispose();
        cli.Dispose();
        starting.Dispose();
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
                    Witness = new("witness", Environment, new("eu-central-1", $"http://{workersToWitness.Address}", Path.Combine(pair.Files.Folder, "credentials"))),
                },
            },
        };
        await StartWorkersAsync();
        await client.StartWorkflowAsync(nameof(RegionFailover), [new RegionFailoverRequest { Environment = Environment }], new(RegionFailover.WorkflowId(Environment), TaskQueues.Failover) { TaskTimeout = RegionFailover.TaskTimeout });
        following = FollowCompletionsAsync();
        clients = new(pair.Files.Nodes.Select(node => pair.Files[node].Clients.Listen).ToList(), writers: 2, TimeProvider.System, pause: TimeSpan.FromMilliseconds(5));
        await SettleAsync(GuardedPair.First, () => true);
    }

    private async Task CauseAsync(Cause cause, string primary)
    {
        switch (cause)
        {
            case Cause.NodeLost:
                await pair.LoseAsync(primary);
                break;
            case Cause.PostmasterKilled:
                pair.KillPostmaster(primary);
                break;
            default:
                await AskAsync();
                break;
        }
    }

    /// <summary>A machine that was lost is back after a while.</summary>
    private async Task ReturnAsync(string node)
    {
        await Task.Delay(TimeSpan.FromSeconds(2.5), Ct);
        if (!pair.Lives(node))
            await pair.StartGuardAsync(node);
    }

    private async Task AskAsync()
    {
        while (true)
        {
            try
            {
                await Run.ExecuteUpdateAsync<ControlResult>("failOver", [new FailOverInput("the test wants it", "ana")]);
                return;
            }
            catch (Exception refused) when (refused is WorkflowUpdateFailedException or RpcException)
            {
                // What it has to know may have come a moment later.
                Say($"failOver: {refused.InnerException?.Message ?? refused.Message}");
                await Task.Delay(200, Ct);
            }
        }
    }

    private async Task HitAsync(Victim victim, string primary, string standby)
    {
        Say($"hit {victim}");
        switch (victim)
        {
            case Victim.Workers:
                KillWorkers();
                break;
            case Victim.BootstrapServer:
                await KillServerAsync();
                break;
            case Victim.OldPrimary or Victim.NewPrimary:
                await pair.LoseAsync(victim == Victim.OldPrimary ? primary : standby);
                break;
            case Victim.WitnessOfOldPrimary or Victim.WitnessOfNewPrimary:
                pair.WitnessLink(victim == Victim.WitnessOfOldPrimary ? primary : standby).Cut();
                break;
            case Victim.BetweenNodes:
                pair.ReplicationLink(primary).Cut();
                pair.ReplicationLink(standby).Cut();
                break;
            case Victim.WorkersToWitness:
                workersToWitness.Cut();
                break;
            default:
                var node = victim == Victim.WorkersToOldPrimary ? primary : standby;
                guardLinks[node].Cut();
                clientLinks[node].Cut();
                break;
        }
    }

    private (string What, Func<Task> Hit, Func<Task> Heal) RandomFault(Random random)
    {
        var node = random.Next(2) == 0 ? GuardedPair.First : GuardedPair.Second;
        (string, Func<Task>, Func<Task>) Cut(string what, params Link[] links) => ($"cut {what}", () => Each(links, link => link.Cut()), () => Each(links, link => link.Restore()));
        return random.Next(13) switch
        {
            0 => ($"lose {node}", () => pair.LoseAsync(node), () => StartGuardAsync(node, mayDie: true)),
            1 => ($"kill guard of {node}", () => Now(() => pair.KillGuard(node)), () => StartGuardAsync(node, mayDie: true)),
            2 => ($"kill server of {node}", () => Now(() => _ = pair.Data(node).Postmaster() is { } process ? Signal(process) : 0), () => Task.CompletedTask),
            3 => ($"freeze guard of {node}", () => Now(() => pair.FreezeGuard(node)), () => Now(() => pair.ThawGuard(node))),
            4 => ($"freeze {node}", () => Now(() => pair.Freeze(node)), () => Now(() => pair.Thaw(node))),
            5 => ("kill workers", () => Now(KillWorkers), StartWorkersAsync),
            6 => ("kill bootstrap server", KillServerAsync, StartServerAsync),
            7 => ("freeze bootstrap server", () => Now(() => SignalServer(19)), () => Now(() => SignalServer(18))),
            8 or 9 => Cut($"{node} from witness", pair.WitnessLink(node)),
            10 => Cut("nodes", pair.ReplicationLink(GuardedPair.First), pair.ReplicationLink(GuardedPair.Second)),
            11 => Cut($"workers from {node}", guardLinks[node], clientLinks[node]),
            _ => Cut($"{node} from everything", pair.WitnessLink(node), pair.ReplicationLink(GuardedPair.First), pair.ReplicationLink(GuardedPair.Second), guardLinks[node], clientLinks[node]),
        };

        static int Signal(int process)
        {
            Posix.Signal(process, Posix.Kill);
            return 0;
        }
    }

    private async Task DisturbOnceAsync(Func<Task> hit, Func<Task> heal, TimeSpan lasts)
    {
        await hit();
        await Task.Delay(lasts, Ct);
        await heal();
    }

    /// <summary>Everything that died is started again, and everything that was cut or frozen goes on.</summary>
    private async Task HealAsync()
    {
        await HealLinksAsync();
        SignalServer(18);
        foreach (var node in pair.Files.Nodes)
        {
            pair.Thaw(node);
            await StartGuardAsync(node);
        }

        await StartServerAsync();
        await StartWorkersAsync();
        Say("healed");
    }

    private Task HealLinksAsync() => Each(
        [.. guardLinks.Values, .. clientLinks.Values, workersToWitness, .. pair.Files.Nodes.SelectMany(node => new[] { pair.WitnessLink(node), pair.ReplicationLink(node) })], link => link.Restore());

    private Task StartGuardAsync(string node, bool mayDie = false) => InTurnAsync(async () =>
    {
        if (!pair.Lives(node))
            await pair.StartGuardAsync(node, mayDie);
    });

    private Task StartServerAsync() => InTurnAsync(async () =>
    {
        if (server is { HasEnded: false })
            return;
        server?.Dispose();
        server = cli.Start("server", "--port", port.ToString(CultureInfo.InvariantCulture), "--database", Path.Combine(cli.Home, "bootstrap.db"));
        await server.WaitForAsync("Bootstrap server:", TimeSpan.FromMinutes(1));
    });

    private Task StartWorkersAsync() => InTurnAsync(async () =>
    {
        if (workers is not null)
            return;
        var locations = Locations.From(null, null, null);
        while (workers is null)
        {
            try
            {
                workers = await MortalWorkers.StartAsync(port, [.. pair.Files.Nodes], new ProvisioningSources(locations.Specification, locations.Catalog), connections, ReachedAsync, Ct);
            }
            catch (CommandFailure)
            {
                // The bootstrap server is down or frozen: a service manager starts them again and again.
                await Task.Delay(200, Ct);
            }
        }
    });

    private async Task InTurnAsync(Func<Task> act)
    {
        await starting.WaitAsync(Ct);
        try
        {
            await act();
        }
        finally
        {
            starting.Release();
        }
    }

    private void KillWorkers()
    {
        if (Interlocked.Exchange(ref workers, null) is not { } killed)
            return;
        killed.Kill();
        dead.Add(killed);
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

    private Task Arm(string step, Moment moment, Func<Task> fire)
    {
        var one = new Armed(step, moment, fire);
        Volatile.Write(ref armed, one);
        return one.Fired.Task;
    }

    private async Task ReachedAsync(string step, Moment moment)
    {
        if (Volatile.Read(ref armed) is not { } one || one.Step != step || one.Moment != moment || Interlocked.CompareExchange(ref armed, null, one) != one)
            return;
        try
        {
            await one.Fire();
        }
        finally
        {
            one.Fired.TrySetResult();
        }
    }

    /// <summary>The server alone knows that a step's end has reached it.</summary>
    private async Task FollowCompletionsAsync()
    {
        var seen = 0L;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var request = new GetWorkflowExecutionHistoryRequest { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = RegionFailover.WorkflowId(Environment) }, WaitNewEvent = true };
                while (!stop.IsCancellationRequested)
                {
                    var page = await client.WorkflowService.GetWorkflowExecutionHistoryAsync(request, new() { CancellationToken = stop.Token, Retry = false, Timeout = TimeSpan.FromSeconds(20) });
                    foreach (var passed in page.History.Events.Where(known => known.EventId > seen))
                    {
                        seen = passed.EventId;
                        if (passed.ActivityTaskScheduledEventAttributes is { } task)
                            scheduled[passed.EventId] = StepOf(task.ActivityType.Name);
                        else if (passed.ActivityTaskCompletedEventAttributes is { } completed && scheduled.TryGetValue(completed.ScheduledEventId, out var step))
                            await ReachedAsync(step, Moment.AfterCompletion);
                    }

                    request.NextPageToken = page.NextPageToken;
                    if (page.NextPageToken.IsEmpty)
                        break;
                }
            }
            catch (Exception failure) when (failure is RpcException or OperationCanceledException or TimeoutException)
            {
                if (!stop.IsCancellationRequested)
                    await Task.Delay(50);
            }
        }
    }

    private static string StepOf(string activity) => activity switch { "ClaimEpoch" => "claim", "CheckReadiness" => "readiness", _ => char.ToLowerInvariant(activity[0]) + activity[1..] };

    /// <summary>Does what an operator does (approve, retry, acknowledge) until everything is as it has to be in the end.</summary>
    /// <param name="over">Whether all faults are over.</param>
    /// <param name="unlessNothingComes">Whether it is over too when all has been well for long.</param>
    private async Task SettleAsync(string primary, Func<bool> over, bool unlessNothingComes = false)
    {
        var started = Stopwatch.StartNew();
        var last = "nothing is known";
        TimeSpan? wellSince = null;
        while (true)
        {
            try
            {
                var status = await Run.QueryAsync<RunbookStatus>("status", [], new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(3) } });
                var view = await Run.QueryAsync<FailoverView>("failover", [], new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(3) } });
                Say($"{status.Phase}: {status.Summary} [{string.Join(' ', status.Steps.Select(step => $"{step.Name}:{step.State}"))}]");
                if (view.Last is { } ended)
                    reports.TryAdd(ended.OperationId, ended);
                last = $"{status.Phase}: {status.Summary} {view.Decision}";
                var well = view is { Recovery: null, Proposal: null } && await WellAsync(view);
                wellSince = well ? wellSince ?? started.Elapsed : null;
                if (well && (over() || (unlessNothingComes && started.Elapsed - wellSince > WellForGood)))
                    return;
                await ActAsync(status, view);
            }
            catch (Exception failure) when (failure is RpcException or WorkflowUpdateFailedException or WorkflowQueryFailedException or WorkflowUpdateRpcTimeoutOrCanceledException)
            {
                last = $"{failure.GetType().Name}: {failure.Message} (before: {last})";
            }

            if (started.Elapsed > Patience)
            {
                Assert.Fail($"{what} It has not settled: {last}\n{GuardedPair.First}: {await pair.LookAsync(GuardedPair.First)}\n{GuardedPair.Second}: {await pair.LookAsync(GuardedPair.Second)}\n"
                    + $"witness: {(await pair.Witness.ReadAsync(Ct))?.Record}\n{pair.Log(GuardedPair.First)}\n{pair.Log(GuardedPair.Second)}\nserver: {server?.Written}");
            }

            await Task.Delay(50, Ct);
        }
    }

    private async Task ActAsync(RunbookStatus status, FailoverView view)
    {
        if (status.PlanHash is { } hash)
        {
            foreach (var person in new[] { "ben", "eva" })
            {
                if ((await Run.QueryAsync<RunbookStatus>("status", [])).PlanHash == hash)
                    await Run.ExecuteUpdateAsync<ControlResult>("approve", [new ApproveInput(hash, person)], Quick);
            }
        }
        else if (status.Phase == RunbookPhase.Parked && status.Steps.FirstOrDefault(step => step.State == StepState.Failed) is { } failed)
        {
            await Run.ExecuteUpdateAsync<ControlResult>("retryStep", [new StepInput(failed.Name)], Quick);
        }
        else if (view.Recovery is { Running: false } ended)
        {
            await Run.ExecuteUpdateAsync<ControlResult>("acknowledge", [new AcknowledgeInput(ended.OperationId, "eva")], Quick);
        }
    }

    private static WorkflowUpdateOptions Quick => new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(5) } };

    /// <summary>One node serves, the other one follows it, and commits wait for it where they have to.</summary>
    private async Task<bool> WellAsync(FailoverView view)
    {
        if (view is not { Primary: { } primary, Standby: { } standby })
            return false;
        var (serves, follows) = (await pair.LookAsync(primary), await pair.LookAsync(standby));
        return serves is { Writable: true, Streaming: true } && (!synchronous || serves.Synchronous == true) && follows is { Role: NodeRole.Standby, Streaming: true, Writable: false } && serves.Epoch == view.Epoch;
    }

    private async Task<(string Primary, string Standby)> WhoAsync()
    {
        var view = await Run.QueryAsync<FailoverView>("failover", []);
        return (view.Primary!, view.Standby!);
    }

    private async Task AccountAsync(long began)
    {
        var before = clients.Written;
        await Wait.UntilAsync(() => clients.Written > before + 10, () => "Clients do not write again.", TimeSpan.FromMinutes(1));
        var (primary, _) = await WhoAsync();
        var lost = await clients.LostAsync(pair.Files[primary].Clients.Listen, Ct);
        var reported = reports.Values.Sum(report => report.Divergence?.Rows ?? 0);
        say(string.Create(CultureInfo.InvariantCulture,
            $"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, gap {clients.LongestGap(began).Length.TotalSeconds:0.0} s, {clients.Acknowledged} acknowledged, {lost} lost, {reported} reported, {clients.InDoubt} in doubt, {reports.Count} changes of places: {what}"));
        Assert.True(clients.MaxWritable() == 1, $"{what} Two nodes were writable at once.");
        Assert.True(lost == 0 || !synchronous, $"{what} {lost} acknowledged rows are lost, although commits wait for the standby.");
        Assert.True(lost <= reported, $"{what} {lost} acknowledged rows are lost, and {reported} were reported.");
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
        return new() { Kubeconfig = kubeconfig, Context = sandbox.Regions[region].Context, TemporalAddress = "127.0.0.1:1", Aws = new(Endpoint: "http://127.0.0.1:1") };
    }

    private static Task Now(Action act)
    {
        act();
        return Task.CompletedTask;
    }

    private static Task Each(IEnumerable<Link> links, Action<Link> act)
    {
        foreach (var link in links)
            act(link);
        return Task.CompletedTask;
    }

    private static int Port(string address) => int.Parse(address.Split(':')[1], CultureInfo.InvariantCulture);

    private sealed record Armed(string Step, Moment Moment, Func<Task> Fire)
    {
        public TaskCompletionSource Fired { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
