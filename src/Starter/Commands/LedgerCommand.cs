using System.CommandLine;
using System.Globalization;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

internal static class LedgerCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var operation = new Option<string>("--operation-id") { Description = "Only what this operation created.", HelpName = "ID" };
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "ledger",
            "List what was created for an environment and exists: owner, operation, cost, and what would undo it.",
            new Example("ledger production", "everything of ours, as a listing by label finds it"),
            new Example("ledger production --output json", "for a program"))
        {
            environment, operation, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            // An id of its own for each, so that two who ask at once do not get each other's answer.
            var run = await RunbookRun.StartAsync(
                client, nameof(ReadLedger), $"{ReadLedger.WorkflowId(name)}/{Guid.NewGuid():N}", name,
                new ReadEnvironmentLedgerInput { Environment = name, OperationId = invocation.Get(operation) }, taskQueue, ct);
            var outcome = await new RunSession(invocation, run, taskQueue).AnswerAsync(ct);
            if (outcome.Report?.As<LedgerReport>() is not { } report)
                throw new CommandFailure(ExitCode.RunFailed, $"There is no ledger of \"{name}\".", outcome.Summary, "platformops validate");
            if (report.Entries.Count < report.Objects)
                report = report with { Entries = await run.QueryAsync<IReadOnlyList<LedgerEntry>>("ledger", ct) };
            foreach (var entry in report.Entries)
                invocation.Terminal.Line($"{entry.Address}  {Words(entry.Cost)}  {entry.OperationId ?? "(no operation)"}  {entry.Owner}  {entry.Compensation}");
            invocation.Terminal.Line($"{report.Objects} objects: {string.Join(", ", report.Costs.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} cost {Words(pair.Key)}")))}");
            invocation.Terminal.Result(report);
            return ExitCode.Success;
        });
    }

    private static string Words(CostClass cost) => cost.ToString().ToLowerInvariant();
}
