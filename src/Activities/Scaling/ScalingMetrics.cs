using PlatformOps.Workflows.Scaling;
using Temporalio.Common;

namespace PlatformOps.Activities.Scaling;

/// <summary>What every look of <c>Autoscale</c> leaves as metrics of the worker. Each worker knows what was so when it last looked (<c>platformops_scaling_looked_seconds</c>). Names and labels are public: dashboards go by them.</summary>
internal static class ScalingMetrics
{
    public static void Record(MetricMeter meter, string environment, IEnumerable<ScalingSight> sights)
    {
        foreach (var sight in sights)
        {
            KeyValuePair<string, object>[] labels = [new("environment", environment), new("region", sight.Subject.Region), new("component", sight.Subject.Component)];
            Set("looked_seconds", "When the replicas of a component were last looked at, in seconds since 1970.", sight.Seen.SeenAt.ToUnixTimeMilliseconds() / 1000.0, labels);
            Set("replicas", "How many replicas there are to be.", sight.Seen.Replicas, labels);
            Set("ready_replicas", "How many replicas are ready.", sight.Seen.Ready, labels);
            Set("minimum_replicas", "The fewest that the specification allows.", sight.Subject.Range?.Minimum, labels);
            Set("maximum_replicas", "The most that the specification allows.", sight.Subject.Range?.Maximum, labels);
            foreach (var signal in sight.Subject.How?.Signals ?? [])
            {
                KeyValuePair<string, object>[] own = [.. labels, new("signal", signal.Name)];
                Set("signal_target", "What a signal is to be.", signal.Target, own);
                // What says nothing is NaN, and not what it once was.
                Set("signal", "What a signal says; NaN: nothing.", sight.Seen.Signals.FirstOrDefault(reading => reading.Name == signal.Name)?.Value ?? double.NaN, own);
            }
        }

        void Set(string name, string help, double? value, KeyValuePair<string, object>[] labels)
        {
            if (value is { } known)
                meter.CreateGauge<double>($"platformops_scaling_{name}", description: help).Set(known, labels);
        }
    }
}
