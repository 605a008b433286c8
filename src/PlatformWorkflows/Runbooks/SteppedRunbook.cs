using System.Globalization;
using System.Text.Json;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>A runbook of few steps in a fixed order: where it stands, and how it says so.</summary>
public abstract class SteppedRunbook
{
    private protected SteppedRunbook(string summary, IEnumerable<RunbookStep> steps) => (Summary, Steps) = (summary, [.. steps]);

    private protected static DateTimeOffset Now => new(Workflow.UtcNow);

    private protected List<RunbookStep> Steps { get; }

    private protected RunbookPhase Phase { get; private set; } = RunbookPhase.Observing;

    private protected string Summary { get; private set; }

    private protected RunbookWait? WaitingFor { get; set; }

    private protected bool Ended => Phase is RunbookPhase.Completed or RunbookPhase.Rejected or RunbookPhase.Aborted or RunbookPhase.Failed;

    private protected void EnterPhase(RunbookPhase next, string why)
    {
        Summary = why;
        if (next != Phase)
        {
            PhaseMetrics.Follow(Phase, next);
            Phase = next;
            Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Phase.ValueSet(InWords(next)));
        }

        Workflow.CurrentDetails = $"**{InWords(Phase)}**: {why}";
    }

    /// <summary>Everything before a step was done, or was found done.</summary>
    private protected void Begin(string step, string? detail = null)
    {
        var at = Steps.FindIndex(known => known.Name == step);
        if (at < 0)
            return;
        for (var before = 0; before < at; before++)
        {
            if (Steps[before].State is StepState.Pending or StepState.Running)
                Steps[before] = Steps[before] with { State = StepState.Done, FinishedAt = Now };
        }

        if (Steps[at].State != StepState.Running)
            Steps[at] = Steps[at] with { State = StepState.Running, StartedAt = Now };
        if (detail is not null)
            Steps[at] = Steps[at] with { Detail = detail };
    }

    /// <summary>A step ended.</summary>
    private protected void Finish(string step, string detail, StepState state = StepState.Done)
    {
        if (Steps.FindIndex(known => known.Name == step) is >= 0 and var at)
            Steps[at] = Steps[at] with { State = state, Detail = detail, FinishedAt = Now };
    }

    private protected static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private protected static string InWords(TimeSpan duration) => duration switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours:0.#}h"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMinutes:0.#}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#}s"),
    };
}
