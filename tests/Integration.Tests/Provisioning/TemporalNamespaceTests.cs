using PlatformOps.Activities;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>The namespaces of the platform's own Temporal, played by a second instance of the bootstrap server.</summary>
public sealed class TemporalNamespaceTests(SandboxCluster cluster)
{
    private const string Gate = "temporalFrontend: {service: frontend, port: 7233}";

    [Fact]
    public async Task Registers_once_updates_what_differs_and_removes_what_it_created()
    {
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var platform = await PlatformAsync();
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address);
        Assert.Equal(PlannedAction.Create, Orders((await platform.PlanAsync(activities)).Plan).Action);

        var first = await ProvisionAsync(platform, activities, "op-1");
        Assert.Equal((ObjectResult.Created, "op-1"), (first.Result, first.OperationId));
        var registered = await DescribeAsync(temporal, "orders");
        Assert.Equal(("Orders", TimeSpan.FromDays(30), "platformops"), (registered.NamespaceInfo.Description, registered.Config.WorkflowExecutionRetentionTtl.ToTimeSpan(), registered.NamespaceInfo.Data[Ownership.ManagedByLabel]));

        var plan = (await platform.PlanAsync(activities)).Plan;
        Assert.Equal((PlannedAction.None, "As wanted."), (Orders(plan).Action, Orders(plan).Reason));
        Assert.Equal(first, await ProvisionAsync(platform, activities, "op-1"));

        platform.Write("catalog/app/settings.yaml", Namespace("7d"));
        Assert.Equal("spec.retention 720h -> 168h", Assert.Single(Orders((await platform.PlanAsync(activities)).Plan).Changes) is var change ? $"{change.Path} {change.From} -> {change.To}" : "");
        Assert.Equal(ObjectResult.Changed, (await ProvisionAsync(platform, activities, "op-2")).Result);
        Assert.Equal(TimeSpan.FromDays(7), (await DescribeAsync(temporal, "orders")).Config.WorkflowExecutionRetentionTtl.ToTimeSpan());

        var health = await platform.RunAsync(async () => await activities.AwaitHealthAsync(new(platform.Reference((await platform.PlanAsync(activities)).Plan, "app"), TimeSpan.FromMinutes(2))));
        Assert.Contains($"Temporal frontend {platform.Space}/frontend ({temporal.Address}, server 1.31.2) answers and shows 1 namespaces with their search attributes", health.Message, StringComparison.Ordinal);

