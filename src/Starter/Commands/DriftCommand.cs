using System.CommandLine;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

internal static class DriftCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var components = RunArguments.Components();
        var revert = new Option<bool>("--revert") { Description = "Bring what differs back to what is declared." };
        var adopt = new Option<bool>("--adopt") { Description = "Say what to write into the specification so that it declares what was found." };
        var wait = new Option<string>("--wait") { Description = "How long the run waits for somebody to decide when something differs, for example 24h.", HelpName = "DURATION", Arity = ArgumentArity.ZeroOrOne };
        var exitCode = new Option<bool>("--exit-code") { Description = $"End with {(int)ExitCode.Changes} when something differs and was left so." };
        var queue = RunArguments.TaskQueue();
        var command = new CliCommand(
            "drift",
            "Show what is not as declared, field by field, and who changed it. Changes nothing unless it is told to.",
            new Example("drift production", "what differs"),
            new Example("drift staging --revert", "bring it back, after approval where the environment wants it"),
            new Example("drift staging --adopt", "what to write into the specification instead"),
            new Example("drift production --wait 4h", "decide later: `platformops approve production --run drift/production` reverts"),
            new Example("drift schedule production --every 1h", "look every hour"))
        {
            environment, components, revert, adopt, wait, exitCode, queue, DriftScheduleCommand.Create(),
        };
        return command.Runs(async (invocation, ct) =>
        {
            if (invocation.Get(revert) && invocation.Get(adopt))
                throw new CommandFailure(ExitCode.Usage, "--revert and --adopt exclude each other.", "What differs is either undone or declared.", "platformops drift --help");
            var client = await invocation.ConnectForAsync(invocation.Get(environment), ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new DetectDriftInput
            {
                Environment = invocation.Get(environment),
                Components = invocation.Get(components) is { Length: > 0 } some ? some : null,
                Mode = invocation.Get(revert) ? DriftMode.Revert : invocation.Get(adopt) ? DriftMode.Adopt : DriftMode.Report,
                DecideWithin = invocation.Has(wait) ? invocation.Get(wait) ?? "24h" : null,
            };
            var run = await RunbookRun.StartAsync(
                client, nameof(DetectDrift), DetectDrift.WorkflowId(input.Environment), input.Environment, input, taskQueue, ct);
            if (run.Joined && input.Mode != DriftMode.Report)
                throw new CommandFailure(ExitCode.Refused, $"{run.Handle.Id} is running already.", "One run at a time; it was started with other input.", $"platformops status {run.Named} --watch");
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            if (outcome.Report?.As<DriftReport>() is { } report)
                Write(invocation.Terminal, report);
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.Report?.Outcome == "drifted" && invocation.Get(exitCode) ? ExitCode.Changes : outcome.ExitCode;
        });
    }

    private static void Write(Terminal terminal, DriftReport report)
    {
        ResourceAddress? shown = null;
        foreach (var finding in report.Findings)
        {
            if (finding.Address != shown)
                terminal.Line($"{(shown = finding.Address)}{(finding.Path is null ? $": {finding.Reason}" : "")}");
            if (finding.Path is not null)
                terminal.Line($"  {finding.Path}: {finding.Reason}");
        }

        if (report.Findings.Count < report.Found)
            terminal.Line($"... and {report.Found - report.Findings.Count} more: temporal workflow query --workflow-id {DetectDrift.WorkflowId(report.Environment)} --type findings");
        if (report.Adoption is not { } adoption)
            return;
        if (adoption.Yaml.Length > 0)
            terminal.Line($"Merge into {adoption.File}:\n\n{adoption.Yaml}");
        foreach (var not in adoption.NotPossible)
            terminal.Line($"  not possible: {not}");
    }
}
