using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

/// <summary>What the commands that restore a store take and do alike.</summary>
/// <param name="example">A store of the kind.</param>
internal sealed class RestoreArguments(string example, string aboutSet, string aboutMoment)
{
    private readonly Argument<string> environment = RunArguments.Environment();
    private readonly Argument<string> store = new("store") { Description = $"The store's name in the catalog, for example {example}." };
    private readonly Option<string> region = new("--region") { Description = "The region whose store is meant, where each region has its own.", HelpName = "NAME" };
    private readonly Option<string> set = new("--set") { Description = aboutSet, HelpName = "ID" };
    private readonly Option<string> to = new("--to") { Description = aboutMoment, HelpName = "TIME" };
    private readonly Option<bool> plan = new("--plan") { Description = "Only say what would be done, and what would be lost." };
    private readonly Option<string> by = new("--requested-by") { Description = "Who asks; somebody else has to approve. [default: whoever runs this]", HelpName = "NAME" };
    private readonly Option<bool> detach = RunArguments.Detach();
    private readonly Option<string> queue = RunArguments.TaskQueue();

    public CliCommand AddTo(CliCommand command)
    {
        command.Add(environment);
        command.Add(store);
        foreach (var option in (Option[])[region, set, to, plan, by, detach, queue])
            command.Add(option);
        return command;
    }

    /// <summary>Starts the runbook, and follows it until it ends or waits for somebody.</summary>
    /// <param name="input">From what was given and who asks.</param>
    /// <param name="planOf">Of a report.</param>
    /// <param name="notes">What a plan says to whoever approves it.</param>
    public Task<ExitCode> RunAsync<TReport, TPlan>(
        Invocation invocation, string runbook, Func<GivenRestore, string, object> input, Func<TReport, TPlan?> planOf, Func<TPlan, IEnumerable<string>> notes, CancellationToken ct)
        where TPlan : class
    {
        var given = new GivenRestore(
            invocation.Get(environment), invocation.Get(store), invocation.Get(region), invocation.Get(set), invocation.Get(to), invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply);
        return RunAsync(
            invocation, runbook, $"restore/{given.Environment}/{new StoreReference(given.Environment, given.Store, given.Region)}", given.Environment, given.Mode == RunbookMode.Plan, invocation.Get(detach), invocation.Get(queue),
            input(given, invocation.Get(by) ?? RunCommands.Caller()), planOf, notes, ct);
    }

    /// <summary>The same for any restore.</summary>
    public static async Task<ExitCode> RunAsync<TReport, TPlan>(
        Invocation invocation, string runbook, string id, string environment, bool planned, bool detached, string? queue, object input, Func<TReport, TPlan?> planOf, Func<TPlan, IEnumerable<string>> notes, CancellationToken ct)
        where TPlan : class
    {
        var taskQueue = invocation.TaskQueueOr(queue);
        var run = await RunbookRun.StartAsync(await invocation.ConnectForAsync(environment, ct), runbook, planned ? $"plan/{id}/{Guid.NewGuid():N}" : id, environment, input, taskQueue, ct);
        run.RequireStarted("restore");
        if (detached)
            return run.Detached(invocation);
        var outcome = await run.FollowAsync(invocation, taskQueue, ct);
        var made = outcome.Report is { } report ? planOf(report.As<TReport>()) : await run.QueryAsync<TPlan?>("restorePlan", ct);
        foreach (var note in made is null ? [] : notes(made))
            invocation.Terminal.Line($"  note: {note}");
        RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
        return outcome.Report?.Outcome is "refused" or "rejected" ? ExitCode.Refused : outcome.ExitCode;
    }
}

/// <summary>What somebody typed to restore a store.</summary>
internal sealed record GivenRestore(string Environment, string Store, string? Region, string? Set, string? To, RunbookMode Mode);
