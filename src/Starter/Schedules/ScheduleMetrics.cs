using PlatformOps.Adapters.Codec;
using PlatformOps.Adapters.Schedules;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Schedules;

/// <summary>What the schedules do, as metrics of a worker. Names and labels are public: alert rules go by them. The counts are the server's: every worker says the same.</summary>
internal sealed class ScheduleMetrics
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    private readonly TemporalSchedules temporal;
    private readonly MetricGauge<long> started, missed, skipped, dropped, paused, failed, next;

    public ScheduleMetrics(TemporalSchedules temporal, MetricMeter meter)
    {
        this.temporal = temporal;
        started = meter.CreateGauge<long>("platformops_schedule_started_runs", description: "How many runs a schedule has started since it was created.");
        missed = meter.CreateGauge<long>("platformops_schedule_missed_runs", description: "How many runs of a schedule were missed for longer than its catch-up window.");
        skipped = meter.CreateGauge<long>("platformops_schedule_skipped_runs", description: "How many runs of a schedule were skipped because another one went on.");
        dropped = meter.CreateGauge<long>("platformops_schedule_dropped_runs", description: "How many runs of a schedule were dropped because too many waited.");
        paused = meter.CreateGauge<long>("platformops_schedule_paused", description: "1 while a schedule is paused.");
        failed = meter.CreateGauge<long>("platformops_schedule_last_run_failed", description: "1 when the last run of a schedule that ended has failed.");
        next = meter.CreateGauge<long>("platformops_schedule_next_run_seconds", "s", "When a schedule runs next, in seconds since 1970; 0 while it does not.");
    }

    /// <summary>Looks until cancelled. While the server does not answer the metrics stay as they were, so that a next run in the past says that nothing is started.</summary>
    public async Task WatchAsync(TimeProvider clock, CancellationToken ct)
    {
        try
        {
            while (true)
            {
                try
                {
                    await LookAsync(ct);
                }
                catch (Exception failure) when (failure is RpcException or PayloadCodecException)
                {
                    ct.ThrowIfCancellationRequested();
                }

                await Task.Delay(Every, clock, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Being told to stop is how it ends well.
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        foreach (var kept in await temporal.ListAsync(ct))
        {
            var id = kept.Found.Id;
            var labels = new KeyValuePair<string, object>[] { new("environment", kept.Found.DeclaredBy ?? id[(id.LastIndexOf('/') + 1)..]), new("schedule", id) };
            started.Set(kept.Started, labels);
            missed.Set(kept.Missed, labels);
            skipped.Set(kept.Skipped, labels);
            dropped.Set(kept.Dropped, labels);
            paused.Set(kept.Paused ? 1 : 0, labels);
            failed.Set(kept.Recent.FirstOrDefault(run => run.Status is not (null or "Running"))?.Status is "Failed" or "TimedOut" or "Terminated" ? 1 : 0, labels);
            next.Set(kept.Next is [var time, ..] ? time.ToUnixTimeSeconds() : 0, labels);
        }
    }
}
