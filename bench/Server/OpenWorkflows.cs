using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.Bench.Server;

/// <summary>
/// Many open workflows that wait for a timer each: what one of them costs in memory, and how long a start takes that finds
/// them. A worker made of bare calls drives them, since a real one would take minutes for what is not measured here.
/// </summary>
internal static class OpenWorkflows
{
    private const string Queue = "open";
    private const int AtOnce = 32;

    /// <summary>Memory per open workflow, in KiB, with so many of them.</summary>
    public static async Task<double> CostAsync(ServerProcess server, ITemporalClient client, int count)
    {
        await OpenAsync(client, 0, 500);
        var before = server.MemoryMiB;
        await OpenAsync(client, 500, count);
        return (await SettledAsync(server) - before) * 1024 / count;
    }

    /// <summary>Memory once it does not become less any more: workflows that wait are to cost little, not those that were just busy.</summary>
    private static async Task<double> SettledAsync(ServerProcess server)
    {
        var least = server.MemoryMiB;
        for (var (waited, since) = (0, 0); waited < 40 && since < 12; waited++, since++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            if (server.MemoryMiB > least * 0.99)
                continue;
            (least, since) = (server.MemoryMiB, 0);
        }
        return least;
    }

    /// <summary>Kills a server with these workflows and starts it again, on the same file; seconds until that one answers.</summary>
    public static async Task<(ServerProcess Server, double Seconds)> StartAgainAsync(ServerProcess server, Func<Task<ServerProcess>> start)
    {
        await server.KillAsync();
        await server.DisposeAsync();
        var clock = Stopwatch.StartNew();
        var again = await start();
        var client = await TemporalClient.ConnectAsync(new(again.Address));
        await client.WorkflowService.DescribeNamespaceAsync(new() { Namespace = "default" });
        return (again, clock.Elapsed.TotalSeconds);
    }

    private static async Task OpenAsync(ITemporalClient client, int from, int count)
    {
        var (toStart, toServe) = (count, count);
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            for (var i = Interlocked.Decrement(ref toStart); i >= 0; i = Interlocked.Decrement(ref toStart))
                await client.StartWorkflowAsync((IdleWorkflow w) => w.RunAsync(), new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"open-{from + i}"), Queue));
        }).Concat(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (Interlocked.Decrement(ref toServe) >= 0)
                await ServeOneAsync(client.WorkflowService);
        })));
    }

    private static async Task ServeOneAsync(WorkflowService service)
    {
        PollWorkflowTaskQueueResponse task;
        do
        {
            task = await service.PollWorkflowTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = Queue }, Identity = "bare" });
        }
        while (task.TaskToken.IsEmpty);
        var answer = new RespondWorkflowTaskCompletedRequest { Namespace = "default", TaskToken = task.TaskToken, Identity = "bare" };
        answer.Commands.Add(new Command
        {
            CommandType = CommandType.StartTimer,
            StartTimerCommandAttributes = new() { TimerId = "1", StartToFireTimeout = Duration.FromTimeSpan(TimeSpan.FromDays(30)) },
        });
        await service.RespondWorkflowTaskCompletedAsync(answer);
    }
}
