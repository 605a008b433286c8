using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

internal static class SkipCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var runId = RunArguments.Run();
        var step = RunArguments.Step();
        var reason = RunArguments.Reason(required: true);
        return new CliCommand(
            "skip",
            "Leave out the failed step of a parked run; the run ends as incomplete.",
            new Example("skip development redis@us-east-1 --reason \"not needed today\"", "go on without it"))
        {
            environment, step, reason, runId,
        }
        .Runs((invocation, ct) => invocation.ControlAsync(
            invocation.Get(environment), invocation.Get(runId), "skipStep", new StepInput(invocation.Get(step), invocation.Get(reason)), ct));
    }
}
