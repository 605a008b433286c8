using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

/// <summary>Looks for drift again and again, by a Temporal Schedule with the id of the run that it starts.</summary>
internal static class DriftScheduleCommand
{
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
            var interval = RunSchedule.Interval(text, "platformops drift schedule --help");
            var client = await invocation.ConnectForAsync(name, ct);
            var created = await RunSchedule.PutAsync(
                client, nameof(DetectDrift), DetectDrift.WorkflowId(name), new DetectDriftInput { Environment = name }, invocation.TaskQueueOr(invocation.Get(queue)), interval,
                $"Looks for drift of {name}; made by platformops drift schedule.", ct);
            invocation.Terminal.Line($"{(created ? "Created" : "Changed")} the schedule {DetectDrift.WorkflowId(name)}: it looks for drift of {name} every {text}.");
            invocation.Terminal.Line($"Its runs: temporal workflow list --query \"Runbook = 'DetectDrift' AND Environment = '{name}'\"");
            invocation.Terminal.Result(new { environment = name, scheduleId = DetectDrift.WorkflowId(name), every = text, created });
            return ExitCode.Success;
        });
    }
}
