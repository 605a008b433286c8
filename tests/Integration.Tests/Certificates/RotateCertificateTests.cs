using PlatformOps.Adapters.Certificates;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary><c>RotateCertificate</c> as a worker carries it out: Vault signs, and every pod is a TLS server of its own.</summary>
public sealed class RotateCertificateTests(SandboxCluster cluster)
{
    [Fact]
    public async Task No_handshake_fails_while_a_certificate_is_rotated_and_the_old_one_is_revoked_afterwards()
    {
        await using var world = await CertificateWorld.StartAsync(cluster);
        var before = await world.SerialAsync();

        var report = await world.RotateAsync();
        Assert.Equal(CertificateOutcome.Rotated, report.Outcome);
        Assert.Equal(["Deployment/jobs", "Deployment/web"], report.Consumers.Select(consumer => consumer.Name));
        Assert.All(report.Consumers, consumer => Assert.Equal(2, consumer.Pods.Count));
        Assert.All(report.Consumers.SelectMany(consumer => consumer.Pods), pod => Assert.Equal(report.Fingerprint, pod.Fingerprint));
        Assert.NotEqual(before, await world.SerialAsync());
        Assert.True(await world.IsRevokedAsync(before));
        Assert.False(await world.IsRevokedAsync(await world.SerialAsync()));

        Assert.Equal(CertificateOutcome.Rotated, (await world.RotateAsync()).Outcome);
        Assert.Empty(world.Pods.Failures);
        Assert.True(world.Pods.Handshakes > 100);
        Assert.Equal(3, world.Pods.Keys.Count);
        await world.NoKeyIsSpokenAsync([.. world.Pods.Keys.Keys]);
    }

