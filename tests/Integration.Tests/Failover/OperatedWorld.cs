using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Aws;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The run with the product's activities, a database that somebody else operates, and workers that can die. Whoever operates the database is played; what clients write goes to a real PostgreSQL
/// server, through a gate at each node that is open exactly while that node takes writes. Rows are not copied between regions: what a change of places loses is the operator's business and not shown here.</summary>
internal abstract class OperatedWorld : IAsyncDisposable
{
    protected const string First = GuardedPair.First, Second = GuardedPair.Second, Environment = "production";

    private const string Secret = "database";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly PostgresCluster postgres = new();
    private readonly string folder = Directory.CreateTempSubdirectory("operated-").FullName;
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<string, ClientGate> gates = [];
    private readonly ConcurrentQueue<Write> writes = new();
    private readonly List<Task> running = [];
    private readonly List<MortalWorkers> dead = [];
    private readonly ConcurrentDictionary<long, string> scheduled = new();
    private readonly SemaphoreSlim hiring = new(1);
    private readonly List<(string Step, Moment Moment)> armed = [];
    private BootstrapServerHost server = null!;
    private SandboxHost sandbox = null!;
    private TemporalClient client = null!;
    private MortalWorkers workers = null!;
    private string? reported;

    protected AwsStandIn Aws { get; private set; } = null!;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private PlatformConnections Connections => new()
    {
        Regions = new[] { First, Second }.ToDictionary(region => region, region => new RegionConnection
        {
            Kubeconfig = Path.Combine(folder, $"{region}.kubeconfig"),
            Context = sandbox.Regions[region].Context,
            // What is not there must not be looked for elsewhere.
            TemporalAddress = TemporalAddress(region),
            Aws = Reached(region),
        }),
        Failover = new Dictionary<string, FailoverAccess>
        {
            [Environment] = Around(new()
            {
                Nodes = gates.ToDictionary(gate => gate.Key, gate => Node(gate.Key, gate.Value.Address)),
                Login = new(User: PostgresCluster.User, PasswordFile: postgres.PasswordFile, Database: "postgres", CertificateAuthority: postgres.Authority),
                Synchronous = false,
                Secrets = [new("default", Secret)],
                Witness = new("witness", Environment, Reached("eu-central-1"), TimeoutMilliseconds: 5_000),
            }),
        },
    };

    private WorkflowHandle Run => client.GetWorkflowHandle(RegionFailover.WorkflowId(Environment));

    public async Task StartAsync()
    {
        await postgres.StartAsync();
        await postgres.SqlAsync($"CREATE TABLE rows (id bigserial PRIMARY KEY, node text); GRANT ALL ON rows, rows_id_seq TO {PostgresCluster.User}");
        // Minutes pass in tenths of a second.
        Aws = await AwsStandIn.StartAsync(new() { TimeScale = 0.001 }, Ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "credentials"), $"[default]\naws_access_key_id = {Aws.AccessKeyId}\naws_secret_access_key = not-a-secret\n", Ct);
        sandbox = await SandboxHost.StartAsync(new() { Regions = [First, Second] }, Ct);
        foreach (var region in new[] { First, Second })
        {
            await File.WriteAllTextAsync(Path.Combine(folder, $"{region}.kubeconfig"), sandbox.Regions[region].Kubeconfig, Ct);
            using var cluster = Kubectl(region);
            await cluster.CreateAsync("/api/v1/namespaces/default/secrets", $$"""{"metadata":{"name":"{{Secret}}"},"stringData":{"host":"nobody","port":"5432"} }""");
        }

