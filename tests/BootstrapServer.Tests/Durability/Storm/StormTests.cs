using System.Globalization;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Client;
using Temporalio.Runtime;
using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Durability.Storm;

/// <summary>
/// The server is killed at random moments while workflows of every kind run. <c>PLATFORMOPS_KILLS</c> says how often (hundreds,
/// by hand); <c>PLATFORMOPS_SEED</c> repeats the moments of a run that is printed with it.
/// </summary>
public sealed class StormTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Journeys that are under way at the same time.</summary>
    private const int AtOnce = 18;

    /// <summary>For what is under way when the last kill is over.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string folder = Directory.CreateTempSubdirectory("storm-").FullName;

    [Fact]
    public async Task Keeps_what_it_promised_however_often_it_is_killed()
    {
        // Without a number: some dozens, or as many as fit into a time that a test may take on a busy machine.
        var (kills, most) = Number("PLATFORMOPS_KILLS") is { } asked ? (asked, TimeSpan.MaxValue) : (36, TimeSpan.FromSeconds(45));
        var seed = Number("PLATFORMOPS_SEED") ?? Random.Shared.Next();
        output.WriteLine($"up to {kills} kills, PLATFORMOPS_SEED={seed}");
        using var server = new StormServer(Path.Combine(folder, "state.db"), new Random(seed));
        await server.StartAsync();
        var client = await TemporalClient.ConnectAsync(new(server.Address)
        {
            Namespace = "storm",
            // The server comes back soon, each time; and that it is away for a moment is no news here.
            RpcRetry = new() { InitialInterval = TimeSpan.FromMilliseconds(50), MaxInterval = TimeSpan.FromMilliseconds(500) },
            Runtime = new TemporalRuntime(new() { Telemetry = new() { Logging = new() { Filter = new("off") } } }),
        });
        var options = new TemporalWorkerOptions("storm").AddAllActivities(typeof(StormActivities), null).AddAllActivities(typeof(StockActivities), null)
            .AddWorkflow<StormWorkflow>().AddWorkflow<CarefulWorkflow>().AddWorkflow<HoppingWorkflow>().AddWorkflow<AskingWorkflow>()
            .AddWorkflow<SendingWorkflow>().AddWorkflow<WaitingWorkflow>().AddWorkflow<EchoWorkflow>();
        await using var worker = new RunningWorker(client, options);
        // A worker that does not find its namespace when it begins gives up for good.
        await Wait.UntilAsync(async () => (await client.WorkflowService.DescribeTaskQueueAsync(new() { Namespace = "storm", TaskQueue = new() { Name = "storm" } })).Pollers.Count > 0);

        var clock = System.Diagnostics.Stopwatch.StartNew();
        var storm = KillAsync(server, kills, () => clock.Elapsed < most);
        var journeys = new Journeys(client, options);
        var done = 0;
        // Begun here, and not when somebody waits for them: they are to travel while the server is killed.
        var arrived = Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async traveller =>
        {
            for (var number = traveller; !storm.IsCompleted || number < Journeys.Kinds * 2; number += AtOnce + 1)
            {
                await journeys.RunAsync(number);
                Interlocked.Increment(ref done);
            }
        }));
        await storm;
        output.WriteLine($"{server.Kills} kills after {clock.Elapsed}");
        if (await Task.WhenAny(arrived, Task.Delay(Patience)) != arrived)
            Assert.Fail($"{done} journeys ended, and for {Patience} after the last kill these have not: {await LeftAsync(client)}");
        await arrived;
        output.WriteLine($"{done} journeys after {clock.Elapsed}; {server.KillsInCommits} kills at a step of a commit");
        Assert.InRange(server.Kills, most == TimeSpan.MaxValue ? kills : 1, kills);
        Assert.Equal(0, (await client.CountWorkflowsAsync("ExecutionStatus = 'Running'")).Count);
    }

    /// <summary>What still runs, with what it waits for.</summary>
    private static async Task<string> LeftAsync(TemporalClient client)
    {
        var left = new List<string>();
        await foreach (var running in client.ListWorkflowsAsync("ExecutionStatus = 'Running'"))
        {
            var handle = client.GetWorkflowHandle(running.Id, running.RunId);
            var description = await handle.RawAsync();
            left.Add($"{running.Id} {running.WorkflowType}: task {description.PendingWorkflowTask}, activities {string.Join(' ', description.PendingActivities)}, children {string.Join(' ', description.PendingChildren)}, "
                + $"history {string.Join(' ', (await handle.FetchHistoryAsync()).Events.TakeLast(8).Select(happened => $"{happened.EventId} {happened.EventType} {happened.EventTime.ToDateTime():HH:mm:ss.fff}"))}");
        }

        return string.Join(Environment.NewLine, left);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task KillAsync(StormServer server, int kills, Func<bool> goOn)
    {
        for (var kill = 0; kill < kills && goOn(); kill++)
            await server.KillAndStartAsync();
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
