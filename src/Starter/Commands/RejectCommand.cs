using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

internal static class RejectCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var runId = RunArguments.Run();
        var reason = RunArguments.Reason(required: true);
        var by = RunArguments.By();
        return new CliCommand(
            "reject",
            "Reject the plan that a run waits with; the run ends without having changed anything.",
            new Example("reject staging --reason \"wrong image tag\"", "end the run; nothing was changed"))
        {
            environment, reason, by, runId,
        }
        .Runs((invocation, ct) => invocation.ControlAsync(
            invocation.Get(environment), invocation.Get(runId), "reject", new RejectInput(invocation.Get(reason), invocation.Get(by) ?? RunCommands.Caller()), ct));
    }
}
