using System.Diagnostics;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Bench.Server;

/// <summary>
/// The same load for every server, with the official SDK as client and worker. Each load runs once in full before it is
/// measured, so that compilers and caches on both sides are warm; then as many rounds as asked for, of which medians are told.
/// </summary>
internal sealed class Loads(ServerProcess server, ITemporalClient client, int rounds)
{
    private const int AtOnce = 64;
    private const string NobodysQueue = "nobody";
    private const string Queue = "load";
    private int names;

    public async Task<List<LoadResult>> RunAsync(double size)
    {
        var results = new List<LoadResult>
        {
            await MeasureAsync("starts", Sized(6000), StartsAsync),
            await MeasureAsync("signals", Sized(6000), SignalsAsync),
        };
        var options = new TemporalWorkerOptions(Queue) { MaxConcurrentWorkflowTasks = 200, MaxConcurrentActivities = 200 }
            .AddWorkflow<OneActivityWorkflow>().AddWorkflow<WideWorkflow>().AddWorkflow<UpdatedWorkflow>().AddAllActivities(typeof(LoadActivities), null);
        using var worker = new TemporalWorker(client, options);
        await worker.ExecuteAsync(async () =>
        {
            results.Add(await MeasureAsync("one-activity workflows", Sized(1500), count => ParallelAsync(count, OneWorkflowAsync)));
            results.Add(await MeasureAsync("activities of one workflow", Sized(3000), ActivitiesAsync));
            results.Add(await MeasureAsync("one workflow at a time", Sized(200), count => OneByOneAsync(count, OneWorkflowAsync)));
            results.Add(await MeasureAsync("one update at a time", Sized(300), UpdatesAsync));
        });
        return results;

        int Sized(int full) => Math.Max(10, (int)(full * size));
    }

    private async Task<LoadResult> MeasureAsync(string name, int count, Func<int, Task<List<double>?>> load)
    {
        await load(count);
        var measured = new List<LoadResult>();
        for (var round = 0; round < rounds; round++)
            measured.Add(await RoundAsync(name, count, load));
        return new LoadResult(
            name, count, Median(r => r.PerSecond), Median(r => r.ServerCpuMs), Median(r => r.ClientCpuMs),
            measured[0].P50Ms is null ? null : Median(r => r.P50Ms!.Value), measured[0].P99Ms is null ? null : Median(r => r.P99Ms!.Value));

        double Median(Func<LoadResult, double> column) => Percentile(measured.ConvertAll(r => column(r)), 0.5)!.Value;
    }

    private async Task<LoadResult> RoundAsync(string name, int count, Func<int, Task<List<double>?>> load)
    {
        using var self = Process.GetCurrentProcess();
        var (serverBefore, selfBefore, clock) = (server.Cpu, self.TotalProcessorTime, Stopwatch.StartNew());
        var latencies = await load(count);
        var seconds = clock.Elapsed.TotalSeconds;
        self.Refresh();
        return new LoadResult(
            name, count, count / seconds, (server.Cpu - serverBefore).TotalMilliseconds / count, (self.TotalProcessorTime - selfBefore).TotalMilliseconds / count,
            Percentile(latencies, 0.5), Percentile(latencies, 0.99));
    }

    private Task<List<double>?> StartsAsync(int count) => ParallelAsync(
        count, _ => client.StartWorkflowAsync((IdleWorkflow w) => w.RunAsync(), new(Name(), NobodysQueue)));

    private async Task<List<double>?> SignalsAsync(int count)
    {
        var handles = new List<WorkflowHandle>();
        for (var i = 0; i < 50; i++)
            handles.Add(await client.StartWorkflowAsync((IdleWorkflow w) => w.RunAsync(), new(Name(), NobodysQueue)));
        return await ParallelAsync(count, i => handles[i % handles.Count].SignalAsync("Note", ["a note"]));
    }

    private Task OneWorkflowAsync(int number) => client.ExecuteWorkflowAsync((OneActivityWorkflow w) => w.RunAsync(), new(Name(), Queue));

    private async Task<List<double>?> ActivitiesAsync(int count)
    {
        for (var left = count; left > 0; left -= 1000)
            await client.ExecuteWorkflowAsync((WideWorkflow w) => w.RunAsync(Math.Min(left, 1000)), new(Name(), Queue));
        return null;
    }

    private async Task<List<double>?> UpdatesAsync(int count)
    {
        var handle = await client.StartWorkflowAsync((UpdatedWorkflow w) => w.RunAsync(), new(Name(), Queue));
        var latencies = await OneByOneAsync(count, number => handle.ExecuteUpdateAsync(w => w.AddAsync(number)));
        await handle.SignalAsync(w => w.EndAsync());
        await handle.GetResultAsync();
        return latencies;
    }

    private static async Task<List<double>?> OneByOneAsync(int count, Func<int, Task> operation)
    {
        var latencies = new List<double>(count);
        for (var i = 0; i < count; i++)
        {
            var clock = Stopwatch.StartNew();
            await operation(i);
            latencies.Add(clock.Elapsed.TotalMilliseconds);
        }
        return latencies;
    }

    private static async Task<List<double>?> ParallelAsync(int count, Func<int, Task> operation)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            for (var i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
                await operation(i);
        }));
        return null;
    }

    private static double? Percentile(List<double>? values, double part) => values?.Order().ElementAt((int)((values.Count - 1) * part));

    private string Name() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"load-{Interlocked.Increment(ref names)}");
}
