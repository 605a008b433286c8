using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Runs;

/// <summary>What became of a run, as far as it is known.</summary>
/// <param name="Report">The run's own report; null while it is open, or when it ended without one.</param>
/// <param name="Status">Its last status; null when no worker answered.</param>
/// <param name="Failure">Why it ended without a report, as a sentence.</param>
internal sealed record RunOutcome(RunReport? Report, RunbookStatus? Status, string? Failure)
{
    /// <summary>What follows for whoever waits: the goal that was reached (<c>healthy</c>), <c>parked</c> (an operator has to decide) or <c>failed</c>.</summary>
    public string Word => ExitCode switch
    {
        ExitCode.Success => Report?.Outcome is { } goal && (goal != "planned" || Status?.Runbook != nameof(ProvisionEnvironment)) ? goal : "healthy",
        ExitCode.Parked => "parked",
        _ => "failed",
    };

    public ExitCode ExitCode => this switch
    {
        { Report.ReachedItsGoal: true } => ExitCode.Success,
        { Report: null, Failure: null } => ExitCode.Parked,
        _ => ExitCode.RunFailed,
    };

    public int Components => (Report?.Steps ?? Status?.Steps)?.Count ?? 0;

    public int Objects => Report?.Results.Values.Sum() ?? 0;

    public string? OperationId => Report?.OperationId ?? Status?.OperationId;

    public string Summary => Report?.Summary ?? Failure ?? Status?.Summary ?? "The run has not answered yet.";

    /// <summary>Reads what became of the run after <paramref name="last"/> was seen.</summary>
    public static async Task<RunOutcome> ReadAsync(RunbookRun run, RunSnapshot last, CancellationToken ct)
    {
        if (!last.Closed)
            return new RunOutcome(null, last.Status, null);
        try
        {
            return new RunOutcome(await run.ReportAsync(ct), last.Status, null);
        }
        catch (WorkflowFailedException failed)
        {
            return new RunOutcome(null, last.Status, Innermost(failed).TrimEnd('.') + ".");
        }
    }

    /// <summary>The sentence that names the cause; what wraps it only says that an activity or child has failed.</summary>
    private static string Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner)
            failure = inner;
        return failure.Message;
    }
}
