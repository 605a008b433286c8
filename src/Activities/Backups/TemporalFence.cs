using System.Globalization;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Catalog;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Keeps the platform's own Temporal still whose databases were restored: nothing of it acts before people have seen what it would do. Nobody works on its runs, its schedules are paused, and what it has is looked at.</summary>
internal sealed class TemporalFence(PlatformConnections connections) : IDisposable
{
    /// <summary>Of each namespace: so many open and so many closed executions are read whole.</summary>
    private const int Sampled = 20;

    /// <summary>Queues of the server's own workers.</summary>
    private const string OwnQueues = "temporal-sys";

    private readonly RegionConnections regions = new(connections);

    /// <inheritdoc/>
    public void Dispose() => regions.Dispose();

    /// <summary>Pauses what is not paused, and says what there is.</summary>
    /// <exception cref="AdapterException">A frontend does not answer, or the environment has none.</exception>
    public async Task<FencedTemporal> FenceAsync(SpecifiedEnvironment specified, string operation, Action<string> progress, CancellationToken ct)
    {
        var (wrong, right) = (new List<string>(), new List<string>());
        foreach (var region in specified.Environment.Regions)
        {
            if (specified.InDependencyOrder(region.Name).SelectMany(component => component.Health).OfType<TemporalFrontendGate>().FirstOrDefault() is not { } gate)
                continue;
            var contents = new TemporalContents(regions.Temporal(region.Name, gate));
            foreach (var space in await contents.NamespacesAsync(ct))
            {
                progress($"Looking at {space} in {region.Name}.");
                await FenceAsync(contents, space, $"{space} in {region.Name}", operation, wrong, right, ct);
            }
        }

        return right.Count == 0
            ? throw new AdapterException(AdapterFailureKind.Rejected, $"{specified.Environment.Name} has no Temporal with a namespace: no component has the health gate temporalFrontend, or the restored database is empty. Look at what was restored.")
            : new(wrong, right);
    }

    private static async Task FenceAsync(TemporalContents contents, string space, string name, string operation, List<string> wrong, List<string> right, CancellationToken ct)
    {
        var schedules = await contents.SchedulesAsync(space, ct);
        var pause = $"Paused by {operation}: it is of a restored database. Look what it would do, then unpause it.";
        // What is only listed as paused may be of another moment; it keeps what people wrote about it.
        foreach (var schedule in schedules.Where(schedule => !schedule.Paused || !schedule.Described))
            await contents.PauseAsync(space, schedule.Id, schedule is { Paused: true, Note.Length: > 0 } ? schedule.Note : pause, ct);
        var sampled = await contents.SampleAsync(space, Sampled, ct);
        foreach (var queue in sampled.Where(run => run.Described?.Open == true).Select(run => run.TaskQueue).Where(queue => !queue.StartsWith(OwnQueues, StringComparison.Ordinal)).Distinct())
        {
            if (await contents.PollersAsync(space, queue, ct) is { Count: > 0 } pollers)
                wrong.Add($"{string.Join(", ", pollers)} asked {queue} of {name} for work within the last minutes: restored runs go on before anybody has seen what they do. Stop those workers, and wait five minutes.");
        }

        var (troubles, seen) = RestoredExecutions.Judge(sampled);
        wrong.AddRange(troubles);
        var open = await contents.CountOpenAsync(space, ct);
        right.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {open} open executions, which nobody works on; {schedules.Count} schedules, all paused, {schedules.Count(schedule => schedule.Paused)} of them before. {Undescribed(schedules)}{string.Join(" ", seen)}"));
    }

    private static string Undescribed(IReadOnlyList<HeldSchedule> schedules) => schedules.Count(schedule => !schedule.Described) is > 0 and var count
        ? string.Create(CultureInfo.InvariantCulture, $"{count} of them could not be described, as long as Temporal's own workers do not run: their pause stands in their histories, and is done before these start anything. ")
        : "";
}
