using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Secrets;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>A leak, answered by a worker: a real PostgreSQL server, Vault, and a cluster.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class LeakTests(SandboxCluster cluster, PostgresCluster postgres)
{
    [Fact]
    public async Task Who_runs_as_a_service_account_has_its_login_replaced_and_what_nobody_rotates_is_named()
    {
        await using var world = await RotationWorld.StartAsync(cluster, postgres);
        var (login, password) = await world.PublishedAsync();
        using (var kubectl = new KubectlLike(cluster))
            await kubectl.CreateAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/deployments", """
                {"metadata":{"name":"other"},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"other"}},"template":{"metadata":{"labels":{"app":"other"}},
                 "spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1m"}},"envFrom":[{"secretRef":{"name":"licence"}}]}]}}}}
                """);

        var identity = $"system:serviceaccount:{world.Platform.Space}:default";
        var plan = await RespondAsync(world, new() { Identity = identity, Mode = RunbookMode.Plan });
        Assert.Equal(LeakOutcome.Planned, plan.Outcome);
        Assert.Equal([$"{world.Platform.Space}/Deployment/jobs", $"{world.Platform.Space}/Deployment/web"], Assert.Single(plan.Reached).Consumers);
        Assert.True(await world.LetsInAsync(login, new(password)));

        var report = await RespondAsync(world, new() { Identity = identity, Deadline = "10m", Settle = "1s" });
        // The licence is nobody's to rotate.
        Assert.Equal((LeakOutcome.Incomplete, RotationWorld.Rotation), (report.Outcome, Assert.Single(report.Rotated).Secret.Name));
        Assert.Empty(report.NotRotated);
        Assert.Contains(report.ForPeople, task => task.StartsWith($"Secret {world.Platform.Space}/licence of us-east-1, which {world.Platform.Space}/Deployment/other uses, is rotated by nobody", StringComparison.Ordinal));
        Assert.False(await world.LetsInAsync(login, new(password)));

        var contained = await RespondAsync(world, new() { Path = world.Path, Deadline = "10m", Settle = "1s" });
        Assert.Equal((LeakOutcome.Contained, "All 1 secrets in reach of " + world.Path + " are rotated."), (contained.Outcome, contained.Summary));
        Assert.Equal(LeakOutcome.Contained, (await RespondAsync(world, new() { Identity = world.Login, Deadline = "10m", Settle = "1s" })).Outcome);
    }

    private static Task<LeakResponseReport> RespondAsync(RotationWorld world, LeakResponseInput input)
    {
        var given = input with { Environment = world.Platform.Environment };
        return world.Client.ExecuteWorkflowAsync((LeakResponse workflow) => workflow.RunAsync(given), new(LeakResponse.WorkflowId(world.Platform.Environment), TaskQueues.Default));
    }
}
