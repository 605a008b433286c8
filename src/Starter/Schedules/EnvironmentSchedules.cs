using PlatformOps.Adapters.Schedules;
using PlatformOps.Platform.Schedules;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Commands;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Specifications;
using PlatformOps.Workflows;
using Temporalio.Client;

namespace PlatformOps.Starter.Schedules;

/// <summary>What an environment's specification declares beside what Temporal has.</summary>
internal sealed class EnvironmentSchedules(TemporalClient client, string environment, IReadOnlyDictionary<string, DeclaredSchedule> declared)
{
    private readonly TemporalSchedules temporal = new(client);

    public TemporalClient Client => client;

    /// <summary>By the ids that they have in Temporal.</summary>
    public IReadOnlyDictionary<string, DeclaredSchedule> Declared => declared;

    /// <summary>Reads the specification, then connects to the server where the environment's runs are.</summary>
    /// <exception cref="CommandFailure">The specification has problems, there is no such environment, or the server cannot be reached.</exception>
    public static async Task<EnvironmentSchedules> OpenAsync(Invocation invocation, string environment, CancellationToken ct)
    {
        var declared = Read(invocation, environment);
        return new(await invocation.ConnectForAsync(environment, ct), environment, declared);
    }

    /// <summary>Where the workers of a runbook poll.</summary>
    /// <param name="typed">Of those that can wait; null: where they usually do.</param>
    public static string TaskQueueOf(Invocation invocation, ScheduledRunbook runbook, string? typed = null) => runbook.Workers switch
    {
        WorkerGroup.Default => invocation.TaskQueueOr(typed),
        WorkerGroup.Failover => TaskQueues.Failover,
        WorkerGroup.Drill => TaskQueues.Drill,
        _ => throw new InvalidOperationException($"No task queue for {runbook.Workers}."),
    };

    /// <summary>All of this environment in Temporal, whoever made them, and whatever else has the id of a declared one.</summary>
    public async Task<IReadOnlyList<KeptSchedule>> FindAsync(CancellationToken ct)
    {
        var found = (await temporal.ListAsync(ct)).Where(kept => kept.Found.DeclaredBy == environment || kept.Found.Id.EndsWith($"/{environment}", StringComparison.Ordinal)).ToList();
        foreach (var id in declared.Keys.Except(found.Select(kept => kept.Found.Id)).ToList())
        {
            if (await temporal.FindAsync(id, ct) is { } hidden)
                found.Add(hidden);
        }

        return [.. found.OrderBy(kept => kept.Found.Id, StringComparer.Ordinal)];
    }

    /// <summary>What would have to happen.</summary>
    public IReadOnlyList<ScheduleChange> Plan(IReadOnlyList<KeptSchedule> found, bool prune) => SchedulePlan.Make(
        environment, declared.ToDictionary(pair => pair.Key, pair => ScheduleForm.Of(environment, pair.Value.Specification, pair.Value.TaskQueue)), [.. found.Select(kept => kept.Found)], prune);

    /// <summary>Carries one change out. Done twice it is done once.</summary>
    /// <exception cref="CommandFailure">Somebody else has changed the schedule meanwhile.</exception>
    public async Task CarryOutAsync(ScheduleChange change, IReadOnlyList<KeptSchedule> found, CancellationToken ct)
    {
        if (change.Action == ScheduleAction.Remove)
        {
            await temporal.RemoveAsync(change.Id, ct);
            return;
        }

        var (specification, queue) = declared[change.Id];
        if (!await temporal.PutAsync(change.Id, found.FirstOrDefault(kept => kept.Found.Id == change.Id), environment, specification, queue, environment, ct))
            throw new CommandFailure(ExitCode.Refused, $"The schedule {change.Id} was changed by somebody else meanwhile.", "It was left as it is.", $"platformops schedules apply {environment}");
    }

    private static Dictionary<string, DeclaredSchedule> Read(Invocation invocation, string environment)
    {
        var instance = TemporalTarget.Find(invocation.Locations.Data).Instance;
        var locations = instance is null || invocation.Has(GlobalOptions.Specification)
            ? invocation.Locations
            : invocation.Locations with { Specification = instance.Specification, Catalog = instance.Catalog };
        var validation = Validation.Of(locations);
        if (validation.Specification is not { } specification)
            throw validation.Refusal(locations);
        if (specification.Find(environment) is not { } found)
            throw KnownEnvironments.Unknown(environment, locations.Specification, specification.Environments.Select(known => known.Name));
        return found.Schedules.ToDictionary(
            schedule => SchedulePlan.IdOf(environment, schedule.Name), schedule => new DeclaredSchedule(schedule, TaskQueueOf(invocation, schedule.Runbook)));
    }
}

/// <param name="TaskQueue">Where the workers of its runbook poll.</param>
internal sealed record DeclaredSchedule(ScheduleSpecification Specification, string TaskQueue);
