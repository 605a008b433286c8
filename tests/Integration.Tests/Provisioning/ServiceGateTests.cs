using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Sandbox.External;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>The gates that ask Elasticsearch and Prometheus themselves.</summary>
public sealed class ServiceGateTests(SandboxCluster cluster)
{
    private const string Elasticsearch = "elasticsearch: {service: elasticsearch, tls: false}", Prometheus = "prometheus: {service: prometheus, minimum: 2}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Elasticsearch, "ElasticsearchCluster", """{"status": "yellow", "unassigned_shards": 4}""", "is yellow (3 nodes, 4 shards without their copy)")]
    [InlineData(Prometheus, "PrometheusTarget", """{"health": "up"}""", "2 of 2 targets are up")]
    public async Task Passes_when_it_can_be_worked_with(string gate, string kind, string state, string message)
    {
        await using var services = await ExternalStandIn.StartAsync(ct: Ct);
        services.Put(kind, (JsonObject)JsonNode.Parse(state)!);
        services.Put(kind, (JsonObject)JsonNode.Parse(state)!);

        Assert.Contains(message, (await AwaitAsync(services, gate, TimeSpan.FromMinutes(2))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Elasticsearch, "ElasticsearchCluster", """{"status": "red", "unassigned_shards": 4}""", "is red: 4 shards cannot be read or written")]
    [InlineData(Prometheus, "PrometheusTarget", """{"health": "down", "scrapeUrl": "http://10.1.2.3/metrics", "lastError": "connection refused"}""", "Down: http://10.1.2.3/metrics (connection refused)")]
    public async Task Waits_until_the_deadline_and_says_why(string gate, string kind, string state, string message)
    {
        await using var services = await ExternalStandIn.StartAsync(ct: Ct);
        services.Put(kind, (JsonObject)JsonNode.Parse(state)!);

        var failure = await Assert.ThrowsAsync<Temporalio.Exceptions.ApplicationFailureException>(() => AwaitAsync(services, gate, TimeSpan.Zero));

        Assert.Equal(FailureTypes.Unhealthy, failure.ErrorType);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    private async Task<ComponentHealth> AwaitAsync(ExternalStandIn services, string gate, TimeSpan within)
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: Asks a system of the platform.
            plane: data
            namespace: {{platform.Space}}
            dependsOn: [ground]
            health:
              - {{gate}}
            manifests: [settings.yaml]
            """);
        platform.Write("catalog/app/settings.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {a: b}
            """);
        platform.Remove("catalog/app/extra.yaml");
        platform.Remove("catalog/app/web.yaml");
        var token = Path.Combine(cluster.Folder, $"{platform.Suffix}.token");
        await File.WriteAllTextAsync(token, services.Token, Ct);
        var activities = platform.ActivitiesWith(
            cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token),
            external: new Dictionary<string, ExternalAccess>
            {
                ["elasticsearch"] = new(services.Address("elasticsearch").AbsoluteUri, token, User: "elastic"),
                ["prometheus"] = new(services.Address("prometheus").AbsoluteUri),
            });
        var plan = (await platform.PlanAsync(activities)).Plan;
        return await platform.RunAsync(() => activities.AwaitHealthAsync(new(platform.Reference(plan, "app"), within)));
    }
}
