using PlatformOps.Platform.Provisioning;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Gets a ledger page by page: that of a large environment is more than one payload should hold.</summary>
internal static class WholeLedger
{
    /// <summary>Lists what exists of ours in every region, by its labels. Changes nothing.</summary>
    public static async Task<IReadOnlyList<LedgerEntry>> ReadAsync(string environment, string? operationId, CancellationToken cancellationToken)
    {
        var entries = new List<LedgerEntry>();
        for (int? after = 0; after is not null;)
        {
            var input = new ReadLedgerInput(environment, operationId, after.Value);
            var page = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.ReadLedgerAsync(input),
                new()
                {
                    Summary = $"List what exists of {operationId ?? environment}",
                    StartToCloseTimeout = TimeSpan.FromMinutes(5),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                    CancellationToken = cancellationToken,
                });
            entries.AddRange(page.Entries);
            after = page.More;
        }

        // An object that came or went between two pages may have moved the others.
        return [.. entries.DistinctBy(entry => entry.Address)];
    }
}
