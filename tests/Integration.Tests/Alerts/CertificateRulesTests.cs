namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>The shipped rules about certificates, leases and runs that wait, in Prometheus's own test of rules.</summary>
public sealed class CertificateRulesTests
{
    /// <summary>Ten days from 1970: the clock of rule tests begins there. Renewal of <c>short</c> is ahead, that of <c>late</c> is overdue; the other worker looked long ago.</summary>
    private const string Test = """
        rule_files: [rules.yaml]
        evaluation_interval: 1m
        tests:
          - interval: 1m
            input_series:
              - {series: 'platformops_certificate_not_after_seconds{environment="production", region="us-east-1", certificate="synthetic", owner="certManager", instance="a"}', values: '864000x10'}
              - {series: 'platformops_certificate_not_after_seconds{environment="production", region="us-east-1", certificate="renewed", owner="ours", instance="a"}', values: '8640000x10'}
              - {series: 'platformops_certificate_not_after_seconds{environment="production", region="us-east-1", certificate="renewed", owner="ours", instance="b"}', values: '86400x10'}
              - {series: 'platformops_certificate_not_after_seconds{environment="production", region="us-east-1", certificate="short", owner="ours", instance="a"}', values: '864000x10'}
              - {series: 'platformops_certificate_due_seconds{environment="production", region="us-east-1", certificate="short", owner="ours", instance="a"}', values: '432000x10'}
              - {series: 'platformops_certificate_not_after_seconds{environment="production", region="us-east-1", certificate="late", owner="ours", instance="a"}', values: '864000x10'}
              - {series: 'platformops_certificate_due_seconds{environment="production", region="us-east-1", certificate="late", owner="ours", instance="a"}', values: '-432000x10'}
              - {series: 'platformops_certificate_not_after_seconds{environment="production", region="us-east-1", certificate="ends", owner="ours", instance="a"}', values: '3600x10'}
              - {series: 'platformops_certificate_due_seconds{environment="production", region="us-east-1", certificate="ends", owner="ours", instance="a"}', values: '432000x10'}
            promql_expr_test:
              - expr: 'ALERTS{alertname="CertificateEndsSoon", alertstate="firing"}'
                eval_time: 8m
                exp_samples:
                  - {labels: 'ALERTS{alertname="CertificateEndsSoon", alertstate="firing", category="security_breach", certificate="late", environment="production", owner="ours", region="us-east-1", severity="warning"}', value: 1}
                  - {labels: 'ALERTS{alertname="CertificateEndsSoon", alertstate="firing", category="security_breach", certificate="synthetic", environment="production", owner="certManager", region="us-east-1", severity="warning"}', value: 1}
              - expr: 'ALERTS{alertname="CertificateEnds", alertstate="firing"}'
                eval_time: 8m
                exp_samples:
                  - {labels: 'ALERTS{alertname="CertificateEnds", alertstate="firing", category="security_breach", certificate="ends", environment="production", owner="ours", region="us-east-1", severity="critical"}', value: 1}
        """;

    /// <summary>One endpoint is refused, one was until the other worker looked later, and one map of authorities lacks one.</summary>
    private const string Problems = """
        rule_files: [rules.yaml]
        evaluation_interval: 1m
        tests:
          - interval: 1m
            input_series:
              - {series: 'platformops_certificate_problem_seconds{environment="production", region="us-east-1", certificate="endpoint/a", owner="external", problem="noHandshake", instance="a"}', values: '600x20'}
              - {series: 'platformops_certificate_looked_seconds{environment="production", region="us-east-1", certificate="endpoint/a", owner="external", instance="a"}', values: '600x20'}
              - {series: 'platformops_certificate_looked_seconds{environment="production", region="us-east-1", certificate="endpoint/a", owner="external", instance="b"}', values: '300x20'}
              - {series: 'platformops_certificate_problem_seconds{environment="production", region="us-east-1", certificate="endpoint/b", owner="external", problem="untrusted", instance="a"}', values: '600x20'}
              - {series: 'platformops_certificate_looked_seconds{environment="production", region="us-east-1", certificate="endpoint/b", owner="external", instance="a"}', values: '600x20'}
              - {series: 'platformops_certificate_looked_seconds{environment="production", region="us-east-1", certificate="endpoint/b", owner="external", instance="b"}', values: '900x20'}
              - {series: 'platformops_certificate_problem_seconds{environment="production", region="us-east-1", certificate="ConfigMap/c", owner="external", problem="authorityMissing", instance="a"}', values: '600x20'}
              - {series: 'platformops_certificate_looked_seconds{environment="production", region="us-east-1", certificate="ConfigMap/c", owner="external", instance="a"}', values: '600x20'}
            promql_expr_test:
              - expr: 'ALERTS{alertname=~"EndpointNotAccepted|AuthorityNotTrusted", alertstate="firing"}'
                eval_time: 17m
                exp_samples:
                  - {labels: 'ALERTS{alertname="EndpointNotAccepted", alertstate="firing", category="security_breach", certificate="endpoint/a", environment="production", problem="noHandshake", region="us-east-1", severity="critical"}', value: 1}
                  - {labels: 'ALERTS{alertname="AuthorityNotTrusted", alertstate="firing", category="security_breach", certificate="ConfigMap/c", environment="production", problem="authorityMissing", region="us-east-1", severity="critical"}', value: 1}
        """;

