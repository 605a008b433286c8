using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Starter.Commands;

internal static class FailoverCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var reason = RunArguments.Reason(required: true);
        var by = RunArguments.By();
        var forced = new Option<bool>("--forced") { Description = "Promote the standby whatever the primary says; what it lacks is lost." };
        var stack = new Option<bool>("--with-stack") { Description = "Move the Temporal namespaces too." };
        var yes = RunArguments.Yes();
        return new CliCommand(
            "failover",
            "Make the standby of an environment's database primary: a switchover that loses nothing, or by force.",
            new Example("failover production --reason \"kernel update\" --yes", "hand everything over; nothing is lost"),
            new Example("failover production --forced --reason \"us-east-1 is gone\"", "whatever the primary says, after approval where the environment wants it"),
            new Example("failover drill production", "practise it on an isolated copy, scored and removed"),
            new Example("failover readiness production --every 5m", "look every five minutes whether it would succeed"))
        {
            environment, reason, by, forced, stack, yes, FailoverCapacityCommand.Create(), FailoverDrillCommand.Create(), FailoverReadinessCommand.Create(), FailoverNextStepsCommand.Create(),
        }
        .Runs((invocation, ct) =>
        {
            invocation.Confirm(invocation.Get(yes), invocation.Get(forced) ? "What the standby lacks will be lost. Go on?" : "Writes will pause for a moment. Go on?");
            return invocation.ChangePlacesAsync(
                invocation.Get(environment), "failOver",
                new FailOverInput(invocation.Get(reason), invocation.Get(by) ?? RunCommands.Caller(), invocation.Get(forced), invocation.Get(stack)), ct);
        });
    }
}
