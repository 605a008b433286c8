using PlatformOps.Adapters.Schedules;
using PlatformOps.Platform.Schedules;
using PlatformOps.Platform.Yaml;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Schedules;

namespace PlatformOps.Starter.Commands;

/// <summary>A schedule that somebody makes by hand, with a runbook's defaults and the id of its runs. Lasting ones are declared in the specification: see <see cref="SchedulesCommand"/>.</summary>
internal static class RunSchedule
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    /// <summary>Creates the schedule, or changes the one that exists, and says so. Whether it is paused stays as it was.</summary>
    /// <param name="runbook">As in <see cref="ScheduledRunbook.All"/>.</param>
    /// <param name="every">The time between two runs, as it was typed.</param>
    /// <param name="command">Which command makes it, without the program's name.</param>
    /// <param name="typedQueue">Null: where the runbook's workers usually poll.</param>
    /// <exception cref="CommandFailure"><paramref name="every"/> is no duration, or shorter than a minute.</exception>
    public static async Task<ExitCode> PutAsync(Invocation invocation, string runbook, string environment, string every, string command, string? typedQueue, CancellationToken ct)
    {
        var wanted = ScheduledRunbook.Find(runbook)!;
        var id = wanted.RunId(environment, []);
        var specification = ScheduleSpecification.Of(id[..id.LastIndexOf('/')], wanted, Interval(every, command));
        var client = await invocation.ConnectForAsync(environment, ct);
        await BootstrapGate.RequireActiveAsync(client, ct);
        var temporal = new TemporalSchedules(client);
        var found = await temporal.FindAsync(id, ct);
        if (!await temporal.PutAsync(id, found, environment, specification, EnvironmentSchedules.TaskQueueOf(invocation, wanted, typedQueue), found?.Found.DeclaredBy, ct))
            throw new CommandFailure(ExitCode.Refused, $"The schedule {id} was changed by somebody else meanwhile.", "It was left as it is.", $"platformops {command} {environment} --every {every}");
        invocation.Terminal.Line($"{(found is null ? "Created" : "Changed")} the schedule {id}: in {environment} it {wanted.Does} every {every}.");
        if (found?.Found.DeclaredBy is { } declaredBy)
            invocation.Terminal.Line($"The specification of {declaredBy} declares it: the next platformops schedules apply {declaredBy} brings it back to that.");
        invocation.Terminal.Line($"Its runs: temporal workflow list --query \"TemporalScheduledById = '{id}'\"");
        invocation.Terminal.Result(new { environment, scheduleId = id, every, created = found is null });
        return ExitCode.Success;
    }

    private static TimeSpan Interval(string every, string command) => Units.TryParseDuration(every, out var interval) && interval >= Shortest
        ? interval
        : throw new CommandFailure(ExitCode.Usage, $"--every is '{every}'.", "A number with its unit is expected (15m, 1h, 1d), at least 1m.", $"platformops {command} --help");
}
