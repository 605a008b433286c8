using System.Collections.Concurrent;
using PlatformOps.Platform.Scaling;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.Starter.Capacity;

/// <summary>Starts workflows at a cluster, more in every step, until the targets are reached or an objective is not kept; then removes all of them.</summary>
/// <param name="operation">Part of every workflow id and of the task queue.</param>
internal sealed class CapacityLoad(ITemporalClient client, CapacityTargets targets, string operation, TimeProvider clock)
{
    /// <summary>How many starts may be unanswered: more would only queue up in this process.</summary>
    private const int StartsAtOnce = 2000;

    /// <summary>Between two judgements of a step.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly CanaryActivities activities = new();
    private int names, accepted;

    /// <summary>The queue of the load: nobody else's worker polls it.</summary>
    private string Queue => $"platformops-capacity-{operation}";

    /// <summary>Workflows that were started, or may have been.</summary>
    public int Names => names;

    /// <param name="percents">Of the targets, one step each.</param>
    /// <param name="each">How long a step takes.</param>
    /// <param name="told">Told of every step that has ended.</param>
    /// <returns>The steps; the last may be cut short.</returns>
    public async Task<(IReadOnlyList<CapacityStep> Steps, string? Breach)> RunAsync(IReadOnlyList<int> percents, TimeSpan each, Action<CapacityStep> told, CancellationToken ct)
    {
        var steps = new List<CapacityStep>();
        var options = new TemporalWorkerOptions(Queue) { MaxConcurrentWorkflowTasks = 500, MaxConcurrentActivities = 2000, MaxConcurrentLocalActivities = 1000, MaxCachedWorkflows = Math.Clamp(targets.Open, 1000, 50_000) }
            .AddWorkflow<CapacityCanary>().AddAllActivities(activities);
        using var worker = new TemporalWorker(client, options);
        using var stop = new CancellationTokenSource();
        var working = worker.ExecuteAsync(stop.Token);
        try
        {
            foreach (var percent in percents)
            {
                var (step, breach) = await StepAsync(percent, each, ct);
                steps.Add(step);
                told(step);
                if (breach is not null || ct.IsCancellationRequested)
                    return (steps, breach);
            }

            return (steps, null);
        }
        finally
        {
            await stop.CancelAsync();
            try
            {
                await working;
            }
            catch (OperationCanceledException)
            {
                // That is how a worker ends.
            }
        }
    }

    /// <summary>Ends and deletes every workflow of the load. Those that are gone already are done.</summary>
    /// <returns>How many could not be removed.</returns>
    public async Task<int> RemoveAsync(CancellationToken ct)
    {
        var left = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, names), new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = ct }, async (number, token) =>
        {
            if (!await CanaryRemoval.RemoveAsync(client, Name(number), token))
                Interlocked.Increment(ref left);
        });
        return left;
    }

    private string Name(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"platformops-capacity/{operation}/{number}");

    private async Task<(CapacityStep Step, string? Breach)> StepAsync(int percent, TimeSpan each, CancellationToken ct)
    {
        var (began, beatsBefore, acceptedBefore, namesBefore) = (clock.GetTimestamp(), activities.Beats, accepted, names);
        var (latencies, waited, running, failed, mostOpen) = (new ConcurrentBag<double>(), new List<double>(), new ConcurrentDictionary<int, Task>(), 0, 0);
        activities.Waited.Clear();
        var rate = targets.StartsPerSecond * percent / 100.0;
        var judgeAt = Window;
        string? breach = null;
        while (!ct.IsCancellationRequested && breach is null && clock.GetElapsedTime(began) is var elapsed && elapsed < each)
        {
            for (var due = (int)(rate * elapsed.TotalSeconds) - (names - namesBefore); due > 0 && running.Count < StartsAtOnce; due--)
            {
                var number = names++;
                running[number] = StartAsync(number);
            }

            mostOpen = Math.Max(mostOpen, accepted - activities.Ended);
            if (elapsed >= judgeAt)
            {
                judgeAt += Window;
                // What is not answered yet is judged by its time when it is.
                breach = CapacityRules.Breach(targets, Measured(elapsed, names - namesBefore - Volatile.Read(ref failed)));
            }

            await Task.Delay(Tick, clock, CancellationToken.None);
        }

        // What was due by then and is not answered yet counts, with the time that it takes.
        var (took, beats) = (clock.GetElapsedTime(began), activities.Beats);
        await Task.WhenAll(running.Values);
        var step = Measured(took, accepted - acceptedBefore) with { Activities = beats - beatsBefore };
        return (step, breach ?? (ct.IsCancellationRequested ? null : CapacityRules.Breach(targets, step)));

        async Task StartAsync(int number)
        {
            var since = clock.GetTimestamp();
            try
            {
                await client.StartWorkflowAsync(
                    (CapacityCanary canary) => canary.RunAsync(new(targets.ActivitiesEach, targets.OpenFor)),
                    // One that nobody removes ends by itself.
                    new(Name(number), Queue) { ExecutionTimeout = targets.OpenFor + TimeSpan.FromMinutes(10) });
                latencies.Add(clock.GetElapsedTime(since).TotalMilliseconds);
                Interlocked.Increment(ref accepted);
            }
            catch (RpcException)
            {
                Interlocked.Increment(ref failed);
            }
            finally
            {
                running.TryRemove(number, out _);
            }
        }

        CapacityStep Measured(TimeSpan time, int started)
        {
            while (activities.Waited.TryDequeue(out var wait))
                waited.Add(wait);
            return new(
                percent, Math.Round(time.TotalSeconds, 2), started, Volatile.Read(ref failed), activities.Beats - beatsBefore, mostOpen, Percentiles.Of(latencies), Percentiles.Of(waited));
        }
    }
}
