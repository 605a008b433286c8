using System.CommandLine;
using PlatformOps.Platform.Backups;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

/// <summary>Restores into what runs: planned first, approved, and taken back until it is opened.</summary>
internal static class RestoreCommand
{
    public static Command Create() => new CliCommand("restore", "Restore a backup into what runs. Nothing is overwritten without a plan that was approved and a backup of what is there.",
        new Example("restore database production postgresql --to 2026-03-01T09:41:00Z --plan", "what would be done and lost"),
        new Example("restore database production postgresql --to 2026-03-01T09:41:00Z", "do it: it waits for approval, and then says what it does"))
    {
        Database(),
    };

    private static CliCommand Database()
    {
        var environment = RunArguments.Environment();
        var store = new Argument<string>("store") { Description = "The store's name in the catalog, for example postgresql." };
        var region = new Option<string>("--region") { Description = "The region whose store is meant, where each region has its own.", HelpName = "NAME" };
        var set = new Option<string>("--set") { Description = "The id of the set. [default: the newest that can be followed to --to]", HelpName = "ID" };
        var to = new Option<string>("--to") { Description = "The moment to restore to, in UTC, for example 2026-03-01T09:41:00Z. [default: the newest in the archive]", HelpName = "TIME" };
        var plan = new Option<bool>("--plan") { Description = "Only say what would be done, and what would be lost." };
        var by = new Option<string>("--requested-by") { Description = "Who asks; somebody else has to approve. [default: whoever runs this]", HelpName = "NAME" };
        var detach = RunArguments.Detach();
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "database",
            "Replace the data of a running database by a set, at a moment: restored and proved beside the data while that serves, exchanged while nobody gets through. Until it is opened, `abort` brings the old data back.",
            new Example("restore database production postgresql --to 2026-03-01T09:41:00Z --plan", "which set, what would be lost, how long it takes"),
            new Example("restore database production postgresql --to 2026-03-01T09:41:00Z", "the minute before somebody dropped a table"),
            new Example("restore database production postgresql --set backup-production-postgresql-0f3c9a12", "one set, with all of the log after it"))
        {
            environment, store, region, set, to, plan, by, detach, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new RestoreDatabaseInput
            {
                Environment = name,
                Store = invocation.Get(store),
                Region = invocation.Get(region),
                Set = invocation.Get(set),
                To = invocation.Get(to),
                Mode = invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply,
                RequestedBy = invocation.Get(by) ?? RunCommands.Caller(),
            };
            var id = RestoreDatabase.WorkflowId(name, input.Store, input.Region);
            var run = await RunbookRun.StartAsync(
                await invocation.ConnectForAsync(name, ct), nameof(RestoreDatabase), input.Mode == RunbookMode.Plan ? $"plan/{id}/{Guid.NewGuid():N}" : id, name, input, taskQueue, ct);
            run.RequireStarted("restore");
            if (invocation.Get(detach))
                return run.Detached(invocation);
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            var made = outcome.Report is { } report ? report.As<RestoreReport>().RestorePlan : await run.QueryAsync<RestorePlan?>("restorePlan", ct);
            foreach (var note in made?.Notes ?? [])
                invocation.Terminal.Line($"  note: {note}");
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.Report?.Outcome is "refused" or "rejected" ? ExitCode.Refused : outcome.ExitCode;
        });
    }
}
