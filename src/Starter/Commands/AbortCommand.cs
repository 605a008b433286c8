using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

internal static class AbortCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var runId = RunArguments.Run();
        var reason = RunArguments.Reason(required: true);
        var yes = RunArguments.Yes();
        return new CliCommand(
            "abort",
            "Abort a run: what it created is removed in reverse order, and only that.",
            new Example("abort development --reason \"wrong region\"", "show what would be removed, ask, then roll back"),
            new Example("abort development --reason \"wrong region\" --yes", "without asking"))
        {
            environment, reason, yes, runId,
        }
        .Runs(async (invocation, ct) =>
        {
            var run = await invocation.FindRunAsync(invocation.Get(environment), invocation.Get(runId), ct);
            if (!invocation.Get(yes))
            {
                var undo = (await run.StatusAsync(ct)).Compensations;
                foreach (var compensation in undo)
                    invocation.Terminal.Line($"  {compensation}");
                invocation.Confirm(false, $"Abort {run.Handle.Id} and undo {(undo.Count == 0 ? "nothing (it has created nothing)" : $"these {undo.Count}")}?");
            }

            return await invocation.ControlAsync(run, "abort", new AbortInput(invocation.Get(reason)), ct);
        });
    }
}