        var removed = await platform.RunAsync(() => activities.RemoveCreatedAsync(new(platform.Environment, "op-1", "app", TestPlatform.Region)));
        Assert.Equal("orders", Assert.Single(removed.Objects).Name);
        Assert.Empty((await platform.RunAsync(() => activities.RemoveCreatedAsync(new(platform.Environment, "op-1", "app", TestPlatform.Region)))).Objects);
    }

    [Fact]
    public async Task Adds_search_attributes_that_are_missing_and_never_gives_one_another_type()
    {
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var platform = await PlatformAsync();
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address);
        platform.Write("catalog/app/settings.yaml", Namespace("30d", "{OrderStatus: Keyword}"));
        await ProvisionAsync(platform, activities, "op-1");
        Assert.Equal(PlannedAction.None, Orders((await platform.PlanAsync(activities)).Plan).Action);

        platform.Write("catalog/app/settings.yaml", Namespace("30d", "{OrderStatus: Keyword, OrderTotal: Double}"));
        Assert.Equal("spec.searchAttributes.OrderTotal", Assert.Single(Orders((await platform.PlanAsync(activities)).Plan).Changes).Path);
        await ProvisionAsync(platform, activities, "op-2");
        Assert.Equal(PlannedAction.None, Orders((await platform.PlanAsync(activities)).Plan).Action);

        platform.Write("catalog/app/settings.yaml", Namespace("30d", "{OrderStatus: Keyword}"));
        Assert.Equal("As wanted. Search attributes that are not declared stay, since executions may carry values of them: OrderTotal.", Orders((await platform.PlanAsync(activities)).Plan).Reason);

        platform.Write("catalog/app/settings.yaml", Namespace("30d", "{OrderStatus: Int}"));
        var failure = await platform.FailsAsync(FailureTypes.Rejected, () => ProvisionAsync(platform, activities, "op-3"));
        Assert.Contains("Search attribute OrderStatus of namespace orders is of type Keyword and cannot become Int", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_workflow_completes_and_leaves_nothing_behind()
    {
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var platform = await PlatformAsync();
        platform.Write("catalog/app/component.yaml", Component(platform, "canary: {service: frontend, temporalNamespace: orders}"));
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address);
        await ProvisionAsync(platform, activities, "op-1");

        var health = await platform.RunAsync(async () => await activities.AwaitHealthAsync(new(platform.Reference((await platform.PlanAsync(activities)).Plan, "app"), TimeSpan.FromMinutes(2))));

        Assert.Contains($"a canary workflow completed in namespace orders of {temporal.Address}", health.Message, StringComparison.Ordinal);
        Assert.Equal("orders", Assert.Single((await platform.RunAsync(() => activities.RemoveCreatedAsync(new(platform.Environment, "op-1", "app", TestPlatform.Region)))).Objects).Name);
    }

    [Fact]
    public async Task A_namespace_that_holds_executions_is_not_removed()
    {
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var platform = await PlatformAsync();
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address);
        await ProvisionAsync(platform, activities, "op-1");
        var client = await TemporalClient.ConnectAsync(new(temporal.Address) { Namespace = "orders" });
        await client.StartWorkflowAsync("Ship", [], new(id: "order-1", taskQueue: "orders"));

        var failure = await platform.FailsAsync(
            FailureTypes.NotRemoved, () => platform.RunAsync(() => activities.RemoveCreatedAsync(new(platform.Environment, "op-1", "app", TestPlatform.Region))));

        Assert.Contains("orders holds 1 workflow executions", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_namespace_of_somebody_else_is_a_conflict()
    {
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { Namespaces = ["default", "orders"] });
        await using var platform = await PlatformAsync();
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address);
        await ProvisionAsync(platform, activities, "op-1", onlyGround: true);

        Assert.Equal(PlannedAction.Conflict, Orders((await platform.PlanAsync(activities)).Plan).Action);
    }

    [Fact]
    public async Task An_unreachable_frontend_counts_as_absent_only_while_the_cluster_has_no_Service_for_it()
    {
        await using var platform = await PlatformAsync();
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), "127.0.0.1:1");
        var before = (await platform.PlanAsync(activities)).Plan;
        Assert.Equal(PlannedAction.Create, Orders(before).Action);
        await platform.ApplyAsync(before, "ground", activities: activities);

        var failure = await platform.FailsAsync(FailureTypes.Unavailable, () => platform.PlanAsync(activities));

        Assert.False(failure.NonRetryable);
        Assert.Contains("The Temporal frontend of us-east-1 (127.0.0.1:1) cannot be reached", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"Service {platform.Space}/frontend exists", failure.Message, StringComparison.Ordinal);
        Assert.NotEmpty((await platform.PlanAsync(activities, ["ground"])).Plan.Components);
        var health = await platform.FailsAsync(FailureTypes.Unhealthy, () => platform.RunAsync(() => activities.AwaitHealthAsync(new(platform.Reference(before, "app"), TimeSpan.FromSeconds(1)))));
        Assert.Contains("127.0.0.1:1", health.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_pod_of_the_frontend_is_asked_where_pods_can_be_reached()
    {
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var behind = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var platform = await PlatformAsync($$"""
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: {name: frontend}
            subsets: [{{Endpoint(temporal)}}, {{Endpoint(behind)}}]
            """);
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address, temporalPods: true);
        await ProvisionAsync(platform, activities, "op-1");
        var plan = (await platform.PlanAsync(activities)).Plan;
        Task<ComponentHealth> AwaitAsync(TimeSpan within) => platform.RunAsync(() => activities.AwaitHealthAsync(new(platform.Reference(plan, "app"), within)));

        var failure = await platform.FailsAsync(FailureTypes.Unhealthy, () => AwaitAsync(TimeSpan.Zero));
        Assert.Contains($"pod at ({behind.Address}, server 1.31.2) does not show the namespaces orders yet", failure.Message, StringComparison.Ordinal);

        var client = await TemporalClient.ConnectAsync(new(behind.Address));
        await client.Connection.WorkflowService.RegisterNamespaceAsync(new() { Namespace = "orders", WorkflowExecutionRetentionPeriod = new() { Seconds = 86400 } });
        Assert.Contains("shows 1 namespaces with their search attributes, on each of 2 pods", (await AwaitAsync(TimeSpan.FromMinutes(2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_left_of_a_component_that_was_switched_off_is_found_by_plan_and_decommission()
    {
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var platform = await PlatformAsync();
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address);
        await ProvisionAsync(platform, activities, "op-1");
        platform.Specify("{enabled: false}");

        var retired = (await platform.PlanAsync(activities)).Plan.Components.Single(component => component.Retired);
        Assert.Equal("orders", Assert.Single(retired.Objects).Address.Name);
        Assert.EndsWith("but kept: a TemporalNamespace is never removed by a plan.", retired.Objects[0].Reason, StringComparison.Ordinal);
        var removal = (await platform.RunAsync(() => activities.PlanEnvironmentAsync(new(platform.Environment, Purpose: PlanPurpose.Decommission, IncludeDataStores: true)))).Plan;
        Assert.Equal(PlannedAction.Prune, Orders(removal).Action);
        Assert.Null(removal.Notes);

        await temporal.DisposeAsync();
        var unseen = (await platform.PlanAsync(activities)).Plan;
        Assert.DoesNotContain(unseen.Components, component => component.Retired);
        Assert.Contains($"{ResourceAddress.TemporalApiVersion} of us-east-1 does not answer", Assert.Single(unseen.Notes!), StringComparison.Ordinal);
        Assert.Equal(unseen.Notes, (await platform.RunAsync(() => activities.PlanEnvironmentAsync(new(platform.Environment, Purpose: PlanPurpose.Decommission)))).Plan.Notes);
    }

    [Fact]
    public async Task What_depends_on_the_namespaces_is_not_begun_while_one_pod_of_the_frontend_does_not_know_them()
    {
        await using var bootstrap = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { SearchAttributes = BootstrapServers.SearchAttributes });
        await using var temporal = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var behind = await BootstrapServerHost.StartAsync(new BootstrapServerOptions());
        await using var platform = await PlatformAsync($$"""
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: {name: frontend}
            subsets: [{{Endpoint(temporal)}}, {{Endpoint(behind)}}]
            """);
        platform.Write("catalog/after/component.yaml", Component(platform).Replace("name: app", "name: after", StringComparison.Ordinal).Replace("[ground]", "[app]", StringComparison.Ordinal).Replace($"{{ {Gate}}}", "", StringComparison.Ordinal));
        platform.Write("catalog/after/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after}\n");
        platform.Write("specification/platform.yaml", platform.PlatformOf("{ground: {}, app: {}, after: {} }"));
        var activities = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), temporal.Address, temporalPods: true);
        var client = await TemporalTarget.Of(bootstrap.Address, "the test").ConnectAsync(TestContext.Current.CancellationToken);
        using var worker = new TemporalWorker(client, WorkerRegistration.CreateWorkerOptions(activities));
        await worker.ExecuteAsync(async () =>
        {
            var run = await client.StartWorkflowAsync(
                (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = platform.Environment }), new(ProvisionEnvironment.WorkflowId(platform.Environment), TaskQueues.Default));
            await UntilSaidAsync(client, $"provision/{platform.Environment}/app@us-east-1", $"pod at ({behind.Address}, server 1.31.2) does not show the namespaces orders yet");
            Assert.Equal(
                [("ground", StepState.Done), ("app", StepState.Running), ("after", StepState.Pending)],
                (await run.QueryAsync(workflow => workflow.Status())).Steps.Select(step => (step.Name.Split('@')[0], step.State)));

            // The pod has read them by now.
            await (await TemporalClient.ConnectAsync(new(behind.Address))).Connection.WorkflowService.RegisterNamespaceAsync(new() { Namespace = "orders", WorkflowExecutionRetentionPeriod = new() { Seconds = 86400 } });
            Assert.Equal(ProvisioningOutcome.Healthy, (await run.GetResultAsync()).Outcome);
        }, TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until the activity of a run says something in its heartbeat.</summary>
    private static async Task UntilSaidAsync(ITemporalClient client, string workflowId, string what)
    {
        while (true)
        {
            try
            {
                var run = await client.WorkflowService.DescribeWorkflowExecutionAsync(new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = workflowId } });
                if (run.PendingActivities.SelectMany(activity => activity.HeartbeatDetails?.Payloads_ ?? []).Any(payload => payload.Data.ToStringUtf8().Contains(what, StringComparison.Ordinal)))
                    return;
            }
            catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
            {
                // It has not been started yet.
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private static string Endpoint(BootstrapServerHost server) =>
        $"{{addresses: [{{ip: {server.Address.Split(':')[0]}}}], ports: [{{port: {server.Address.Split(':')[1]}, protocol: TCP}}]}}";

    private async Task<TestPlatform> PlatformAsync(string more = "")
    {
        var platform = await TestPlatform.CreateAsync(cluster);
        platform.Write("catalog/ground/objects.yaml", """
            apiVersion: v1
            kind: Namespace
            metadata: {name: "${namespace}"}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: frontend}
            spec: {ports: [{port: 7233}]}

            """ + more);
        platform.Write("catalog/app/component.yaml", Component(platform));
        platform.Write("catalog/app/settings.yaml", Namespace("30d"));
        platform.Remove("catalog/app/extra.yaml");
        platform.Remove("catalog/app/web.yaml");
        return platform;
    }

    private static string Component(TestPlatform platform, string gate = Gate) => $$"""
        name: app
        summary: Temporal namespaces.
        plane: test
        namespace: {{platform.Space}}
        dependsOn: [ground]
        health: [ { {{Gate}} }{{(gate == Gate ? "" : $", {{ {gate} }}")}} ]
        manifests: [settings.yaml]
        """;

    private static string Namespace(string retention, string searchAttributes = "{}") => $$"""
        apiVersion: temporal.platformops.io/v1
        kind: TemporalNamespace
        metadata: {name: orders}
        spec: {description: Orders, ownerEmail: a@example.com, retention: {{(retention == "30d" ? "720h" : "168h")}}, searchAttributes: {{searchAttributes}} }
        """;

    private static PlannedObject Orders(ProvisioningPlan plan) => plan.Components.Single(component => component.Component == "app").Objects.Single();

    private static async Task<ObjectOutcome> ProvisionAsync(TestPlatform platform, Activities.Provisioning.ProvisioningActivities activities, string operation, bool onlyGround = false)
    {
        var plan = (await platform.PlanAsync(activities)).Plan;
        await platform.ApplyAsync(plan, "ground", operation, activities: activities);
        return onlyGround ? null! : (await platform.ApplyAsync(plan, "app", operation, activities: activities)).Objects.Single();
    }

    private static async Task<DescribeNamespaceResponse> DescribeAsync(BootstrapServerHost temporal, string name)
    {
        var client = await TemporalClient.ConnectAsync(new(temporal.Address));
        return await client.Connection.WorkflowService.DescribeNamespaceAsync(new DescribeNamespaceRequest { Namespace = name });
    }
}
