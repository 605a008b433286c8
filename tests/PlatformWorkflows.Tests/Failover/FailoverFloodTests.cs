using System.Collections.Concurrent;
using System.Globalization;
using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>Many reports and alerts on a server that suggests to continue as new as late as servers do.</summary>
public class FailoverFloodTests(RunbookServer server, ITestOutputHelper output) : IClassFixture<RunbookServer>
{
    [Fact]
    public async Task A_flood_in_a_quiet_environment_continues_as_new_early_and_loses_no_alert()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        var first = (await run.Handle.DescribeAsync()).RunId;
        var alerts = 0;
        do
        {
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => run.SeeAsync("serves", "serves", stalled: false)).Append(run.AlertAsync(string.Create(CultureInfo.InvariantCulture, $"alert-{++alerts}/start"))));
        }
        while (await run.Handle.DescribeAsync() is var now && now.RunId == first && now.HistoryLength < 1_100);
        await Wait.UntilAsync(() => run.Handle.DescribeAsync(), now => now.RunId != first, now => $"It has {now.HistoryLength} events.");

        var carried = await run.Handle.QueryAsync<RegionFailoverRequest>("carried", []);
        Assert.Equal(Enumerable.Range(1, alerts).Select(number => string.Create(CultureInfo.InvariantCulture, $"alert-{number}/start")).Order(StringComparer.Ordinal), carried.State!.Alerts.Select(alert => alert.Key!).Order(StringComparer.Ordinal));
        var history = await server.Client.GetWorkflowHandle(run.Handle.Id, first).FetchHistoryAsync();
        output.WriteLine($"{history.Events.Count} events, {alerts} alerts.");
        Assert.InRange(history.Events.Count, 1_000, 3_000);
        Assert.Equal(1, run.World.MostObservers);
        Assert.Empty(run.World.Events);
    }
}

/// <summary>A flood that does not end. Each signal that comes in between refuses the continuation, until the server takes no more of them for this run.</summary>
public class FailoverLastingFloodTests(FewSignalsServer server, ITestOutputHelper output) : IClassFixture<FewSignalsServer>
{
    [Fact]
    public async Task A_flood_that_lasts_is_refused_by_the_server_until_the_run_has_continued_and_nothing_that_was_accepted_is_lost()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        var first = (await run.Handle.DescribeAsync()).RunId;
        var accepted = new ConcurrentDictionary<string, bool>();
        var (next, refused, continued) = (0, 0, false);
        var flood = Enumerable.Range(0, 8).Select(async _ =>
        {
            while (!Volatile.Read(ref continued))
            {
                // More are not carried: they are told again.
                var key = string.Create(CultureInfo.InvariantCulture, $"alert-{Interlocked.Increment(ref next) % 400}/start");
                try
                {
                    await run.AlertAsync(key);
                    accepted[key] = true;
                }
                catch (RpcException)
                {
                    // The receiver answers that it was not accepted, and the sender sends it again.
                    Interlocked.Increment(ref refused);
                }
            }
        }).ToList();
        await Wait.UntilAsync(() => run.Handle.DescribeAsync(), now => now.RunId != first, now => $"It has {now.HistoryLength} events.");
        Volatile.Write(ref continued, true);
        await Task.WhenAll(flood);

        var carried = await run.Handle.QueryAsync<RegionFailoverRequest>("carried", []);
        var history = await server.Client.GetWorkflowHandle(run.Handle.Id, first).FetchHistoryAsync();
        output.WriteLine($"{history.Events.Count} events, {next} sent, {refused} refused, {history.Events.Count(passed => passed.WorkflowTaskFailedEventAttributes is not null)} continuations refused.");
        Assert.Equal(accepted.Keys.Order(StringComparer.Ordinal), carried.State!.Alerts.Select(alert => alert.Key!).Order(StringComparer.Ordinal));
        Assert.Equal(1, run.World.MostObservers);
        Assert.Empty(run.World.Events);
    }
}

/// <summary>A server that wants runs to continue as new early, and takes as few signals for each that a test need not send ten thousand, which is what servers take.</summary>
public sealed class FewSignalsServer : ShortHistoryServer
{
    protected override IReadOnlyList<string> More => ["--dynamic-config-value", "history.maximumSignalsPerExecution=1000"];
}
