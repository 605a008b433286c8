using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

internal static class RetryCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var runId = RunArguments.Run();
        var step = RunArguments.Step();
        var reason = RunArguments.Reason(required: false);
        return new CliCommand(
            "retry",
            "Try the failed step of a parked run again.",
            new Example("retry development elasticsearch@us-east-1", "after the cause has been dealt with"))
        {
            environment, step, reason, runId,
        }
        .Runs((invocation, ct) => invocation.ControlAsync(
            invocation.Get(environment), invocation.Get(runId), "retryStep", new StepInput(invocation.Get(step), invocation.Get(reason)), ct));
    }
}
