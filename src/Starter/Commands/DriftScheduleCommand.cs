using System.CommandLine;
using PlatformOps.Platform.Yaml;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Commands;

/// <summary>Looks for drift again and again, by a Temporal Schedule with the id of the run that it starts.</summary>
internal static class DriftScheduleCommand
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var every = new Option<string>("--every") { Description = "The time between two looks, for example 1h; at least 1m.", HelpName = "DURATION", Required = true };
        var queue = RunArguments.TaskQueue();
        return new CliCommand("schedule", "Look for drift regularly. Creates the schedule, or changes the one that exists.", new Example("drift schedule production --every 1h", "look every hour"))
        {
            environment, every, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var (name, text) = (invocation.Get(environment), invocation.Get(every)!);
            if (!Units.TryParseDuration(text, out var interval) || interval < Shortest)
                throw new CommandFailure(ExitCode.Usage, $"--every is '{text}'.", "A number with its unit is expected (15m, 1h, 1d), at least 1m.", "platformops drift schedule --help");
            var client = await invocation.ConnectForAsync(name, ct);
            var schedule = Schedule(name, interval, invocation.TaskQueueOr(invocation.Get(queue)));
            var created = await PutAsync(client, DetectDrift.WorkflowId(name), schedule, ct);
            invocation.Terminal.Line($"{(created ? "Created" : "Changed")} the schedule {DetectDrift.WorkflowId(name)}: it looks for drift of {name} every {text}.");
            invocation.Terminal.Line($"Its runs: temporal workflow list --query \"Runbook = 'DetectDrift' AND Environment = '{name}'\"");
            invocation.Terminal.Result(new { environment = name, scheduleId = DetectDrift.WorkflowId(name), every = text, created });
            return ExitCode.Success;
        });
    }

    /// <summary>A look that still goes on is not overtaken by the next; one that was missed for longer than an interval is not made up for.</summary>
    private static Schedule Schedule(string environment, TimeSpan interval, string taskQueue) => new(
        ScheduleActionStartWorkflow.Create(
            nameof(DetectDrift), [new DetectDriftInput { Environment = environment }], new WorkflowOptions(DetectDrift.WorkflowId(environment), taskQueue)),
        new ScheduleSpec { Intervals = [new(interval)] })
    {
        Policy = new() { Overlap = ScheduleOverlapPolicy.Skip, CatchupWindow = interval },
        State = new() { Note = $"Looks for drift of {environment}; made by platformops drift schedule." },
    };

    /// <returns>False when it existed and was changed; whether it is paused stays as it was.</returns>
    private static async Task<bool> PutAsync(TemporalClient client, string id, Schedule schedule, CancellationToken ct)
    {
        var rpc = new RpcOptions { CancellationToken = ct };
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
