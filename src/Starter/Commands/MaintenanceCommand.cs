using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Starter.Commands;

internal static class MaintenanceCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var length = new Option<string>("--for") { Description = "How long nothing fails over by itself, for example 2h.", HelpName = "DURATION" };
        var close = new Option<bool>("--close") { Description = "End the maintenance now." };
        var reason = RunArguments.Reason(required: false);
        var by = RunArguments.By();
        return new CliCommand(
            "maintenance",
            "Open or close a time in which an environment's database does not fail over by itself.",
            new Example("maintenance production --for 2h --reason \"new disks\"", "open"),
            new Example("maintenance production --close", "close"))
        {
            environment, length, close, reason, by,
        }
        .Runs(async (invocation, ct) =>
        {
            if (invocation.Get(close) == (invocation.Get(length) is not null))
                throw new CommandFailure(ExitCode.Usage, "Give either --for or --close.", "A maintenance is opened for a time, or closed.", "platformops maintenance --help");
            return await invocation.ControlAsync(
                await invocation.FindFailoverAsync(invocation.Get(environment), ct), "maintenance",
                new MaintenanceInput(invocation.Get(length), invocation.Get(reason), invocation.Get(by) ?? RunCommands.Caller()), ct);
        });
    }
}
