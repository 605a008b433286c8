using System.Globalization;
using PlatformOps.Workflows.Runbooks;
using Spectre.Console;

namespace PlatformOps.Starter.Runs;

/// <summary>
/// A run as a tree of components, grouped by plane, in lines of markup. Given too few rows it folds the planes in which nothing
/// happens, and then shows of the others only what needs a look, so that what runs or failed can always be seen.
/// </summary>
/// <param name="planeOf">The plane of a component.</param>
internal sealed class RunTree(Func<string, string> planeOf)
{
    private const int BarWidth = 24;
    private static readonly string[] Spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

    /// <summary>The lines of one frame.</summary>
    /// <param name="rows">How many lines there may be; 0 for no limit.</param>
    /// <param name="frame">Counts the frames, for what moves; 0: the last one, which may be longer than the screen.</param>
    public IReadOnlyList<string> Draw(string title, RunSnapshot snapshot, int width, int rows, bool unicode, int frame = 0)
    {
        if (snapshot.Status is not { } status)
            return [$"[bold]{Markup.Escape(title)}[/]", Markup.Escape(snapshot.Notice ?? "waiting for the first answer of the run")];

        List<string> lines = [.. Header(title, status, snapshot, width, unicode)];
        var sections = status.Steps
            .GroupBy(step => planeOf(ComponentOf(step.Name)))
            .Select(plane => new Section(plane.Key, [.. plane]))
            .ToList();
        var footer = Footer(status, snapshot).ToList();
        if (rows > 0)
            Fold(sections, rows - lines.Count - footer.Count);

        var names = sections.SelectMany(section => section.Shown).Select(step => Name(step, status).Length).DefaultIfEmpty(0).Max();
        foreach (var section in sections)
            lines.AddRange(Lines(section, status, snapshot, names, width, unicode, frame));
        var room = rows > 0 && frame > 0 ? Math.Max(rows - footer.Count, 3) : int.MaxValue;
        if (lines.Count > room)
            lines = [.. lines.Take(room - 1), $"[grey]  and {lines.Count - room + 1} lines more[/]"];
        lines.AddRange(footer);
        return lines;
    }

    private static IEnumerable<string> Header(string title, RunbookStatus status, RunSnapshot snapshot, int width, bool unicode)
    {
        var total = status.Steps.Count;
        var done = status.Steps.Count(step => step.State == StepState.Done);
        yield return $"[bold]{Markup.Escape(title)}[/]  {Markup.Escape(Cut(status.Summary, width - title.Length - 12))}  [grey]{Clock(snapshot.At - status.StartedAt)}[/]";
        if (total == 0)
            yield break;
        var filled = done * BarWidth / total;
        var (full, empty) = unicode ? ('━', '─') : ('#', '-');
        var failed = status.Steps.Count(step => step.State == StepState.Failed);
        yield return $"[green]{new string(full, filled)}[/][grey]{new string(empty, BarWidth - filled)}[/]  {done} of {total} components healthy"
            + (failed > 0 ? $", [red]{failed} failed[/]" : "");
    }

    private static IEnumerable<string> Footer(RunbookStatus status, RunSnapshot snapshot)
    {
        if (snapshot.Notice is { } notice)
            yield return $"[yellow]{Markup.Escape(notice)}[/]";
        if (status.WaitingFor is { } wait && snapshot.WaitsForOperator)
            yield return $"[yellow]waits for {Markup.Escape(wait.For)} ({Markup.Escape(wait.Who)}) until {wait.Until.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}[/]";
    }

