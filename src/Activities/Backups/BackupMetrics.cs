using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Backups;
using Temporalio.Common;

namespace PlatformOps.Activities.Backups;

/// <summary>What every look at the backup catalog leaves as metrics of the worker. Each worker knows what was so when it last looked (<c>platformops_backup_looked_seconds</c>). Names and labels are public: dashboards go by them.</summary>
internal static class BackupMetrics
{
    public static void Record(MetricMeter meter, StoreReference store, BackupDefinition definition, IReadOnlyList<BackupSet> sets, DateTimeOffset now)
    {
        KeyValuePair<string, object>[] labels = [new("environment", store.Environment), new("store", $"{store}")];
        var proof = sets.Where(set => set.Proof is { Proved: true }).MaxBy(set => set.Proof!.At)?.Proof;
        Set("looked_seconds", "When the catalog of a store's backups was last read, in seconds since 1970.", Seconds(now));
        Set("finished_seconds", "When the newest whole set was finished, in seconds since 1970.", Seconds(sets.Where(set => set.Good).Max(set => set.FinishedAt)));
        Set("proved_seconds", "When a set was last restored and found whole, in seconds since 1970.", Seconds(proof?.At));
        Set("unproven_sets", "Whole sets whose restore was not proved lately.", VerificationPlanner.Choose(sets, definition, now).Unproven.Count);
        Set("declared_rpo_seconds", "How much may be lost.", definition.Rpo.TotalSeconds);
        Set("declared_rto_seconds", "How long a restore may take.", definition.Rto.TotalSeconds);
        Set("measured_rpo_seconds", "How old the newest data was that the last proved restore brought back.", proof?.MeasuredRpo?.TotalSeconds);
        Set("measured_rto_seconds", "How long the last proved restore took.", proof?.MeasuredRto?.TotalSeconds);

        void Set(string name, string help, double? value)
        {
            if (value is { } known)
                meter.CreateGauge<double>($"platformops_backup_{name}", description: help).Set(known, labels);
        }
    }

    /// <summary>What the last restored copy had of Temporal.</summary>
    public static void Record(MetricMeter meter, StoreReference store, IReadOnlyList<TemporalCopyCounts> temporal)
    {
        foreach (var found in temporal)
        {
            KeyValuePair<string, object>[] labels = [new("environment", store.Environment), new("store", $"{store}"), new("database", found.Database)];
            Set("open", "Executions that the last restored copy would have gone on with.", found.Open);
            Set("sampled", "Executions of the last restored copy whose histories were read whole.", found.Sampled);
            Set("compared", "Executions that visibility lists and that were looked for in the last restored copy.", found.Compared);
            Set("differing", "Executions of the last restored copy that are not as visibility lists them.", found.Differing);

            void Set(string name, string help, double? value)
            {
                if (value is { } known)
                    meter.CreateGauge<double>($"platformops_backup_temporal_{name}", description: help).Set(known, labels);
            }
        }
    }

    private static double? Seconds(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds() / 1000.0;
}
