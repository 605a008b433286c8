using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using Spectre.Console;

namespace PlatformOps.Starter.Commands;

internal static class StatusCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var runId = RunArguments.Run();
        var watch = new Option<bool>("--watch", "-w") { Description = "Follow the run until it ends; Ctrl-C ends the watching, not the run." };
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "status",
            "Show the latest run of an environment: what is done, what runs, what it waits for.",
            new Example("status development", "one look"),
            new Example("status development --watch", "follow it live"),
            new Example("status development --output json", "the runbook's own status as JSON"))
        {
            environment, watch, queue, runId,
        }
        .Runs(async (invocation, ct) =>
        {
            var run = await invocation.FindRunAsync(invocation.Get(environment), invocation.Get(runId), ct);
            var session = new RunSession(invocation, run, invocation.TaskQueueOr(invocation.Get(queue)));
            return invocation.Get(watch) ? await WatchAsync(invocation, run, session, ct) : await LookAsync(invocation, run, session, ct);
        });
    }

    private static async Task<ExitCode> WatchAsync(Invocation invocation, RunbookRun run, RunSession session, CancellationToken ct)
    {
        try
        {
            var outcome = await session.FollowToTheEndAsync(ct);
            RunResult.Write(invocation.Terminal, run, outcome);
            return outcome.ExitCode;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw RunResult.LeftGoing(run);
        }
    }

    /// <summary>The exit code says where the run stands: 0 as well while it is under way.</summary>
    private static async Task<ExitCode> LookAsync(Invocation invocation, RunbookRun run, RunSession session, CancellationToken ct)
    {
        var snapshot = await session.FirstAnswerAsync(ct);
        var outcome = await RunOutcome.ReadAsync(run, snapshot, ct);
        if (snapshot.Status is null && outcome.Report is null)
            throw new CommandFailure(
                ExitCode.Unreachable,
                $"{run.Handle.Id} {(snapshot.Closed ? "has ended" : "is open")}, but cannot be asked for its status.",
                outcome.Failure ?? snapshot.Notice ?? "No worker has answered.",
                "platformops worker");
        if (!invocation.Terminal.Json)
            Draw(invocation, run, snapshot);
        var unfinished = !snapshot.Closed && !snapshot.WaitsForOperator;
        if (!unfinished)
            RunResult.WriteText(invocation.Terminal, run, outcome);
        else if (snapshot.Status is { } status)
            invocation.Terminal.Line($"If it stopped now: {status.IfStoppedNow}");
        invocation.Terminal.Result(new
        {
            run.Environment,
            workflowId = run.Handle.Id,
            run.Handle.RunId,
            open = !snapshot.Closed,
            outcome = unfinished ? "running" : outcome.Word,
            snapshot.Status,
            snapshot.Details,
            report = outcome.Report?.Json,
        });
        return unfinished ? ExitCode.Success : outcome.ExitCode;
    }

    private static void Draw(Invocation invocation, RunbookRun run, RunSnapshot snapshot)
    {
        var profile = invocation.Terminal.Text.Profile;
        var tree = new RunTree(Planes.From(invocation.Locations.Catalog));
        foreach (var line in tree.Draw(run.Handle.Id, snapshot, profile.Width, rows: 0, profile.Capabilities.Unicode))
            invocation.Terminal.Draw(new Markup($"{line}\n"));
    }
}
