using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;
using Temporalio.Client;

namespace PlatformOps.Activities.Failover;

/// <summary>When a failover of an environment was practised last, as the Temporal server remembers it.</summary>
internal sealed class LastDrill(ITemporalClient client, TimeProvider time)
{
    public async Task<ReadinessItem> LookAsync(string environment, CancellationToken ct)
    {
        var id = RegionFailover.DrillId(environment);
        var last = await new LastRun(client).FindAsync<FailoverReport>(nameof(RegionFailover), id, ct);
        var found = ReadinessRules.LastDrill(last?.EndedAt, last?.Report is { Outcome: FailoverOutcome.Completed, Drill: null or { Passed: true } }, time.GetUtcNow(), $"Start {id}: see docs/runbooks/drill.md.");
        return new("lastDrill", found.Ok, found.Detail);
    }
}
