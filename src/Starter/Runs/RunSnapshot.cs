using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Runs;

/// <summary>A run as it was seen at one moment.</summary>
/// <param name="Status">Its own words; null while no worker has answered yet.</param>
/// <param name="Details">What running steps are doing right now, by step; finer than the step's own detail.</param>
/// <param name="Closed">Whether the run has ended.</param>
/// <param name="Notice">What keeps us from seeing more, as a sentence; null when all is well.</param>
/// <param name="At">When it was seen.</param>
internal sealed record RunSnapshot(
    RunbookStatus? Status, IReadOnlyDictionary<string, string> Details, bool Closed, string? Notice, DateTimeOffset At)
{
    /// <summary>Whether an operator has to decide before it goes on.</summary>
    public bool WaitsForOperator => !Closed && Status?.Phase is RunbookPhase.AwaitingApproval or RunbookPhase.Parked;

    public string DetailOf(RunbookStep step) =>
        step.State == StepState.Running && Details.TryGetValue(step.Name, out var detail) ? detail : step.Detail;
}
