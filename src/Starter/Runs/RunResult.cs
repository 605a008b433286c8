using System.Globalization;
using System.Text.Json;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Spectre.Console;

namespace PlatformOps.Starter.Runs;

/// <summary>Prints what became of a run.</summary>
internal static class RunResult
{
    /// <param name="report">Also the report itself, for JSON; null: not.</param>
    public static void Write(Terminal terminal, RunbookRun run, RunOutcome outcome, JsonElement? report = null)
    {
        WriteText(terminal, run, outcome);
        terminal.Result(new
        {
            run.Environment,
            outcome = outcome.Word,
            outcome.Components,
            outcome.Objects,
            seconds = outcome.Report is { } ended ? Math.Round((ended.FinishedAt - ended.StartedAt).TotalSeconds, 2) : (double?)null,
            outcome.OperationId,
            workflowId = run.Handle.Id,
            run.Handle.RunId,
            outcome.Summary,
            failedSteps = Failed(outcome).Select(step => step.Name),
            report,
        });
    }

    /// <summary>For people: what exists, what is missing, and the commands that go on from there.</summary>
    public static void WriteText(Terminal terminal, RunbookRun run, RunOutcome outcome)
    {
        var style = outcome.ExitCode switch { ExitCode.Success => "green", ExitCode.Parked => "yellow", _ => "red" };
        Line($"[{style} bold]{Markup.Escape(outcome.Word)}[/]  {Markup.Escape(outcome.Summary)}");
        if (outcome.Report is { } report)
        {
            if (report.Results.Keys.Any(result => result != ObjectResult.NotReached))
                Line(Markup.Escape(Counts(report)));
            foreach (var left in report.LeftBehind)
                Line($"  [yellow]left behind:[/] {Markup.Escape(left)}");
            foreach (var lost in report.Lost)
                Line($"  [red]gone, was to be kept:[/] {Markup.Escape(lost)}");
        }

        foreach (var step in Failed(outcome))
            Line($"  [red]{Markup.Escape(step.Name)}[/]: {Markup.Escape(step.Detail)}");
        foreach (var next in NextSteps(run, outcome))
            Line($"  next: {Markup.Escape(next)}");

        void Line(string markup) => terminal.Draw(new Markup($"{markup}\n"));
    }

    /// <summary>The end of a command whose run goes on without it.</summary>
    public static CommandFailure LeftGoing(RunbookRun run) => new(
        ExitCode.Interrupted,
        $"{run.Handle.Id} goes on.",
        "Ctrl-C ended the watching, not the run.",
        $"platformops status {run.Named} --watch     to return to it\nplatformops abort {run.Named} --reason TEXT   to undo it");

    private static string Counts(RunReport report)
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

    private static IEnumerable<string> NextSteps(RunbookRun run, RunOutcome outcome)
    {
        if (outcome.ExitCode == ExitCode.RunFailed && run.Named == run.Environment)
            yield return $"platformops provision {run.Environment}   (adopts what is there)";
        if (outcome.ExitCode != ExitCode.Parked)
            yield break;
        if (outcome.Status is { Phase: RunbookPhase.AwaitingApproval, PlanHash: var hash })
        {
            yield return $"platformops approve {run.Named} --plan-hash {hash}";
            yield return $"platformops reject {run.Named} --reason TEXT";
        }

        foreach (var step in Failed(outcome))
        {
            yield return $"platformops retry {run.Named} {step.Name}";
            yield return $"platformops skip {run.Named} {step.Name} --reason TEXT";
        }

        if (outcome.Status?.Phase == RunbookPhase.Parked)
            yield return $"platformops abort {run.Named} --reason TEXT   (removes what a provisioning created)";
    }
}
