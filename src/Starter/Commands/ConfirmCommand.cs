using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Starter.Commands;

internal static class ConfirmCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var runId = RunArguments.Run();
        var step = new Argument<string>("step") { Description = "The step that waits for people, as `status` shows it." };
        var by = RunArguments.By();
        var comment = new Option<string>("--comment") { Description = "What was done, for the report.", HelpName = "TEXT" };
        return new CliCommand(
            "confirm",
            "Say that what a step asked of people is done.",
            new Example("confirm production elasticsearch --run restore/production --comment \"snapshot of 09:00, green\"", "its indices are restored"))
        {
            environment, step, by, comment, runId,
        }
        .Runs((invocation, ct) => invocation.ControlAsync(
            invocation.Get(environment), invocation.Get(runId), "confirmStep", new ConfirmStepInput(invocation.Get(step), invocation.Get(by) ?? RunCommands.Caller(), invocation.Get(comment)), ct));
    }
}
