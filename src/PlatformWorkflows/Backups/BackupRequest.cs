using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>What a runbook about backups is asked for, checked and with its defaults filled in.</summary>
/// <param name="Within">How long it may take.</param>
internal sealed record BackupRequest(StoreReference Store, string OperationId, TimeSpan Within)
{
    /// <summary>Before the input has been checked: what queries may meet.</summary>
    public static BackupRequest Unchecked { get; } = new(new("", ""), "", TimeSpan.Zero);

    /// <param name="verb">First word of the operation id when none was given.</param>
    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException">A field is wrong; the message names it.</exception>
    public static BackupRequest Check(string verb, string? environment, string? store, string? region, string? operationId, string? within = null)
    {
        var named = RequestFields.Environment(environment);
        ControlFields.Require("store", store, "the store's name in the catalog");
        var reference = new StoreReference(named, store!, string.IsNullOrWhiteSpace(region) ? null : region);
        return new(
            reference, RequestFields.OperationId(operationId, verb, $"{named}-{reference}", Workflow.Info.FirstExecutionRunId), RequestFields.Duration("within", within, TimeSpan.FromDays(7)) ?? TimeSpan.FromHours(6));
    }
}
