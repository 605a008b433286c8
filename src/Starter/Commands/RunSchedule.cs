using PlatformOps.Platform.Yaml;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Starter.CommandLine;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Commands;

/// <summary>A Temporal Schedule that starts a runbook for an environment again and again, with the id of the run that it starts.</summary>
/// <param name="Type">The workflow type.</param>
/// <param name="Id">Of the run, and of the schedule.</param>
/// <param name="Does">What a run does, for people: <c>looks for drift of production</c>.</param>
/// <param name="Command">Which command makes it, without the program's name.</param>
internal sealed record RunSchedule(string Type, string Id, string Environment, object Input, string Does, string Command)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    /// <summary>The time between two runs, as it was typed.</summary>
    /// <exception cref="CommandFailure">It is no duration, or shorter than a minute.</exception>
    public TimeSpan Interval(string every) => Units.TryParseDuration(every, out var interval) && interval >= Shortest
        ? interval
        : throw new CommandFailure(ExitCode.Usage, $"--every is '{every}'.", "A number with its unit is expected (15m, 1h, 1d), at least 1m.", $"platformops {Command} --help");

    /// <summary>Creates the schedule, or changes the one that exists, and says so. A run that still goes on is not overtaken by the next; one that was missed for longer than
    /// an interval is not made up for. Whether it is paused stays as it was.</summary>
    public async Task<ExitCode> PutAsync(Invocation invocation, TemporalClient client, string taskQueue, string every, CancellationToken ct)
    {
        await BootstrapGate.RequireActiveAsync(client, ct);
        var created = await PutAsync(client, taskQueue, Interval(every), ct);
        invocation.Terminal.Line($"{(created ? "Created" : "Changed")} the schedule {Id}: it {Does} every {every}.");
        invocation.Terminal.Line($"Its runs: temporal workflow list --query \"Runbook = '{Type}' AND Environment = '{Environment}'\"");
        invocation.Terminal.Result(new { Environment, scheduleId = Id, every, created });
        return ExitCode.Success;
    }

    /// <returns>False when it existed and was changed.</returns>
    private async Task<bool> PutAsync(TemporalClient client, string taskQueue, TimeSpan interval, CancellationToken ct)
    {
        var rpc = new RpcOptions { CancellationToken = ct };
        var schedule = new Schedule(ScheduleActionStartWorkflow.Create(Type, [Input], new WorkflowOptions(Id, taskQueue)), new ScheduleSpec { Intervals = [new(interval)] })
        {
            Policy = new() { Overlap = ScheduleOverlapPolicy.Skip, CatchupWindow = interval },
            State = new() { Note = $"{char.ToUpperInvariant(Does[0])}{Does[1..]}; made by platformops {Command}." },
        };
        try
        {
            await client.CreateScheduleAsync(Id, schedule, new() { Rpc = rpc });
            return true;
        }
        catch (ScheduleAlreadyRunningException)
        {
            await client.GetScheduleHandle(Id).UpdateAsync(
                known => new ScheduleUpdate(schedule with { State = schedule.State with { Paused = known.Description.Schedule.State.Paused } }), rpc);
            return false;
        }
    }
}
