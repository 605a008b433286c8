using System.Diagnostics;
using PlatformOps.Platform.Specification;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Commands;
using PlatformOps.Starter.Runs;
using PlatformOps.Starter.Specifications;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Spectre.Console;

namespace PlatformOps.Starter.Up;

/// <summary>One <c>platformops up</c>, from its start to Ctrl-C.</summary>
internal sealed class UpSession(Invocation invocation, UpOptions options)
{
    private readonly Terminal terminal = invocation.Terminal;

    /// <summary>Starts everything, provisions, and stays until it is told to end, unless it is to run only once.</summary>
    /// <returns>Success only when the environment is healthy.</returns>
    public async Task<ExitCode> RunAsync(CancellationToken ct)
    {
        var platform = ReadPlatform();
        using var data = DataDirectory.Take(invocation.Locations.Data);
        if (options.Reset)
            data.Reset();
        await using var stack = await UpStack.StartAsync(options, platform, data, invocation.Locations, invocation.Verbose, ct);
        var outcome = await ProvisionAsync(stack, data, ct);
        if (!options.Once)
            outcome = await StayAsync(stack, data, outcome, ct);
        return outcome.ExitCode;
    }

    private PlatformSpecification ReadPlatform()
    {
        var validation = Validation.Of(invocation.Locations);
        if (validation.Problems.Count > 0)
            throw validation.Refusal(invocation.Locations);
        var known = validation.Specification!.Environments.Select(environment => environment.Name).ToList();
        return known.Contains(options.Environment)
            ? validation.Specification
            : throw KnownEnvironments.Unknown(options.Environment, invocation.Locations.Specification, known);
    }

    private async Task<RunOutcome> ProvisionAsync(UpStack stack, DataDirectory data, CancellationToken ct)
    {
        try
        {
            var run = await RunbookRun.StartAsync(
                stack.Client, new ProvisionEnvironmentInput { Environment = options.Environment, Reason = "platformops up" }, TaskQueues.Default, ct);
            terminal.Progress($"{(run.Joined ? "Going on with" : "Started")} {run.Handle.Id} on {stack.Address} (run {run.Handle.RunId}); data in {data.Path}.");
            var outcome = await FollowAsync(stack, run, ct);
            if (await ApprovedAsync(run, outcome, ct))
                outcome = await FollowAsync(stack, run, ct);
            Write(stack, run, outcome);
            return outcome;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw new CommandFailure(
                ExitCode.Interrupted, $"Stopped before {options.Environment} was healthy.",
                $"What has been created so far is kept in {data.Path}.",
                $"platformops up {options.Environment}   (goes on from there)\nplatformops up {options.Environment} --reset   (starts from nothing)");
        }
    }

    /// <summary>Gives the approval that the run waits for: with <c>--approve</c>, or when somebody at the terminal says so. False: none was given.</summary>
    private async Task<bool> ApprovedAsync(RunbookRun run, RunOutcome outcome, CancellationToken ct)
    {
        if (outcome.Status is not { Phase: RunbookPhase.AwaitingApproval, PlanHash: { } hash } status)
            return false;
        if (!options.Approve && !(terminal.CanAsk && terminal.Text.Confirm(Markup.Escape($"Approve the plan {hash[..12]}? {status.Summary}"), defaultValue: false)))
            return false;
        var answer = await run.SendAsync("approve", new ApproveInput(hash, RunCommands.Caller(), "platformops up"), ct);
        terminal.Progress(answer.Message);
        return true;
    }

    /// <summary>Follows until the run ends or waits for an operator, or the worker in this process fails.</summary>
    private async Task<RunOutcome> FollowAsync(UpStack stack, RunbookRun run, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var following = new RunSession(invocation, run, TaskQueues.Default).FollowAsync(ending.Token);
        if (await Task.WhenAny(following, stack.Worker) != following && !ct.IsCancellationRequested)
        {
            await ending.CancelAsync();
            // Without it nothing would ever happen again: its failure is what there is to say.
            await stack.Worker;
        }

        return await following;
    }

    /// <summary>Shows what runs, until Ctrl-C; a run that waits for an operator is followed again when somebody has decided.</summary>
    private async Task<RunOutcome> StayAsync(UpStack stack, DataDirectory data, RunOutcome outcome, CancellationToken ct)
    {
        UpText.WriteRunning(terminal, stack, options, data);
        try
        {
            while (outcome.ExitCode == ExitCode.Parked)
            {
                var run = await RunbookRun.FindAsync(stack.Client, options.Environment, ct);
                await new RunSession(invocation, run, TaskQueues.Default).DecidedAsync(ct);
                outcome = await FollowAsync(stack, run, ct);
                Write(stack, run, outcome);
            }

            await Task.WhenAny(stack.Worker, Task.Delay(Timeout.Infinite, ct)).Unwrap();
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            terminal.Progress("Stopping.");
        }

        return outcome;
    }

    private void Write(UpStack stack, RunbookRun run, RunOutcome outcome)
    {
        using var self = Process.GetCurrentProcess();
        var seconds = Math.Round((DateTime.Now - self.StartTime).TotalSeconds, 2);
        var calls = stack.MutatingCalls;
        RunResult.WriteText(terminal, run, outcome);
        if (outcome.ExitCode == ExitCode.Success)
            terminal.Line($"{run.Environment} is healthy: {outcome.Components} components, {outcome.Objects} objects, {(calls == 0 ? "no changes" : $"{calls} changing calls")}, {seconds} s since the start.");
        terminal.Result(new
        {
            run.Environment,
            outcome = outcome.Word,
            outcome.Components,
            outcome.Objects,
            mutatingCalls = calls,
            stack.ReadCalls,
            seconds,
            outcome.OperationId,
        });
    }
}
