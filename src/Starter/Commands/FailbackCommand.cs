using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Starter.Commands;

internal static class FailbackCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var reason = RunArguments.Reason(required: true);
        var by = RunArguments.By();
        var stack = new Option<bool>("--with-stack") { Description = "Move the Temporal namespaces too." };
        var yes = RunArguments.Yes();
        return new CliCommand(
            "failback",
            "Lead an environment's database back to the region that its specification calls primary. Nothing is lost.",
            new Example("failback production --reason \"us-east-1 is repaired\" --yes", "export what only the old primary has, let it follow, and hand everything over"))
        {
            environment, reason, by, stack, yes,
        }
        .Runs((invocation, ct) =>
        {
            invocation.Confirm(invocation.Get(yes), "Writes will pause for a moment. Go on?");
            return invocation.ChangePlacesAsync(
                invocation.Get(environment), "failBack", new FailBackInput(invocation.Get(reason), invocation.Get(by) ?? RunCommands.Caller(), invocation.Get(stack)), ct);
        });
    }
}