    private static IEnumerable<string> Lines(
        Section section, RunbookStatus status, RunSnapshot snapshot, int names, int width, bool unicode, int frame)
    {
        if (section.Folded)
        {
            yield return $"[{StepWords.Style(section.Common)}]{StepWords.Symbol(section.Common, unicode)}[/] [bold]{Markup.Escape(section.Plane)}[/] [grey]{Section.Counts(section.Steps)}[/]";
            yield break;
        }

        yield return $"  [bold]{Markup.Escape(section.Plane)}[/]";
        foreach (var step in section.Shown)
        {
            var symbol = step.State == StepState.Running && unicode && frame > 0 ? Spinner[frame % Spinner.Length] : StepWords.Symbol(step.State, unicode);
            var style = StepWords.Style(step.State);
            var elapsed = step.StartedAt is { } started ? Clock((step.FinishedAt ?? snapshot.At) - started) : "";
            var detail = Cut(snapshot.DetailOf(step), width - names - 16);
            yield return $"    [{style}]{symbol}[/] {Markup.Escape(Name(step, status).PadRight(names))}  [grey]{elapsed,6}[/]  "
                + (step.State is StepState.Failed or StepState.Running ? Markup.Escape(detail) : $"[grey]{Markup.Escape(detail)}[/]");
        }

        if (section.Hidden.Count > 0)
            yield return $"    [grey]  and {Section.Counts(section.Hidden)}[/]";
    }

    /// <summary>Folds first what is done, then what has not begun, then what is only mixed; of planes in which something runs or failed, the rest is counted.</summary>
    private static void Fold(List<Section> sections, int room)
    {
        foreach (var next in sections.OrderBy(section => section.Interest))
        {
            if (sections.Sum(section => section.Rows) <= room)
                return;
            next.Folded = next.Interest < 3;
            next.Focused = !next.Folded;
        }
    }

    /// <summary>With one region its name says nothing.</summary>
    private static string Name(RunbookStep step, RunbookStatus status) =>
        status.Steps.Select(other => RegionOf(other.Name)).Distinct().Count() > 1 ? step.Name : ComponentOf(step.Name);

    private static string ComponentOf(string step) => step.Split('@')[0];

    private static string RegionOf(string step) => step.Split('@').ElementAtOrDefault(1) ?? "";

    private static string Cut(string text, int width)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= Math.Max(width, 8) ? line : $"{line[..(Math.Max(width, 8) - 1)]}…";
    }

    private static string Clock(TimeSpan elapsed) =>
        elapsed < TimeSpan.FromMinutes(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(elapsed.TotalSeconds, 0):0.0}s")
            : elapsed.ToString(elapsed < TimeSpan.FromHours(1) ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);

    private sealed class Section(string plane, IReadOnlyList<RunbookStep> steps)
    {
        public string Plane { get; } = plane;

        public IReadOnlyList<RunbookStep> Steps { get; } = steps;

        public bool Folded { get; set; }

        /// <summary>Whether only what needs a look is shown.</summary>
        public bool Focused { get; set; }

        public IReadOnlyList<RunbookStep> Shown => Folded ? [] : Focused ? [.. Steps.Where(NeedsALook)] : Steps;

        /// <summary>What is counted instead.</summary>
        public IReadOnlyList<RunbookStep> Hidden => Focused ? [.. Steps.Where(step => !NeedsALook(step))] : [];

        public int Rows => Folded ? 1 : 1 + Shown.Count + (Hidden.Count > 0 ? 1 : 0);

        /// <summary>0: all done; 1: none begun; 2: mixed; 3: something runs or failed.</summary>
        public int Interest =>
            Steps.Any(NeedsALook) ? 3
            : Steps.All(step => step.State == StepState.Done) ? 0
            : Steps.All(step => step.State == StepState.Pending) ? 1
            : 2;

        public StepState Common => Steps.All(step => step.State == Steps[0].State) ? Steps[0].State : StepState.Pending;

        public static string Counts(IEnumerable<RunbookStep> steps) => string.Join(", ", steps.GroupBy(step => step.State).Select(group => $"{group.Count()} {StepWords.Of(group.Key)}"));

        private static bool NeedsALook(RunbookStep step) => step.State is StepState.Running or StepState.Failed;
    }
}
