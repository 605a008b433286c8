using System.CommandLine;
using PlatformOps.Platform.Backups;
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
    private readonly Option<string> operation = Operation();
    private readonly Option<bool> detach = RunArguments.Detach();
    private readonly Option<string> queue = RunArguments.TaskQueue();

    /// <summary>What a run made carries its operation's id: another run with it finds that, and goes on.</summary>
    public static Option<string> Operation() => new("--operation") { Description = "Go on with what a run of this operation began that was terminated, or has restored beside; its id is in its status and report. [default: a new one]", HelpName = "ID" };

    public CliCommand AddTo(CliCommand command)
    {
        command.Add(environment);
        command.Add(store);
        foreach (var option in (Option[])[region, set, to, plan, operation, by, detach, queue])
            command.Add(option);
        return command;
    }

    /// <summary>Starts the runbook, and follows it until it ends or waits for somebody.</summary>
    /// <param name="input">What only such stores are asked for.</param>
    /// <param name="notes">What a plan says to whoever approves it.</param>
    public Task<ExitCode> RunAsync<TReport, TPlan>(Invocation invocation, string runbook, StoreRestoreInput input, Func<TPlan, IEnumerable<string>> notes, CancellationToken ct)
        where TReport : StoreRestoreReport<TPlan>
        where TPlan : class, IRestorePlan
    {
        var (name, planned) = (invocation.Get(environment), invocation.Get(plan));
        var given = input with
        {
            Environment = name,
            Store = invocation.Get(store),
            Region = invocation.Get(region),
            Set = invocation.Get(set),
            To = invocation.Get(to),
            Mode = planned ? RunbookMode.Plan : RunbookMode.Apply,
            OperationId = invocation.Get(operation),
            RequestedBy = invocation.Get(by) ?? RunCommands.Caller(),
        };
        return RunAsync<TReport, TPlan>(
            invocation, runbook, $"restore/{name}/{new StoreReference(name, given.Store!, given.Region)}", name, planned, invocation.Get(detach), invocation.Get(queue), given, report => report.RestorePlan, notes, ct);
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
