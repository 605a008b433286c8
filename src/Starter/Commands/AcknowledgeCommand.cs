using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Starter.Commands;

internal static class AcknowledgeCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var operation = new Option<string>("--operation") { Description = "The recovery that was looked into, as `platformops status` shows it.", HelpName = "ID", Required = true };
        var by = RunArguments.By();
        var comment = new Option<string>("--comment") { Description = "What was found.", HelpName = "TEXT" };
        return new CliCommand(
            "acknowledge",
            "Say that a failover was understood, so that the next one may happen by itself.",
            new Example("acknowledge production --operation failover-production-1-3f2a9c01", "after somebody has found out why"))
        {
            environment, operation, by, comment,
        }
        .Runs(async (invocation, ct) => await invocation.ControlAsync(
            await invocation.FindFailoverAsync(invocation.Get(environment), ct), "acknowledge",
            new AcknowledgeInput(invocation.Get(operation), invocation.Get(by) ?? RunCommands.Caller(), invocation.Get(comment)), ct));
    }
}
