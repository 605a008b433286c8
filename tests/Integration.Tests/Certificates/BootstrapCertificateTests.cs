using PlatformOps.Adapters.Certificates;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>The bootstrap cluster rotates its own certificates: the runs go on at the server whose certificate is replaced, carried out by workers that are killed for the sake of theirs.</summary>
public sealed class BootstrapCertificateTests(SandboxCluster cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_that_runs_it_and_the_worker_that_carries_it_out_get_new_certificates_and_a_new_root_and_the_same_runs_complete()
    {
        await using var world = await CertificateWorld.StartAsync(cluster, replicas: 1, more: platform => Declare(platform));
        await using var pods = new BootstrapPods(world);
        // Their first ones come from the cluster that bootstraps this one.
        Assert.Equal(CertificateOutcome.Rotated, (await (await world.BeginAsync(settle: "1s", certificate: "worker")).GetResultAsync().WaitAsync(Patience, Ct)).Outcome);
        Assert.Equal(CertificateOutcome.Rotated, (await (await world.BeginAsync(settle: "1s", certificate: "bootstrap")).GetResultAsync().WaitAsync(Patience, Ct)).Outcome);
        var client = await pods.ConnectAsync();
        await Wait.UntilAsync(() => !pods.Started.IsEmpty, () => "no worker");
        var (first, begun) = ((await pods.MountedAsync(BootstrapPods.ServerSecret))!.Value, pods.Started.Count);

        var served = await ResultAsync(await world.BeginAsync(settle: "1s", certificate: "bootstrap", client: client));
        Assert.Equal(CertificateOutcome.Rotated, served.Outcome);
        Assert.Equal(served.Fingerprint, (await TlsHandshake.AskAsync(pods.Address!, BootstrapPods.Port, BootstrapPods.ServerName, null, Ct)).Fingerprint);
        Assert.Equal(begun, pods.Started.Count);

        Assert.Equal(CertificateOutcome.Rotated, (await ResultAsync(await world.BeginAsync(settle: "1s", certificate: "worker", client: client))).Outcome);
        Assert.True(pods.Started.Count > begun, "The worker that carried the run out was not replaced in the middle of it.");

        (begun, pods.Kills) = (pods.Started.Count, false);
        using var old = BootstrapPods.Identity((first.Certificate, first.Key));
        Assert.True((await TrustProbe.AskAsync(pods.Address!, BootstrapPods.Port, BootstrapPods.ServerName, old, Ct)).Accepts);
        var authority = await ResultAsync(await world.BeginAuthorityAsync(proveWithin: "4m", client: client));
        Assert.Equal(AuthorityOutcome.Rotated, authority.Outcome);
        Assert.True(pods.Started.Count > begun);
        Assert.False((await TrustProbe.AskAsync(pods.Address!, BootstrapPods.Port, BootstrapPods.ServerName, old, Ct)).Accepts);

        // Whoever comes with what is published now gets in, and every run completed: two by hand, the authority's, and those of its three certificates.
        client = await pods.ConnectAsync();
        Assert.Equal(6, (await client.CountWorkflowsAsync("ExecutionStatus = 'Completed'")).Count);
        Assert.Equal(6, (await client.CountWorkflowsAsync("")).Count);
        await world.NoKeyIsSpokenAsync([.. pods.Keys.Keys], client: client);

        async Task<T> ResultAsync<TWorkflow, T>(WorkflowHandle<TWorkflow, T> run)
        {
            try
            {
                return await run.GetResultAsync().WaitAsync(Patience, Ct);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"{(await run.QueryAsync<RunbookStatus>("status", [])).Summary}\n{string.Join(", ", pods.Started)}\n{pods.Written}");
            }
        }
    }

    private static void Declare(TestPlatform platform)
    {
        platform.Write("specification/platform.yaml", platform.PlatformOf("{ground: {}, vault: {}, app: {}, bootstrap: {} }"));
        platform.Write("catalog/bootstrap/component.yaml", $$"""
            name: bootstrap
            summary: The bootstrap cluster and its workers.
            plane: infrastructure
            namespace: {{platform.Space}}
            dependsOn: [vault]
            health: [ {rollout: {kind: Deployment, name: temporal} } ]
            certificates:
              - {name: bootstrap, authority: internal, role: shop, secret: {{BootstrapPods.ServerSecret}}, dnsNames: [{{BootstrapPods.ServerName}}], lifetime: 7d, port: {{BootstrapPods.Port}}, mutual: true, settle: 1s, reloads: [Deployment/temporal] }
              - {name: worker, authority: internal, role: shop, secret: {{BootstrapPods.WorkerSecret}}, dnsNames: [worker.test], lifetime: 7d, settle: 1s, clients: [Deployment/platformops-worker] }
            manifests: [workloads.yaml]
            """);
        platform.Write("catalog/bootstrap/workloads.yaml", string.Join("\n---\n", new[] { ("temporal", BootstrapPods.ServerSecret), ("platformops-worker", BootstrapPods.WorkerSecret) }.Select(workload => $$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: {{workload.Item1}}}
            spec:
              replicas: 1
              selector: {matchLabels: {app.kubernetes.io/name: {{workload.Item1}} } }
              template:
                metadata: {labels: {app.kubernetes.io/name: {{workload.Item1}} } }
                spec:
                  containers:
                    - name: c
                      image: registry.example.com/{{workload.Item1}}:1
                      volumeMounts: [ {name: tls, mountPath: /tls} ]
                      resources: {requests: {cpu: 10m, memory: 64Mi} }
                  volumes: [ {name: tls, secret: {secretName: {{workload.Item2}} } } ]
            """)));
    }
}
