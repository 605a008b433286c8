using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Workflows.Certificates;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>The API server itself is a client of the authority: it asks an admission webhook about every object, and refuses the object when it does not believe who answers.</summary>
public sealed class WebhookAuthorityTests(RealApiServer cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_refused_while_the_authority_of_an_admission_webhook_is_replaced_and_one_of_the_old_authority_is_believed_no_more()
    {
        PodPlayer? kubelet = null;
        await using var world = await CertificateWorld.StartAsync(cluster, replicas: 1, more: platform =>
        {
            kubelet = new(cluster, platform.Space, _ => PodFate.Ready, "127.98.0");
            Declare(platform);
        });
        await using var pods = kubelet!;
        world.Pods.Reloading["policies"] = true;
        Assert.Equal(CertificateOutcome.Rotated, (await (await world.BeginAsync(settle: "1s", certificate: "policies")).GetResultAsync()).Outcome);
        await using var webhook = await AdmissionWebhook.StartAsync(world);
        using var old = await SignedAsync(world);
        var before = await webhook.TrustedAsync();
        // Servers learn of a webhook a moment after it is declared.
        await Wait.UntilAsync(async () => { await AskAsync(world); return webhook.Asked > 0; }, () => "The API server does not ask.");

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var refused = new ConcurrentQueue<string>();
        var asking = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (await AskAsync(world) is { } why)
                    refused.Enqueue(why);
            }
        }, Ct);
        var report = await (await world.BeginAuthorityAsync(proveWithin: "4m")).GetResultAsync().WaitAsync(Patience, Ct);
        var asked = webhook.Asked;
        await Wait.UntilAsync(() => webhook.Asked > asked + 5, () => $"asked {webhook.Asked} times, {refused.Count} refused: {refused.FirstOrDefault()}");
        await stop.CancelAsync();
        await asking;

        Assert.Equal(AuthorityOutcome.Rotated, report.Outcome);
        Assert.Empty(refused);
        Assert.True(webhook.Asked > 50, $"asked {webhook.Asked} times");
        var trusted = Assert.Single(ReadLeaf.Bundle(await webhook.TrustedAsync())).Key;
        Assert.DoesNotContain(trusted, ReadLeaf.Bundle(before).Keys);

        webhook.Instead = old;
        await Wait.UntilAsync(async () => (await AskAsync(world))?.Contains("x509", StringComparison.Ordinal) == true, () => "A certificate of the old authority is still believed.");
    }

    /// <summary>Has the API server ask about an object that is not kept.</summary>
    /// <returns>Why it was refused; null: it was not.</returns>
    private static async Task<string?> AskAsync(CertificateWorld world)
    {
        try
        {
            await world.Kubectl.CreateAsync($"/api/v1/namespaces/{world.Platform.Space}/configmaps?dryRun=All", $$"""
                {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"asked","labels":{"admitted":"{{world.Platform.Suffix}}"} } }
                """);
            return null;
        }
        catch (Xunit.Sdk.XunitException failure)
        {
            return failure.Message;
        }
    }

    private static async Task<X509Certificate2> SignedAsync(CertificateWorld world)
    {
        using var request = new LeafRequest([CertificateWorld.ServerName, "localhost"]);
        using var leaf = ReadLeaf.Of((await world.Pki.SignAsync("shop", request.Pem, TimeSpan.FromHours(1), Ct, "first")).Pem)!;
        return leaf.WithKey(request.Key)!;
    }

    private static void Declare(TestPlatform platform)
    {
        platform.Write("specification/platform.yaml", platform.PlatformOf("{ground: {}, vault: {}, app: {}, policies: {} }"));
        platform.Write("catalog/vault/component.yaml", $$"""
            name: vault
            summary: Signs the certificates.
            plane: security
            namespace: {{platform.Space}}
            dependsOn: [ground]
            health: [ {vault: {service: vault, tls: false} } ]
            certificateAuthorities: [ {name: internal, perMinute: 600, commonName: Shop root, webhooks: [ValidatingWebhookConfiguration/{{AdmissionWebhook.Configuration(platform.Suffix)}}] } ]
            manifests: [settings.yaml]
            """);
        platform.Write("catalog/policies/component.yaml", $$"""
            name: policies
            summary: What the API server asks about every object.
            plane: security
            namespace: {{platform.Space}}
            dependsOn: [vault]
            health: [ {rollout: {kind: Deployment, name: policies} } ]
            certificates:
              - {name: policies, authority: internal, role: shop, secret: {{AdmissionWebhook.SecretName}}, dnsNames: [{{CertificateWorld.ServerName}}, localhost], lifetime: 7d, port: {{CertificateWorld.Port}}, settle: 1s, reloads: [Deployment/policies]}
            manifests: [workloads.yaml]
            """);
        platform.Write("catalog/policies/workloads.yaml", $$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: policies}
            spec:
              replicas: 1
              selector: {matchLabels: {app.kubernetes.io/name: policies} }
              template:
                metadata: {labels: {app.kubernetes.io/name: policies} }
                spec:
                  containers:
                    - name: policies
                      image: registry.example.com/policies:1
                      volumeMounts: [ {name: tls, mountPath: /tls} ]
                      resources: {requests: {cpu: 10m, memory: 64Mi} }
                  volumes: [ {name: tls, secret: {secretName: {{AdmissionWebhook.SecretName}} } } ]
            """);
    }
}
