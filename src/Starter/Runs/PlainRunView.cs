using System.Globalization;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Runs;

/// <summary>A line for every change: for logs, pipes and terminals that cannot be redrawn.</summary>
internal sealed class PlainRunView(Terminal terminal) : IRunView
{
    /// <summary>A step that is only waiting repeats what it waits for this often at most.</summary>
    private static readonly TimeSpan DetailInterval = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, (StepState State, string Detail, DateTimeOffset At)> shown = [];
    private RunbookPhase? phase;
    private string? notice;

    public Task<RunSnapshot> ShowAsync(Func<Action<RunSnapshot>, Task<RunSnapshot>> follow) => follow(Show);

    private void Show(RunSnapshot snapshot)
    {
        if (snapshot.Notice != notice)
            Write(snapshot.At, notice = snapshot.Notice);
        if (snapshot.Status is not { } status)
            return;
        var ended = snapshot.Closed || snapshot.WaitsForOperator;
        if (!ended)
            ShowPhase(snapshot, status);
        foreach (var step in status.Steps)
        {
            var detail = snapshot.DetailOf(step);
            var before = shown.GetValueOrDefault(step.Name, (StepState.Pending, "", snapshot.At));
            var worthALine = step.State != before.Item1 || (detail != before.Item2 && snapshot.At - before.Item3 >= DetailInterval);
            if (!worthALine)
                continue;
            shown[step.Name] = (step.State, detail, snapshot.At);
            Write(snapshot.At, $"{StepWords.Of(step.State, status.Runbook),-11} {step.Name}  {detail}".TrimEnd());
        }

        // The last word comes after the steps that led to it.
        if (ended)
            ShowPhase(snapshot, status);
    }

    private void ShowPhase(RunSnapshot snapshot, RunbookStatus status)
    {
        if (status.Phase == phase)
            return;
        phase = status.Phase;
        Write(snapshot.At, status.Summary);
    }

    private void Write(DateTimeOffset at, string? text)
    {
        if (text is not null)
            terminal.Progress($"{at.ToString("HH:mm:ss", CultureInfo.InvariantCulture)}  {text}");
    }
}