    [Fact]
    public async Task A_pod_that_refuses_to_reload_keeps_the_old_certificate_valid_and_is_named_until_it_serves_the_new_one()
    {
        await using var world = await CertificateWorld.StartAsync(cluster);
        var before = await world.SerialAsync();
        world.Pods.Refusing = world.Pods.Names.First(name => name.StartsWith("web-", StringComparison.Ordinal));

        var run = await world.BeginAsync(proveWithin: "10s");
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        var status = await run.QueryAsync(workflow => workflow.Status());
        Assert.Contains("Not proved within 10s", status.Summary, StringComparison.Ordinal);
        Assert.Contains(world.Pods.Refusing, status.Summary, StringComparison.Ordinal);
        Assert.Equal(StepState.Running, status.Steps.Single(step => step.Name == "prove").State);
        Assert.False(status.PointOfNoReturnPassed);
        Assert.False(await world.IsRevokedAsync(before));

        world.Pods.Refusing = null;
        await run.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput("prove")));
        Assert.Equal(CertificateOutcome.Rotated, (await run.GetResultAsync()).Outcome);
        Assert.True(await world.IsRevokedAsync(before));
        Assert.Empty(world.Pods.Failures);
    }

    [Fact]
    public async Task A_pod_that_the_catalog_does_not_know_stops_it_before_anything_is_issued()
    {
        await using var world = await CertificateWorld.StartAsync(cluster);
        var before = await world.SerialAsync();
        await world.Kubectl.CreateAsync($"/api/v1/namespaces/{world.Platform.Space}/pods", $$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"debug"},"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1m"} } }],"volumes":[{"name":"t","secret":{"secretName":"{{CertificateWorld.SecretName}}"} }]} }
            """);
        var run = await world.BeginAsync();
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        Assert.Contains("Pod/debug uses the certificate, and the catalog does not know it", (await run.QueryAsync(workflow => workflow.Status())).Summary, StringComparison.Ordinal);
        Assert.Equal(before, await world.SerialAsync());
        await run.ExecuteUpdateAsync(workflow => workflow.AbortAsync(new AbortInput("who is that?")));
        Assert.Equal(CertificateOutcome.Aborted, (await run.GetResultAsync()).Outcome);
        Assert.False(await world.IsRevokedAsync(before));
    }

    [Fact]
    public async Task A_restart_that_may_break_a_disruption_budget_does_not_begin_until_the_budget_allows_it()
    {
        await using var world = await CertificateWorld.StartAsync(cluster);
        var before = await world.SerialAsync();
        await world.Kubectl.MergeAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/deployments/jobs", """{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}""");
        var budgets = $"/apis/policy/v1/namespaces/{world.Platform.Space}/poddisruptionbudgets";
        await world.Kubectl.CreateAsync(budgets, """
            {"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"jobs"},"spec":{"maxUnavailable":1,"selector":{"matchExpressions":[{"key":"app.kubernetes.io/name","operator":"In","values":["jobs","others"]}]}}}
            """);

        var run = await world.BeginAsync();
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        Assert.Contains("may take 2 of its 2 pods away at once, and PodDisruptionBudget jobs allows 1", (await run.QueryAsync(workflow => workflow.Status())).Summary, StringComparison.Ordinal);
        Assert.False(await world.IsRevokedAsync(before));

        await world.Kubectl.DeleteAsync($"{budgets}/jobs");
        await run.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput("refresh")));
        Assert.Equal(CertificateOutcome.Rotated, (await run.GetResultAsync()).Outcome);
        Assert.True(await world.IsRevokedAsync(before));
    }

    /// <summary>As HAProxy, which reads its certificate when it starts: cert-manager renews and restarts nobody.</summary>
    [Fact]
    public async Task What_cert_manager_owns_is_never_written_and_who_keeps_what_it_has_replaced_is_noticed_restarted_and_proved()
    {
        await using var world = await CertificateWorld.StartAsync(cluster);
        await world.ChangeSecretAsync("""{"metadata":{"annotations":{"cert-manager.io/certificate-name":"shop"}}}""");
        Assert.Equal(CertificateOutcome.Proved, (await world.RotateAsync()).Outcome);
        Assert.Equal(RotateCertificatesOutcome.NothingDue, (await world.LookForDueAsync()).Outcome);

        using var request = new LeafRequest([CertificateWorld.ServerName]);
        var renewed = await world.Pki.SignAsync("shop", request.Pem, TimeSpan.FromDays(7), TestContext.Current.CancellationToken);
        await world.ChangeSecretAsync($$"""{"data":{"tls.crt":"{{CertificateWorld.Encoded(renewed.Pem)}}","tls.key":"{{CertificateWorld.Encoded(request.Key.Reveal())}}"} }""");
        var before = (string?)(await world.SecretAsync())!["metadata"]!["resourceVersion"];
        var due = await world.LookForDueAsync();
        Assert.Equal((RotateCertificatesOutcome.Rotated, 1), (due.Outcome, due.Rotated));
        var report = await world.RotateAsync();
        Assert.Equal(CertificateOutcome.Proved, report.Outcome);
        Assert.All(report.Consumers.SelectMany(consumer => consumer.Pods), pod => Assert.Equal(report.Fingerprint, pod.Fingerprint));
        Assert.Equal(before, (string?)(await world.SecretAsync())!["metadata"]!["resourceVersion"]);
        Assert.Equal(renewed.Serial, await world.SerialAsync());
        Assert.Equal(RotateCertificatesOutcome.NothingDue, (await world.LookForDueAsync()).Outcome);
    }

    /// <summary>As an ingress controller: no pod has the Secret as files.</summary>
    [Fact]
    public async Task Who_reads_a_certificate_through_the_API_is_asked_too_and_without_anybody_to_ask_nothing_is_proved()
    {
        const string Declared = "readBy: [Deployment/other, Deployment/ingress]";
        await using var world = await CertificateWorld.StartAsync(cluster, more: platform =>
        {
            platform.Write("catalog/app/ingress.yaml", """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: ingress}
                spec:
                  replicas: 2
                  selector: {matchLabels: {app.kubernetes.io/name: ingress} }
                  template:
                    metadata: {labels: {app.kubernetes.io/name: ingress} }
                    spec:
                      containers:
                        - name: ingress
                          image: registry.example.com/ingress:1
                          ports: [ {name: https, containerPort: 18444} ]
                          resources: {requests: {cpu: 10m, memory: 64Mi} }
                ---
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata: {name: edge}
                spec:
                  tls: [ {hosts: [edge.test], secretName: edge-tls} ]
                  defaultBackend: {service: {name: web, port: {number: 80} } }
                """);
            platform.Write("catalog/app/component.yaml", platform.Read("catalog/app/component.yaml").Replace("web.yaml]", "web.yaml, ingress.yaml]", StringComparison.Ordinal)
                .Replace("certificates:\n", $"certificates:\n  - {{name: edge, authority: internal, role: shop, secret: edge-tls, dnsNames: [edge.test], lifetime: 7d, port: 18444, settle: 1s, {Declared}}}\n", StringComparison.Ordinal));
        });
        for (var time = 0; time < 2; time++)
        {
            var report = await (await world.BeginAsync(certificate: "edge")).GetResultAsync();
            Assert.Equal(CertificateOutcome.Rotated, report.Outcome);
            Assert.Equal("Deployment/ingress", Assert.Single(report.Consumers).Name);
            Assert.Equal([report.Fingerprint, report.Fingerprint], report.Consumers[0].Pods.Select(pod => pod.Fingerprint));
        }

        world.Platform.Write("catalog/app/component.yaml", world.Platform.Read("catalog/app/component.yaml").Replace(Declared, "readBy: [Deployment/other]", StringComparison.Ordinal));
        var run = await world.BeginAsync(certificate: "edge", proveWithin: "1s");
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        Assert.Contains("None of Deployment/other is there to serve it", (await run.QueryAsync(workflow => workflow.Status())).Summary, StringComparison.Ordinal);
        await run.ExecuteUpdateAsync(workflow => workflow.AbortAsync(new AbortInput("seen")));
    }

    [Fact]
    public async Task Every_step_may_be_lost_before_and_after_its_effect_and_be_carried_out_again()
    {
        LosingCertificateActivities? losing = null;
        await using var world = await CertificateWorld.StartAsync(cluster, wrapped: inner => losing = new(inner));
        for (var rotation = 0; rotation < 2; rotation++)
        {
            var before = await world.SerialAsync();
            Assert.Equal(CertificateOutcome.Rotated, (await world.RotateAsync()).Outcome);
            Assert.True(await world.IsRevokedAsync(before));
        }

        Assert.Superset(new HashSet<CertificateStep> { CertificateStep.Issue, CertificateStep.Refresh, CertificateStep.Revoke }, losing!.Steps.ToHashSet());
        Assert.Empty(world.Pods.Failures);
        // A key was made again only where nothing was known to be issued.
        Assert.InRange(world.Pods.Keys.Count, 3, 4);
        await world.NoKeyIsSpokenAsync([.. world.Pods.Keys.Keys]);
    }

    private static Task UntilAsync(WorkflowHandle<RotateCertificate, RotateCertificateReport> run, Func<RunbookStatus, bool> wanted)
    {
        RunbookStatus? last = null;
        return Wait.UntilAsync(async () => wanted(last = await run.QueryAsync(workflow => workflow.Status())), () => $"{last?.Phase}: {last?.Summary}", TimeSpan.FromMinutes(2));
    }
}
