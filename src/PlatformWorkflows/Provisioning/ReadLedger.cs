using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Input of <c>ReadLedger</c> (workflow id <c>ledger/{environment}</c>).</summary>
public sealed record ReadEnvironmentLedgerInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Only what this operation created. Default: everything of ours.</summary>
    public string? OperationId { get; init; }
}

/// <summary>The result of <c>ReadLedger</c>.</summary>
/// <param name="Objects">How many entries there are.</param>
/// <param name="Costs">How many of them cost what: an object may count more than once.</param>
/// <param name="Entries">In the order in which they are applied; empty when they are too many for a result: then the query <c>ledger</c> has them.</param>
public sealed record LedgerReport(string Environment, int Objects, IReadOnlyDictionary<CostClass, int> Costs, IReadOnlyList<LedgerEntry> Entries);

/// <summary>Lists everything that was created for an environment and exists, with its owner, operation, cost and compensation. Changes nothing.
/// See <c>docs/runbooks/ledger.md</c>.</summary>
[Workflow]
public sealed class ReadLedger
{
    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private IReadOnlyList<LedgerEntry> entries = [];
    private string environment = "";
    private RunbookPhase phase = RunbookPhase.Observing;

    /// <summary>Workflow id of the run of an environment.</summary>
    public static string WorkflowId(string environment) => $"ledger/{environment}";

    /// <summary>The entries, also those that the result leaves out.</summary>
    [WorkflowQuery("ledger")]
    public IReadOnlyList<LedgerEntry> Ledger() => entries;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(ReadLedger),
        Environment = environment,
        OperationId = "",
        Phase = phase,
        Summary = phase == RunbookPhase.Completed ? $"{entries.Count} objects exist." : "Listing what exists in every region.",
        Steps = [],
        IfStoppedNow = "Nothing has been changed.",
        Compensations = [],
        StartedAt = startedAt,
    };

    [WorkflowRun]
    public async Task<LedgerReport> RunAsync(Input<ReadEnvironmentLedgerInput>? input = null)
    {
        var fields = RequestFields.Given(input);
        environment = RequestFields.Environment(fields.Environment);
        Workflow.UpsertTypedSearchAttributes(
            RunbookSearchAttributes.Runbook.ValueSet(nameof(ReadLedger)), RunbookSearchAttributes.Environment.ValueSet(environment));
        try
        {
            entries = await WholeLedger.ReadAsync(environment, fields.OperationId, Workflow.CancellationToken);
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            phase = RunbookPhase.Failed;
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }

        phase = RunbookPhase.Completed;
        var costs = new[] { CostClass.Compute, CostClass.Storage, CostClass.Network }.ToDictionary(cost => cost, cost => entries.Count(entry => entry.Cost.HasFlag(cost)));
        var report = new LedgerReport(environment, entries.Count, costs, entries);
        return ReportSize.Fits(report) ? report : report with { Entries = [] };
    }
}
