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
        .Runs((invocation, ct) => RunSchedule.PutAsync(invocation, nameof(DetectDrift), invocation.Get(environment), invocation.Get(every)!, "drift schedule", invocation.Get(queue), ct));
    }
}
