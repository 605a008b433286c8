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

    public static async Task<ProvisioningRun> FindRunAsync(this Invocation invocation, string environment, CancellationToken ct) =>
        await ProvisioningRun.FindAsync(await invocation.ConnectForAsync(environment, ct), environment, ct);

    /// <summary>Where runs are started: as typed, else where the running <c>up</c> polls.</summary>
    public static string TaskQueueOr(this Invocation invocation, string? typed) =>
        typed ?? RunningInstance.Find(invocation.Locations.Data)?.TaskQueue ?? TaskQueues.Default;

    /// <summary>Sends a control to the open run of an environment and prints its answer.</summary>
    public static async Task<ExitCode> ControlAsync(
        this Invocation invocation, string environment, string control, object input, CancellationToken ct)
    {
        var run = await invocation.FindRunAsync(environment, ct);
        return await invocation.ControlAsync(run, control, input, ct);
    }

    public static async Task<ExitCode> ControlAsync(
        this Invocation invocation, ProvisioningRun run, string control, object input, CancellationToken ct)
    {
        var answer = await run.SendAsync(control, input, ct);
        invocation.Terminal.Line(answer.Message);
        invocation.Terminal.Line($"Watch it: platformops status {run.Environment} --watch");
        invocation.Terminal.Result(new { run.Environment, workflowId = run.Handle.Id, control, answer.Message });
        return ExitCode.Success;
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
