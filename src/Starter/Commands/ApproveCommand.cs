using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

internal static class ApproveCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var runId = RunArguments.Run();
        var hash = new Option<string>("--plan-hash") { Description = "The hash of the plan that was read; any other plan is refused.", HelpName = "HASH" };
        var comment = new Option<string>("--comment") { Description = "Why, for the report.", HelpName = "TEXT" };
        var overwrite = new Option<bool>("--overwrite") { Description = "That what exists may be overwritten: needed for a restore of cluster state that replaces objects." };
        var by = RunArguments.By();
        return new CliCommand(
            "approve",
            "Approve the plan that a run waits with.",
            new Example("approve staging", "show what it waits for and ask"),
            new Example("approve staging --plan-hash 3f2a9c... --comment \"change 4711\"", "approve exactly the plan that was reviewed"))
        {
            environment, hash, overwrite, by, comment, runId,
        }
        .Runs(async (invocation, ct) =>
        {
            var run = await invocation.FindRunAsync(invocation.Get(environment), invocation.Get(runId), ct);
            var approved = invocation.Get(hash) ?? await AskAsync(invocation, run, ct);
            return await invocation.ControlAsync(
                run, "approve", new ApproveInput(approved, invocation.Get(by) ?? RunCommands.Caller(), invocation.Get(comment), invocation.Get(overwrite) ? true : null), ct);
        });
    }

    /// <summary>An approval is bound to what was read, so without a hash somebody has to read it here.</summary>
    private static async Task<string?> AskAsync(Invocation invocation, RunbookRun run, CancellationToken ct)
    {
        var status = await run.StatusAsync(ct);
        if (status.Phase == RunbookPhase.AwaitingApproval)
            invocation.Confirm(false, $"{run.Handle.Id}: {status.Summary} Approve the plan {status.PlanHash}?", $"--plan-hash {status.PlanHash}");
        return status.PlanHash;
    }
}
