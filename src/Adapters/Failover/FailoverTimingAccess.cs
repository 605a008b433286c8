using System.Globalization;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>The times that decisions about a failover go by, as a connections file states them. What is not stated is as <see cref="FailoverTiming"/> has it.</summary>
/// <param name="FreshForSeconds">How old a report may be that counts against a node. Default 3; 1 to 60: observers repeat what counts against the primary twice a second.</param>
/// <param name="StalledAfter">The part of its duration after which a lease that is not renewed counts as stalled. Default 0.8; 0.4 to 1: a lease is renewed after a third of it at the latest.</param>
/// <param name="AgainstRenewalSeconds">How long both observers have to find that nobody can write while the lease goes on being renewed. Default 10; 1 to 3600.</param>
/// <param name="RestartInPlaceSeconds">How long a stopped server is tried to be started in place when its standby may lack something. Default 5; 0 (not before the standby takes its place) to 600.</param>
/// <param name="ReadyWithinSeconds">How long a failover that has ended looks again until everything is there for the next one. Default 60; 0 (one look) to 3600.</param>
/// <param name="ApprovalExpiresSeconds">How long a request for approval stays open. Default 3600; 60 to 604800 (a week).</param>
public sealed record FailoverTimingAccess(
    double? FreshForSeconds = null, double? StalledAfter = null, double? AgainstRenewalSeconds = null, double? RestartInPlaceSeconds = null, double? ReadyWithinSeconds = null, double? ApprovalExpiresSeconds = null)
{
    /// <summary>With the defaults for what is not stated.</summary>
    public FailoverTiming ToTiming()
    {
        var defaults = new FailoverTiming();
        return new()
        {
            FreshFor = Seconds(FreshForSeconds, defaults.FreshFor),
            StalledAfter = StalledAfter ?? defaults.StalledAfter,
            AgainstRenewal = Seconds(AgainstRenewalSeconds, defaults.AgainstRenewal),
            RestartInPlace = Seconds(RestartInPlaceSeconds, defaults.RestartInPlace),
            ReadyWithin = Seconds(ReadyWithinSeconds, defaults.ReadyWithin),
            ApprovalExpires = Seconds(ApprovalExpiresSeconds, defaults.ApprovalExpires),
        };
    }

    /// <summary>What is out of its range, each with its field.</summary>
    /// <param name="path">Where it stands, for example <c>failover.production.timing</c>.</param>
    internal IEnumerable<string> Problems(string path)
    {
        foreach (var (field, value, least, most) in new[]
        {
            ("freshForSeconds", FreshForSeconds, 1.0, 60.0), ("stalledAfter", StalledAfter, 0.4, 1), ("againstRenewalSeconds", AgainstRenewalSeconds, 1, 3600),
            ("restartInPlaceSeconds", RestartInPlaceSeconds, 0, 600), ("readyWithinSeconds", ReadyWithinSeconds, 0, 3600),
            ("approvalExpiresSeconds", ApprovalExpiresSeconds, 60, 604_800),
        })
        {
            if (value is { } stated && !(stated >= least && stated <= most))
                yield return string.Create(CultureInfo.InvariantCulture, $"{path}.{field} is {stated}: {least} to {most} is expected.");
        }
    }

    private static TimeSpan Seconds(double? stated, TimeSpan otherwise) => stated is { } seconds ? TimeSpan.FromSeconds(seconds) : otherwise;
}
