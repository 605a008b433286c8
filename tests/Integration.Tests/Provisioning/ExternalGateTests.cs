using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Sandbox.External;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>The gate that reads external services.</summary>
public sealed class ExternalGateTests(SandboxCluster cluster)
{
    private const string Project = """{"path_with_namespace": "platform/temporal", "visibility": "private", "default_branch": "main"}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Passes_when_everything_is_as_declared() =>
        Assert.Contains("1 objects of external services are as declared", (await AwaitAsync(Project, TimeSpan.FromMinutes(2))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Names_the_field_that_is_not_as_declared_with_both_values()
    {
        var failure = await Assert.ThrowsAsync<Temporalio.Exceptions.ApplicationFailureException>(() => AwaitAsync(Project.Replace("private", "public"), TimeSpan.Zero));

        Assert.Equal(FailureTypes.Unhealthy, failure.ErrorType);
        Assert.Contains("GitLabProject platform: spec.visibility is public, and declared as private", failure.Message, StringComparison.Ordinal);
    }

    /// <param name="live">What GitLab has.</param>
    private async Task<ComponentHealth> AwaitAsync(string live, TimeSpan within)
    {
        await using var services = await ExternalStandIn.StartAsync(ct: Ct);
        services.Put("GitLabProject", (JsonObject)JsonNode.Parse(live)!);
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: Where the sources are.
            plane: outside
            namespace: {{platform.Space}}
            delivery: external
            dependsOn: [ground]
            health:
              - external: {}
            manifests: [project.yaml]
            """);
        platform.Write("catalog/app/project.yaml", $$"""
            apiVersion: external.platformops.io/v1
            kind: GitLabProject
            metadata: {name: platform}
            spec: {{Project}}
            """);
        foreach (var file in (string[])["extra", "web", "settings"])
            platform.Remove($"catalog/app/{file}.yaml");
        var token = Path.Combine(cluster.Folder, $"{platform.Suffix}.token");
        await File.WriteAllTextAsync(token, services.Token, Ct);
        var activities = platform.ActivitiesWith(
            cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token),
            external: new Dictionary<string, ExternalAccess> { ["gitlab"] = new(services.Address("gitlab").AbsoluteUri, token) });
        var plan = (await platform.PlanAsync(activities)).Plan;
        return await platform.RunAsync(() => activities.AwaitHealthAsync(new(platform.Reference(plan, "app"), within)));
    }
}
