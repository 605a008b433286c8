using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Starter.Demos;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>Which certificates there are, as a plan tells and as metrics.</summary>
public sealed class InventoryTests(SandboxCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tells_of_ours_of_the_authorities_and_of_what_webhooks_are_trusted_by_and_gives_each_as_a_metric()
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{LocalPorts.Take()}");
        // Somebody else's server, whose certificate ends in a week.
        await using var gitlab = await TlsServer.StartAsync("localhost", TimeSpan.FromDays(7.5));
        var trusted = Path.Combine(cluster.Folder, "gitlab.pem");
        await File.WriteAllTextAsync(trusted, gitlab.Pem, Ct);
        await using var world = await CertificateWorld.StartAsync(
            cluster, metrics: address, external: new Dictionary<string, ExternalAccess> { ["gitlab"] = new($"https://localhost:{gitlab.Port}", CertificateAuthority: trusted), ["artifactory"] = new($"https://localhost:{gitlab.Port}/artifactory"), ["gravitee"] = new("https://localhost:1"), ["edge"] = new($"https://localhost:{gitlab.Port}") }, more: platform =>
            {
                platform.Write("catalog/app/outside.yaml", string.Join("---\n", new[] { "GitLabProject", "ArtifactoryRepository", "GraviteeApi" }.Select(kind => $$"""
                    apiVersion: external.platformops.io/v1
                    kind: {{kind}}
                    metadata: {name: outside}
                    spec: {key: outside}

                    """)));
                platform.Write("catalog/app/component.yaml", platform.Read("catalog/app/component.yaml").Replace("web.yaml]", "web.yaml, outside.yaml]", StringComparison.Ordinal));
            });
        world.Platform.Write("catalog/app/dns.yaml", """
            apiVersion: cloudflare.platformops.io/v1
            kind: DnsRecord
            metadata: {name: www}
            spec: {zone: shop.test, name: www.shop.test, type: CNAME, content: origin.shop.test}
            """);
        world.Platform.Write("catalog/app/component.yaml", world.Platform.Read("catalog/app/component.yaml").Replace("outside.yaml]", "outside.yaml, dns.yaml]", StringComparison.Ordinal));
        var hook = $"hook-{world.Platform.Suffix}";
        var root = (await world.Pki.IssuerAsync("first", Ct)).Pem;
        await world.Kubectl.CreateAsync("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", $$"""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"{{hook}}"},
             "webhooks":[{"name":"a.shop.test","sideEffects":"None","admissionReviewVersions":["v1"],"clientConfig":{"url":"https://127.0.0.1:1/","caBundle":"{{CertificateWorld.Encoded(root)}}"} }]}
            """);

        var plan = await world.Client.ExecuteWorkflowAsync(
            (RotateCertificates workflow) => workflow.RunAsync(new RotateCertificatesInput { Environment = world.Platform.Environment, Mode = RunbookMode.Plan }), new($"plan/{Guid.NewGuid():N}", TaskQueues.Default));
        await world.Kubectl.DeleteAsync($"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{hook}");

        var ours = plan.Found.Single(found => found.Owner == FoundOwner.Ours);
        Assert.Equal(("shop", $"Secret {world.Platform.Space}/shop-tls", false), (ours.Certificate.Name, ours.Where, ours.Due));
        Assert.InRange(ours.DueAt!.Value, ours.NotAfter!.Value.AddDays(-4), ours.NotAfter.Value.AddDays(-2));
        var authority = plan.Found.Single(found => found.Owner == FoundOwner.Vault);
        Assert.Equal(("internal/first", "issuer first of pki"), (authority.Certificate.Name, authority.Where));
        Assert.Equal(authority.NotAfter, plan.Found.Single(found => found.Certificate.Name == $"ValidatingWebhookConfiguration/{hook}").NotAfter);
        Assert.Equal(plan.Found.Count, plan.Total);
        var outside = plan.Found.Where(found => found.Certificate.Name.StartsWith("endpoint/", StringComparison.Ordinal)).ToDictionary(found => found.Where.Split(' ')[0]);
        Assert.Equal(gitlab.NotAfter, outside["GitLab"].NotAfter);
        Assert.Equal("Whoever operates localhost has to renew it.", outside["GitLab"].Next);
        // The same one, where nobody says that its authority is trusted.
        Assert.StartsWith("The certificate does not lead to an authority that clients trust (", outside["Artifactory"].Next, StringComparison.Ordinal);
        // What the platform's own names show to the world.
        Assert.StartsWith("The certificate is not for www.shop.test", plan.Found.Single(found => found.Certificate.Name == "edge/www.shop.test").Next, StringComparison.Ordinal);
        Assert.Null(outside["Gravitee"].NotAfter);
        Assert.Contains("localhost:1 made no handshake", outside["Gravitee"].Next, StringComparison.Ordinal);

        using var http = new HttpClient();
        var metrics = (await http.GetStringAsync(new Uri($"http://{address}/metrics"), Ct)).Split('\n');
        foreach (var found in plan.Found.Where(found => found.NotAfter is not null))
        {
            var line = metrics.Single(line => line.StartsWith("platformops_certificate_not_after_seconds{", StringComparison.Ordinal) && line.Contains($"certificate=\"{found.Certificate.Name}\"", StringComparison.Ordinal));
            Assert.EndsWith(string.Create(CultureInfo.InvariantCulture, $" {found.NotAfter!.Value.ToUnixTimeSeconds()}"), line, StringComparison.Ordinal);
        }

        Assert.Equal(3, metrics.Count(line => line.StartsWith("platformops_certificate_looked_seconds{", StringComparison.Ordinal)));
        var problems = metrics.Where(line => line.StartsWith("platformops_certificate_problem_seconds{", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, problems.Count);
        foreach (var (certificate, problem) in (IEnumerable<(string, string)>)[("edge/www.shop.test", "wrongName"), ("endpoint/localhost:1", "noHandshake"), (outside["Artifactory"].Certificate.Name, "untrusted")])
            Assert.Single(problems, line => line.Contains($"certificate=\"{certificate}\"", StringComparison.Ordinal) && line.Contains($"problem=\"{problem}\"", StringComparison.Ordinal));
        Assert.Single(metrics, line => line.StartsWith("platformops_certificate_due_seconds{", StringComparison.Ordinal) && line.Contains("owner=\"ours\"", StringComparison.Ordinal));
    }
}
