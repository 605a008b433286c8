using k8s;
using PlatformOps.Activities;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Sandbox;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Specifications;
using PlatformOps.Starter.Up;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary><c>UpgradeComponent</c> as a worker carries it out, on two regions with a cluster each.</summary>
public sealed class TwoRegionUpgradeTests : IDisposable
{
    private const string Primary = "us-east-1", Canary = "us-west-2", Environment = "pair", Component = "web";

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-upgrade-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Upgrades_the_canary_region_first_and_returns_both_when_the_other_one_does_not_do_well()
    {
        Write();
        var locations = Locations.From(Path.Combine(folder, "data"), Path.Combine(folder, "specification"), Path.Combine(folder, "catalog"));
        using var data = DataDirectory.Take(locations.Data);
        await using var stack = await UpStack.StartAsync(
            new UpOptions(Environment, Port: 0, PortIsWish: false, TimeScale: 0, Seed: 1, Worker: false, Once: true, Approve: false, Reset: false),
            Validation.Of(locations).Specification!, data, locations, verbose: false, Ct);
        await using var activities = new ProvisioningActivities(new(locations.Specification, locations.Catalog), PlatformConnections.Load(data.Connections));
        using var worker = new TemporalWorker(stack.Client, WorkerRegistration.CreateWorkerOptions(activities));
        await worker.ExecuteAsync(
            async () =>
            {
                var provisioned = await stack.Client.ExecuteWorkflowAsync(
                    (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = Environment }), new(ProvisionEnvironment.WorkflowId(Environment), TaskQueues.Default));
                Assert.Equal(ProvisioningOutcome.Healthy, provisioned.Outcome);

                Specify("2");
                var upgraded = await UpgradeAsync(stack.Client, "2");
                Assert.Equal((UpgradeOutcome.Upgraded, "web runs what is specified and is healthy in 2 regions."), (upgraded.Outcome, upgraded.Summary));
                Assert.Equal([$"{Component}@{Canary}", $"{Component}@{Primary}"], upgraded.Steps.Select(step => step.Name));
                Assert.True(upgraded.Steps[1].StartedAt >= upgraded.Steps[0].FinishedAt);
                Assert.Equal(("registry.example.com/web:2", "registry.example.com/web:2"), (await ImageAsync(Primary), await ImageAsync(Canary)));

                Specify("3");
                stack.Regions.Single(region => region.Name == Primary).Misbehave(new("shop", Component, MisbehaviourKind.ImagePull));
                var returned = await UpgradeAsync(stack.Client, "3");
                Assert.Equal(UpgradeOutcome.Returned, returned.Outcome);
                Assert.StartsWith($"{Component}@{Primary} did not do well: ", returned.Summary, StringComparison.Ordinal);
                Assert.EndsWith("What was applied before is applied again in every region that was begun, and it is healthy there.", returned.Summary, StringComparison.Ordinal);
                Assert.All(returned.Steps, step => Assert.Contains("gates passed", step.Detail, StringComparison.Ordinal));
                Assert.Equal(("registry.example.com/web:2", "registry.example.com/web:2"), (await ImageAsync(Primary), await ImageAsync(Canary)));
            },
            Ct);
    }

    private static Task<UpgradeReport> UpgradeAsync(ITemporalClient client, string version) => client.ExecuteWorkflowAsync(
        (UpgradeComponent workflow) => workflow.RunAsync(new UpgradeComponentInput { Environment = Environment, Component = Component, Version = version, HealthyWithin = "2m" }),
        new(UpgradeComponent.WorkflowId(Environment, Component), TaskQueues.Default));

    private async Task<string> ImageAsync(string region)
    {
        using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(folder, "data", $"{region}.kubeconfig")));
        return (await client.AppsV1.ReadNamespacedDeploymentAsync(Component, "shop", cancellationToken: Ct)).Spec.Template.Spec.Containers.Single().Image;
    }

    private void Specify(string version) => Write("specification/environments/pair.yaml", $$"""
        apiVersion: platformops.io/v1
        kind: Environment
        name: pair
        regions: { {{Primary}}: {role: primary}, {{Canary}}: {role: secondary} }
        guardRails: {approvals: 0, maxParallel: 4, mayDestroy: true}
        components: {web: {version: "{{version}}"} }
        """);

    private void Write()
    {
        Specify("1");
        Write("specification/platform.yaml", """
            apiVersion: platformops.io/v1
            kind: Platform
            name: shop
            nodes: {all: {count: 1, profile: balanced} }
            clusterSize: 1
            database: single
            monitoring: basic
            security: development-tls
            namespaces: {shop: {purpose: Tests, networkPolicy: cluster-wide-access, resourceClass: minimal} }
            components: {web: {} }
            performance: {workflowStartsPerSecond: 1, activityExecutionsPerSecond: 1, concurrentWorkflows: 1}
            failover: {database: off, fullStack: off, rto: 1h, rpo: 1h}
            """);
        Write("catalog/web/component.yaml", """
            name: web
            summary: An application.
            plane: test
            namespace: shop
            parameters: {version: {type: string, default: "1", summary: Its version.} }
            health: [{rollout: {kind: Deployment, name: web} }]
            manifests: [objects.yaml]
            """);
        Write("catalog/web/objects.yaml", """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              replicas: 2
              selector: {matchLabels: {app.kubernetes.io/name: web}}
              template:
                metadata: {labels: {app.kubernetes.io/name: web}}
                spec: {containers: [{name: web, image: "registry.example.com/web:${version}"}]}
            """);
    }

    private void Write(string path, string text)
    {
        var file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
