using PlatformOps.Workflows.Failover;
using Temporalio.Common;

namespace PlatformOps.Activities.Failover;

/// <summary>What every look at the readiness for a failover leaves as a metric of the worker. The result with the latest time is that of the item, whichever worker looked. Name and labels are public: dashboards go by them.</summary>
internal static class ReadinessMetrics
{
    private static readonly (string Result, bool? Ok)[] Results = [("ready", true), ("notReady", false), ("unknown", null)];

    public static void Record(MetricMeter meter, string environment, ReadinessReport found, DateTimeOffset now)
    {
        var gauge = meter.CreateGauge<double>("platformops_failover_readiness_seconds", "s", "When something that a failover needs was last found so, in seconds since 1970; 0 for a result that is not so any more.");
        foreach (var item in found.Items)
        {
            foreach (var (result, ok) in Results)
                gauge.Set(item.Ok == ok ? now.ToUnixTimeMilliseconds() / 1000.0 : 0, [new("environment", environment), new("item", item.Name), new("result", result)]);
        }
    }
}