        using (var third = Connect("eu-central-1"))
            await new Buckets(third).EnsureAsync(new() { Name = "witness" }, Names.Owner, "op-1", Ct);
        await MakeAsync();
        foreach (var region in new[] { First, Second })
            (gates[region] = new(postgres.Address, () => Look(region))).Start();
        server = await BootstrapServers.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes }, Ct);
        client = await TemporalTarget.Of(server.Address, "a test").ConnectAsync(Ct);
        await HireAsync();
        await client.StartWorkflowAsync(
            nameof(RegionFailover), [new RegionFailoverRequest { Environment = Environment }], new(RegionFailover.WorkflowId(Environment), TaskQueues.Failover) { TaskTimeout = RegionFailover.TaskTimeout });
        running.Add(FollowCompletionsAsync());
        running.AddRange(gates.Select(gate => Task.Run(() => WriteAsync(gate.Key, gate.Value.Address))));
        await SeenAsync();
    }

    /// <summary>The primary is lost, and comes back when the other one serves.</summary>
    public async Task<FailoverReport> LoseAsync(string primary)
    {
        Lose(primary);
        var to = Other(primary);
        return await EndedAsync(primary, async () =>
        {
            if (gates[primary].Lost && gates[to].Takes && await PrimaryAsync() == to)
                Return(primary);
        });
    }

    /// <summary>People ask for a change of places.</summary>
    public async Task<FailoverReport> AskAsync(string primary, object how)
    {
        var update = how is FailBackInput ? "failBack" : "failOver";
        await Wait.UntilAsync(() => TryAsync(() => Run.ExecuteUpdateAsync<ControlResult>(update, [how], Quick)), () => $"{update} is refused.");
        return await EndedAsync(primary, () => Task.CompletedTask);
    }

    /// <summary>The workers die at each of these moments, once each, and others begin.</summary>
    public void KillAt(params IEnumerable<(string Step, Moment Moment)> moments)
    {
        lock (armed)
            armed.AddRange(moments);
    }

    /// <summary>The moments that have not come yet.</summary>
    public IReadOnlyList<(string Step, Moment Moment)> NotReached
    {
        get
        {
            lock (armed)
                return [.. armed];
        }
    }

    /// <summary>Every actuator of the database refuses what is of an epoch that is over, and changes nothing.</summary>
    public async Task RefusesOldEpochsAsync(FailoverReport report)
    {
        var pair = FailoverPairs.Open(Environment, Connections.Failover[Environment], Connections);
        using var database = (IDisposable)pair.Database;
        var (old, before) = (report.Epoch - 1, await pair.Database.ObserveAsync(report.To, Ct));
        Func<Task>[] calls =
        [
            () => pair.Database.FenceAsync(report.To, old, TimeSpan.Zero, Ct), () => pair.Database.FenceAsync(report.To, old, TimeSpan.FromSeconds(30), Ct), () => pair.Database.UnfenceAsync(report.From, old, Ct),
            () => pair.Database.PromoteAsync(report.From, old, Ct), () => pair.Database.PromoteUnfencedAsync(report.From, old, Ct), () => pair.Database.FollowAsync(report.To, report.From, old, Ct),
        ];
        foreach (var call in calls)
            Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(call)).Kind);
        Assert.Equal(before.StateText(), (await pair.Database.ObserveAsync(report.To, Ct)).StateText());
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(running);
        await Task.WhenAll(dead.Append(workers).OfType<MortalWorkers>().Select(async gone => await gone.DisposeAsync()));
        if (server is not null)
            await server.DisposeAsync();
        foreach (var gate in gates.Values)
            gate.Dispose();
        await EndAsync();
        if (sandbox is not null)
            await sandbox.DisposeAsync();
        if (Aws is not null)
            await Aws.DisposeAsync();
        await postgres.DisposeAsync();
        stop.Dispose();
        hiring.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Makes the database, primary in the first region.</summary>
    protected abstract Task MakeAsync();

    /// <summary>How the connections state a node.</summary>
    protected abstract FailoverNodeAccess Node(string region, string clients);

    /// <summary>What goes with the database.</summary>
    protected virtual FailoverAccess Around(FailoverAccess access) => access;

    /// <summary>The platform's Temporal in a region.</summary>
    protected virtual string TemporalAddress(string region) => "127.0.0.1:1";

    /// <summary>What clients meet at a node at this moment.</summary>
    protected abstract GateSight Look(string region);

    /// <summary>What its owner does when it cannot be rebuilt by anybody else. False: nothing.</summary>
    protected virtual Task<bool> RepairAsync(string region, string primary) => Task.FromResult(false);

    protected virtual void Lose(string region) => gates[region].Lost = true;

    protected virtual void Return(string region) => gates[region].Lost = false;

    protected virtual Task EndAsync() => Task.CompletedTask;

    protected KubectlLike Kubectl(string region) => new(sandbox.Regions[region].ApiServer, sandbox.Regions[region].Kubeconfig.Split("token: \"")[1].Split('"')[0]);

    protected (Uri Api, string Token) Api(string region) => (sandbox.Regions[region].ApiServer, sandbox.Regions[region].Kubeconfig.Split("token: \"")[1].Split('"')[0]);

    protected AwsConnection Connect(string region) => new(new() { Region = region, Endpoint = Aws.Address, Keys = new(Aws.AccessKeyId, "not-a-secret") });

    protected static string Other(string region) => region == First ? Second : First;

    private static WorkflowUpdateOptions Quick => new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(10) } };

    private AwsSettings Reached(string region) => new(region, Aws.Address.ToString(), Path.Combine(folder, "credentials"));

    /// <summary>Others than before, with the connections as they are now.</summary>
    private async Task HireAsync()
    {
        await hiring.WaitAsync(Ct);
        try
        {
            if (workers is { } before)
            {
                before.Kill();
                dead.Add(before);
            }

            var locations = Locations.From(null, null, null);
            workers = await MortalWorkers.StartAsync(
                int.Parse(server.Address.Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture), [First, Second], new ProvisioningSources(locations.Specification, locations.Catalog), Connections, ReachedAsync, Ct);
        }
        finally
        {
            hiring.Release();
        }
    }

    private async Task ReachedAsync(string step, Moment moment)
    {
        lock (armed)
        {
            if (!armed.Remove((step, moment)))
                return;
        }

        await HireAsync();
    }

    /// <summary>The server alone knows that a step's end has reached it.</summary>
    private async Task FollowCompletionsAsync()
    {
        var request = new GetWorkflowExecutionHistoryRequest { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = RegionFailover.WorkflowId(Environment) }, WaitNewEvent = true };
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var page = await client.WorkflowService.GetWorkflowExecutionHistoryAsync(request, new() { CancellationToken = stop.Token, Retry = false, Timeout = TimeSpan.FromSeconds(20) });
                foreach (var passed in page.History.Events)
                {
                    if (passed.ActivityTaskScheduledEventAttributes is { } task)
                        scheduled[passed.EventId] = CrashWorld.StepOf(task.ActivityType.Name);
                    else if (passed.ActivityTaskCompletedEventAttributes is { } completed && scheduled.TryGetValue(completed.ScheduledEventId, out var step))
                        await ReachedAsync(step, Moment.AfterCompletion);
                }

                request.NextPageToken = page.NextPageToken;
                if (page.NextPageToken.IsEmpty)
                {
                    // It has continued as new, or failed.
                    scheduled.Clear();
                    await Task.Delay(50, stop.Token);
                }
            }
            catch (Exception failure) when (failure is RpcException or OperationCanceledException or TimeoutException)
            {
                // Asked again; the token says from where on.
            }
        }
    }

    /// <summary>Writes rows one after the other through the clients' path of a node, for as long as it lets.</summary>
    private async Task WriteAsync(string node, string address)
    {
        var how = new NpgsqlConnectionStringBuilder
        {
            Host = "localhost",
            Port = int.Parse(address.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture),
            Username = PostgresCluster.User,
            Password = PostgresCluster.Password,
            Database = "postgres",
            SslMode = SslMode.VerifyFull,
            RootCertificate = postgres.Authority,
            Pooling = false,
            Timeout = 5,
            CommandTimeout = 5,
        }.ConnectionString;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(how);
                await connection.OpenAsync(stop.Token);
                while (true)
                {
                    var begun = Stopwatch.GetTimestamp();
                    await using var command = new NpgsqlCommand("INSERT INTO rows (node) VALUES ($1)", connection) { Parameters = { new() { Value = node } } };
                    await command.ExecuteNonQueryAsync(stop.Token);
                    writes.Enqueue(new(node, begun, Stopwatch.GetTimestamp()));
                    await Task.Delay(10, stop.Token);
                }
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or OperationCanceledException or TimeoutException)
            {
                if (!stop.IsCancellationRequested)
                    await Task.Delay(10, CancellationToken.None);
            }
        }
    }

    /// <summary>Does what people do until a change of places has ended and all is well; then looks at who took writes meanwhile.</summary>
    private async Task<FailoverReport> EndedAsync(string from, Func<Task> meanwhile)
    {
        var (began, to) = (Stopwatch.GetTimestamp(), Other(from));
        var (before, last) = (reported, "");
        FailoverReport? report = null;
        await Wait.UntilAsync(
            async () =>
            {
                Assert.False(BothTake(), $"Both nodes take writes. {last}");
                await meanwhile();
                await TryAsync(async () =>
                {
                    var status = await Run.QueryAsync<RunbookStatus>("status", [], Asking);
                    var view = await Run.QueryAsync<FailoverView>("failover", [], Asking);
                    last = $"{status.Phase}: {status.Summary} {view.Decision} [{string.Join(' ', status.Steps.Select(step => $"{step.Name}:{step.State}"))}]";
                    Assert.False(status.Phase == RunbookPhase.Failed, status.Summary);
                    report = view is { Recovery: null, Proposal: null, Last: { } done } && done.OperationId != before ? done : null;
                    await ActAsync(status, view);
                });
                return report is not null;
            },
            () => $"{last} {string.Join(' ', gates.Select(gate => $"{gate.Key} {(gate.Value.Takes ? "takes" : "takes no")} writes"))}", Patience);
        reported = report!.OperationId;
        Assert.True(report.To == to && report.Outcome == FailoverOutcome.Completed, $"{report.Outcome}: {report.Summary}");
        // One more write at least, begun when all has ended.
        var ended = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(() => writes.Any(write => write.Node == to && write.Begun > ended), () => $"Clients do not write to {to}.", Patience);
        var first = writes.Where(write => write.Node == to && write.Begun > began).Min(write => write.Acknowledged);
        Assert.DoesNotContain(writes, write => write.Node == from && write.Begun > first);
        return report;
    }

    /// <summary>The first is asked again: of two looks one is always earlier.</summary>
    private bool BothTake() => gates[First].Takes && gates[Second].Takes && gates[First].Takes;

    private async Task ActAsync(RunbookStatus status, FailoverView view)
    {
        if (status.PlanHash is { } hash)
        {
            foreach (var person in new[] { "ben", "eva" })
            {
                if ((await Run.QueryAsync<RunbookStatus>("status", [], Asking)).PlanHash == hash)
                    await Run.ExecuteUpdateAsync<ControlResult>("approve", [new ApproveInput(hash, person)], Quick);
            }
        }
        else if (status.Phase == RunbookPhase.Parked && status.Steps.FirstOrDefault(step => step.State == StepState.Failed) is { } failed)
        {
            if (failed.Name == "rebuild" && await RepairAsync(view.Standby!, view.Primary!))
                await HireAsync();
            await Run.ExecuteUpdateAsync<ControlResult>("retryStep", [new StepInput(failed.Name)], Quick);
        }
        else if (view.Recovery is { Running: false } ended)
        {
            await Run.ExecuteUpdateAsync<ControlResult>("acknowledge", [new AcknowledgeInput(ended.OperationId, "eva")], Quick);
        }
    }

    /// <summary>The run has seen the primary serve: from then on it can tell when it does not any more.</summary>
    private Task SeenAsync()
    {
        var seen = "it has not been asked";
        return Wait.UntilAsync(
            async () =>
            {
                await TryAsync(async () =>
                {
                    var status = await Run.QueryAsync<RunbookStatus>("status", [], Asking);
                    Assert.False(status.Phase == RunbookPhase.Failed, status.Summary);
                });
                await TryAsync(async () => seen = await Run.QueryAsync<FailoverView>("failover", [], Asking) is { Code: FailoverReason.Healthy } ? "" : "it is not healthy");
                return seen.Length == 0 && writes.Any(write => write.Node == First);
            },
            () => $"{First} does not serve, or the run does not say so: {seen}", Patience);
    }

    private static WorkflowQueryOptions Asking => new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(5) } };

    private async Task<string?> PrimaryAsync()
    {
        string? primary = null;
        await TryAsync(async () => primary = (await Run.QueryAsync<FailoverView>("failover", [], Asking)).Primary);
        return primary;
    }

    /// <summary>Workers may be dead just now, or the run have come further than what was read.</summary>
    private static async Task<bool> TryAsync(Func<Task> ask)
    {
        try
        {
            await ask();
            return true;
        }
        catch (Exception failure) when (failure is RpcException or WorkflowUpdateFailedException or WorkflowQueryFailedException or WorkflowUpdateRpcTimeoutOrCanceledException)
        {
            return false;
        }
    }

    private sealed record Write(string Node, long Begun, long Acknowledged);
}