    /// <summary>Of an hour 20 minutes are left at one worker; the other one was renewed; the third has none.</summary>
    private const string Leases = """
        rule_files: [rules.yaml]
        evaluation_interval: 1m
        tests:
          - interval: 1m
            input_series:
              - {series: 'platformops_lease_ends_seconds{region="us-east-1", kind="login", role="platformops", instance="a"}', values: '1500x6'}
              - {series: 'platformops_lease_life_seconds{region="us-east-1", kind="login", role="platformops", instance="a"}', values: '3600x6'}
              - {series: 'platformops_lease_ends_seconds{region="us-east-1", kind="login", role="platformops", instance="b"}', values: '3600x6'}
              - {series: 'platformops_lease_life_seconds{region="us-east-1", kind="login", role="platformops", instance="b"}', values: '3600x6'}
              - {series: 'platformops_lease_ends_seconds{region="us-east-1", kind="token", role="approle", instance="c"}', values: '0x6'}
              - {series: 'platformops_lease_life_seconds{region="us-east-1", kind="token", role="approle", instance="c"}', values: '1x6'}
            promql_expr_test:
              - expr: 'ALERTS{alertname="LeaseNotRenewed", alertstate="firing"}'
                eval_time: 5m
                exp_samples:
                  - {labels: 'ALERTS{alertname="LeaseNotRenewed", alertstate="firing", category="security_breach", instance="a", kind="login", region="us-east-1", role="platformops", severity="critical"}', value: 1}
                  - {labels: 'ALERTS{alertname="LeaseNotRenewed", alertstate="firing", category="security_breach", instance="c", kind="token", region="us-east-1", role="approle", severity="critical"}', value: 1}
        """;

    /// <summary>One run waits, one has gone on, and one waits again; the other worker saw less.</summary>
    private const string Parked = """
        rule_files: [rules.yaml]
        evaluation_interval: 1m
        tests:
          - interval: 1m
            input_series:
              - {series: 'platformops_runbook_phase_seconds{phase="parked", run="certificates/a", workflow_type="RotateCertificateAuthority", instance="a"}', values: '60x10'}
              - {series: 'platformops_runbook_phase_seconds{phase="parked", run="certificates/b", workflow_type="RotateCertificate", instance="a"}', values: '60x10'}
              - {series: 'platformops_runbook_phase_seconds{phase="acting", run="certificates/b", workflow_type="RotateCertificate", instance="b"}', values: '120x10'}
              - {series: 'platformops_runbook_phase_seconds{phase="parked", run="certificates/c", workflow_type="RotateCertificate", instance="a"}', values: '60x10'}
              - {series: 'platformops_runbook_phase_seconds{phase="parked", run="certificates/c", workflow_type="RotateCertificate", instance="b"}', values: '180x10'}
              - {series: 'platformops_runbook_phase_seconds{phase="acting", run="certificates/c", workflow_type="RotateCertificate", instance="a"}', values: '120x10'}
            promql_expr_test:
              - expr: 'ALERTS{alertname="RunbookParked", alertstate="firing"}'
                eval_time: 5m
                exp_samples:
                  - {labels: 'ALERTS{alertname="RunbookParked", alertstate="firing", category="configuration_drift", run="certificates/a", severity="warning", workflow_type="RotateCertificateAuthority"}', value: 1}
                  - {labels: 'ALERTS{alertname="RunbookParked", alertstate="firing", category="configuration_drift", run="certificates/c", severity="warning", workflow_type="RotateCertificate"}', value: 1}
        """;

    [Fact]
    public Task A_certificate_of_ten_days_that_nobody_is_about_to_renew_raises_the_alert() => JudgesAsync("certificates", Test);

    [Fact]
    public Task What_clients_refuse_raises_the_alert_until_a_later_look_finds_nothing() => JudgesAsync("certificates", Problems);

    [Fact]
    public Task A_lease_that_is_not_renewed_in_its_second_half_raises_the_alert_before_it_is_gone() => JudgesAsync("leases", Leases);

    [Fact]
    public Task A_run_that_waits_for_an_operator_raises_the_alert_until_it_goes_on() => JudgesAsync("runbooks", Parked);

    private static async Task JudgesAsync(string rules, string test)
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        var folder = Directory.CreateTempSubdirectory("platformops-rules-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "rules.yaml"), Tools.Rules(rules), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "test.yaml"), test, TestContext.Current.CancellationToken);
        await Tools.RunAsync("promtool", "", "check", "rules", Path.Combine(folder, "rules.yaml"));
        await Tools.RunAsync("promtool", "", "test", "rules", Path.Combine(folder, "test.yaml"));
        Directory.Delete(folder, recursive: true);
    }
}
