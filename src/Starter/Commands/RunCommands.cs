using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Runs;
using PlatformOps.Starter.Specifications;
using PlatformOps.Workflows;
using Spectre.Console;
using Temporalio.Client;

namespace PlatformOps.Starter.Commands;

/// <summary>What the commands about runs do alike.</summary>
internal static class RunCommands
{
    /// <summary>Connects to the server where the runs of an environment are.</summary>
    /// <exception cref="CommandFailure">There is no such environment, or the server cannot be reached.</exception>
    public static async Task<TemporalClient> ConnectForAsync(this Invocation invocation, string environment, CancellationToken ct)
    {
        var target = TemporalTarget.Find(invocation.Locations.Data);
        KnownEnvironments.Require(environment, target, invocation.Locations);
        return await target.ConnectAsync(ct);
    }

    public static async Task<RunbookRun> FindRunAsync(this Invocation invocation, string environment, string? workflowId, CancellationToken ct) =>
        await RunbookRun.FindAsync(await invocation.ConnectForAsync(environment, ct), environment, ct, workflowId);

    /// <summary>Where runs are started: as typed, else where the running <c>up</c> polls.</summary>
    public static string TaskQueueOr(this Invocation invocation, string? typed) =>
        typed ?? RunningInstance.Find(invocation.Locations.Data)?.TaskQueue ?? TaskQueues.Default;

    /// <summary>Sends a control to the open run of an environment and prints its answer.</summary>
    /// <param name="workflowId">Null: that of its provisioning.</param>
    public static async Task<ExitCode> ControlAsync(
        this Invocation invocation, string environment, string? workflowId, string control, object input, CancellationToken ct)
    {
        var run = await invocation.FindRunAsync(environment, workflowId, ct);
        return await invocation.ControlAsync(run, control, input, ct);
    }

    public static async Task<ExitCode> ControlAsync(
        this Invocation invocation, RunbookRun run, string control, object input, CancellationToken ct)
    {
        var answer = await run.SendAsync(control, input, ct);
        invocation.Terminal.Line(answer.Message);
        invocation.Terminal.Line($"Watch it: platformops status {run.Named} --watch");
        invocation.Terminal.Result(new { run.Environment, workflowId = run.Handle.Id, control, answer.Message });
        return ExitCode.Success;
    }

    /// <summary>The run has to be the one that was asked for, and not one that goes on with other input.</summary>
    /// <param name="one">What there is one of at a time.</param>
    /// <exception cref="CommandFailure">It was joined.</exception>
    public static void RequireStarted(this RunbookRun run, string one)
    {
        if (run.Joined)
            throw new CommandFailure(ExitCode.Refused, $"{run.Handle.Id} is running already.", $"One {one} at a time; it was started with other input.", $"platformops status {run.Named} --watch\nplatformops abort {run.Named} --reason TEXT");
    }

    /// <summary>Says that a run goes on by itself, and how it is watched.</summary>
    public static ExitCode Detached(this RunbookRun run, Invocation invocation)
    {
        invocation.Terminal.Line($"Started {run.Handle.Id}.");
        invocation.Terminal.Line($"Watch it: platformops status {run.Named} --watch");
        invocation.Terminal.Result(new { environment = run.Environment, workflowId = run.Handle.Id, run.Handle.RunId, outcome = "started" });
        return ExitCode.Success;
    }

    /// <summary>Follows a run that was started or joined, until it ends or waits for an operator. Ctrl-C leaves it going.</summary>
    public static async Task<RunOutcome> FollowAsync(this RunbookRun run, Invocation invocation, string taskQueue, CancellationToken ct)
    {
        invocation.Terminal.Progress($"{(run.Joined ? "Joined" : "Started")} {run.Handle.Id} on {run.Client.Connection.Options.TargetHost} (run {run.Handle.RunId}).");
        try
        {
            return await new RunSession(invocation, run, taskQueue).FollowAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw RunResult.LeftGoing(run);
        }
    }

    /// <summary>Asks unless <paramref name="yes"/>; where nobody can be asked, the command ends with the option to add.</summary>
    public static void Confirm(this Invocation invocation, bool yes, string question, string option = "--yes")
    {
        if (yes)
            return;
        if (!invocation.Terminal.CanAsk)
            throw new CommandFailure(
                ExitCode.Usage, "This needs a confirmation.", $"{question} Nobody can be asked: standard input or output is not a terminal.", $"Add {option}.");
        if (!invocation.Terminal.Text.Confirm(Markup.Escape(question), defaultValue: false))
            throw new CommandFailure(ExitCode.Refused, "Not confirmed; nothing was changed.", "", "");
    }

    public static string Caller() => Environment.UserName;
}
