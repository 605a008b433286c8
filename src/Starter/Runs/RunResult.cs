using System.Globalization;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Spectre.Console;

namespace PlatformOps.Starter.Runs;

/// <summary>Prints what became of a run.</summary>
internal static class RunResult
{
    public static void Write(Terminal terminal, ProvisioningRun run, RunOutcome outcome)
    {
        WriteText(terminal, run.Environment, outcome);
        terminal.Result(new
        {
            run.Environment,
            outcome = outcome.Word,
            outcome.Components,
            outcome.Objects,
            seconds = outcome.Report is { } report ? Math.Round((report.FinishedAt - report.StartedAt).TotalSeconds, 2) : (double?)null,
            outcome.OperationId,
            workflowId = run.Handle.Id,
            run.Handle.RunId,
            outcome.Summary,
            failedSteps = Failed(outcome).Select(step => step.Name),
        });
    }

    /// <summary>For people: what exists, what is missing, and the commands that go on from there.</summary>
    public static void WriteText(Terminal terminal, string environment, RunOutcome outcome)
    {
        var style = outcome.ExitCode switch { ExitCode.Success => "green", ExitCode.Parked => "yellow", _ => "red" };
        Line($"[{style} bold]{Markup.Escape(outcome.Word)}[/]  {Markup.Escape(outcome.Summary)}");
        if (outcome.Report is { } report)
        {
            Line(Markup.Escape(Counts(report)));
            foreach (var left in report.LeftBehind)
                Line($"  [yellow]left behind:[/] {Markup.Escape(left)}");
        }

        foreach (var step in Failed(outcome))
            Line($"  [red]{Markup.Escape(step.Name)}[/]: {Markup.Escape(step.Detail)}");
        foreach (var next in NextSteps(environment, outcome))
            Line($"  next: {Markup.Escape(next)}");

        void Line(string markup) => terminal.Draw(new Markup($"{markup}\n"));
    }

    /// <summary>The end of a command whose run goes on without it.</summary>
    public static CommandFailure LeftGoing(ProvisioningRun run) => new(
        ExitCode.Interrupted,
        $"{run.Handle.Id} goes on.",
        "Ctrl-C ended the watching, not the run.",
        $"platformops status {run.Environment} --watch     to return to it\nplatformops abort {run.Environment} --reason TEXT   to undo it");

    private static string Counts(ProvisioningReport report)
    {
        var changed = report.Results.OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} {Words(pair.Key)}");
        var objects = report.Results.Values.Sum();
        var seconds = (report.FinishedAt - report.StartedAt).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        var nothing = objects > 0 && report.Results.GetValueOrDefault(ObjectResult.Unchanged) == objects ? "no changes: " : "";
        return $"{nothing}{objects} objects of {report.Steps.Count} components ({string.Join(", ", changed)}) in {seconds} s; operation {report.OperationId}";
    }

    private static string Words(ObjectResult result) => result switch
    {
        ObjectResult.NotReached => "not reached",
        ObjectResult.RolledBack => "rolled back",
        ObjectResult.Conflict => "in conflict",
        _ => result.ToString().ToLowerInvariant(),
    };

    private static IEnumerable<RunbookStep> Failed(RunOutcome outcome) =>
        (outcome.Report?.Steps ?? outcome.Status?.Steps ?? []).Where(step => step.State == StepState.Failed);

    private static IEnumerable<string> NextSteps(string environment, RunOutcome outcome)
    {
        if (outcome.ExitCode == ExitCode.RunFailed)
            yield return $"platformops provision {environment}   (adopts what is there)";
        if (outcome.ExitCode != ExitCode.Parked)
            yield break;
        if (outcome.Status is { Phase: RunbookPhase.AwaitingApproval, PlanHash: var hash })
        {
            yield return $"platformops approve {environment} --plan-hash {hash}";
            yield return $"platformops reject {environment} --reason TEXT";
        }

        foreach (var step in Failed(outcome))
        {
            yield return $"platformops retry {environment} {step.Name}";
            yield return $"platformops skip {environment} {step.Name} --reason TEXT";
        }

        if (outcome.Status?.Phase == RunbookPhase.Parked)
            yield return $"platformops abort {environment} --reason TEXT   (removes what this run created)";
    }
}
