namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>The shipped rules about schedules, in Prometheus's own test of rules.</summary>
public sealed class ScheduleRulesTests
{
    /// <summary>Two workers say the same of <c>secrets</c>, one of which has just started; <c>drift</c> was paused, <c>readiness</c> should have run in the first minute.</summary>
    private const string Test = """
        rule_files: [rules.yaml]
        evaluation_interval: 1m
        tests:
          - interval: 1m
            input_series:
              - {series: 'platformops_schedule_missed_runs{environment="production", schedule="secrets/production", instance="a"}', values: '4x10 5x1600'}
              - {series: 'platformops_schedule_missed_runs{environment="production", schedule="secrets/production", instance="b"}', values: '_x20 5x1600'}
              - {series: 'platformops_schedule_skipped_runs{environment="production", schedule="secrets/production", instance="a"}', values: '0x10 1x1600'}
              - {series: 'platformops_schedule_skipped_runs{environment="production", schedule="certificates/production", instance="a"}', values: '0x10 1x5 2x5 3x1600'}
              - {series: 'platformops_schedule_next_run_seconds{environment="production", schedule="readiness/production", instance="a"}', values: '60x1600'}
              - {series: 'platformops_schedule_next_run_seconds{environment="production", schedule="drift/production", instance="a"}', values: '0x1600'}
              - {series: 'platformops_schedule_paused{environment="production", schedule="drift/production", instance="a"}', values: '1x1600'}
            promql_expr_test:
              - expr: 'count by (alertname, schedule) (ALERTS{alertstate="firing"})'
                eval_time: 40m
                exp_samples:
                  - {labels: '{alertname="ScheduledRunsMissed", schedule="secrets/production"}', value: 1}
                  - {labels: '{alertname="ScheduledRunsSkipped", schedule="certificates/production"}', value: 1}
                  - {labels: '{alertname="ScheduleOverdue", schedule="readiness/production"}', value: 1}
              - expr: 'count by (alertname, schedule) (ALERTS{alertstate="firing"})'
                eval_time: 1500m
                exp_samples:
                  - {labels: '{alertname="ScheduleOverdue", schedule="readiness/production"}', value: 1}
                  - {labels: '{alertname="SchedulePaused", schedule="drift/production"}', value: 1}
        """;

    [Fact]
    public async Task Missed_skipped_overdue_and_forgotten_schedules_raise_an_alert_with_their_name()
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        var folder = Directory.CreateTempSubdirectory("platformops-rules-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "rules.yaml"), Tools.Rules("schedules"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "test.yaml"), Test, TestContext.Current.CancellationToken);
        await Tools.RunAsync("promtool", "", "check", "rules", Path.Combine(folder, "rules.yaml"));
        await Tools.RunAsync("promtool", "", "test", "rules", Path.Combine(folder, "test.yaml"));
        Directory.Delete(folder, recursive: true);
    }
}
