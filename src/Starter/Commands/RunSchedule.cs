using PlatformOps.Platform.Yaml;
using PlatformOps.Starter.CommandLine;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Commands;

/// <summary>A Temporal Schedule that starts a runbook again and again, with the id of the run that it starts.</summary>
internal static class RunSchedule
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    /// <summary>The time between two runs, as it was typed.</summary>
    /// <param name="help">The command that says what is possible.</param>
    /// <exception cref="CommandFailure">It is no duration, or shorter than a minute.</exception>
    public static TimeSpan Interval(string text, string help) => Units.TryParseDuration(text, out var interval) && interval >= Shortest
        ? interval
        : throw new CommandFailure(ExitCode.Usage, $"--every is '{text}'.", "A number with its unit is expected (15m, 1h, 1d), at least 1m.", help);

    /// <summary>Creates the schedule, or changes the one that exists. A run that still goes on is not overtaken by the next; one that was missed for longer than
    /// an interval is not made up for.</summary>
    /// <returns>False when it existed and was changed; whether it is paused stays as it was.</returns>
    public static async Task<bool> PutAsync(TemporalClient client, string type, string id, object input, string taskQueue, TimeSpan interval, string note, CancellationToken ct)
    {
        var rpc = new RpcOptions { CancellationToken = ct };
        var schedule = new Schedule(ScheduleActionStartWorkflow.Create(type, [input], new WorkflowOptions(id, taskQueue)), new ScheduleSpec { Intervals = [new(interval)] })
        {
            Policy = new() { Overlap = ScheduleOverlapPolicy.Skip, CatchupWindow = interval },
            State = new() { Note = note },
        };
        try
        {
            await client.CreateScheduleAsync(id, schedule, new() { Rpc = rpc });
            return true;
        }
        catch (ScheduleAlreadyRunningException)
        {
            await client.GetScheduleHandle(id).UpdateAsync(
                known => new ScheduleUpdate(schedule with { State = schedule.State with { Paused = known.Description.Schedule.State.Paused } }), rpc);
            return false;
        }
    }
}
