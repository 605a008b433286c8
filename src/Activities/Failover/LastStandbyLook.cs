using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Scaling;
using Temporalio.Client;

namespace PlatformOps.Activities.Failover;

/// <summary>What the last run of <c>WarmStandby</c> found, as the Temporal server remembers it: a failover does not wait for two clusters to be looked through.</summary>
internal sealed class LastStandbyLook(ITemporalClient client, TimeProvider time)
{
    /// <param name="region">The one that would take over; null: whichever was looked at.</param>
    public async Task<ReadinessItem> LookAsync(string environment, string? region, CancellationToken ct)
    {
        var id = WarmStandby.WorkflowId(environment);
        var last = await new LastRun(client).FindAsync<WarmStandbyReport>(nameof(WarmStandby), id, ct);
        // What was found of the other region says nothing of this one.
        var report = region is null || last?.Report?.Region == region ? last?.Report : null;
        bool? enough = report?.Outcome switch
        {
            WarmStandbyOutcome.Enough => true,
            WarmStandbyOutcome.Short => false,
            _ => null,
        };
        var found = ReadinessRules.Capacity(report is null ? null : last?.EndedAt, enough, report?.Summary ?? "", time.GetUtcNow(), $"Start {id}{(region is null ? "" : $" for {region}")}: see docs/runbooks/warm-standby.md.");
        return new("capacity", found.Ok, found.Detail);
    }
}
