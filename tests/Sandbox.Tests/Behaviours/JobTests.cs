using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class JobTests(Clusters clusters)
{
    private const string Schema = """
        metadata: {name: schema}
        spec:
          backoffLimit: 1
          template:
            spec: {restartPolicy: Never, containers: [{name: schema, image: "schema:1"}]}
        """;

    [Theory, OnEveryCluster]
    public async Task Completes_when_its_pod_succeeded(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Jobs, space, Schema);

        var job = await cluster.UntilAsync(Resources.Jobs, space, "schema", Has("Complete"));

        Assert.Equal(1, job.Status.Number("succeeded"));
        Assert.NotNull(job.Status.Time("startTime"));
        Assert.NotNull(job.Status.Time("completionTime"));
        var pod = Assert.Single(await cluster.PodsAsync(space));
        Assert.Equal("Succeeded", pod.Status.Text("phase"));
        Assert.Equal(0, pod.Status.Items("containerStatuses").Single().At("state").At("terminated").Number("exitCode"));
    }

    [Theory, OnEveryCluster]
    public async Task Runs_as_many_pods_as_it_is_told(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Jobs, space, Schema.Replace("  backoffLimit: 1", "  completions: 3\n  parallelism: 2"));

        var job = await cluster.UntilAsync(Resources.Jobs, space, "schema", Has("Complete"));

        Assert.Equal(3, job.Status.Number("succeeded"));
        Assert.Equal(3, (await cluster.PodsAsync(space)).Count);
    }

    [Theory, OnEveryCluster]
    public async Task Fails_when_its_pods_failed_too_often(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        cluster.Misbehaviours[(space, "schema")] = MisbehaviourKind.CrashLoop;
        await cluster.CreateAsync(Resources.Jobs, space, Schema);

        var job = await cluster.UntilAsync(Resources.Jobs, space, "schema", Has("Failed"));

        Assert.Equal(2, job.Status.Number("failed"));
        Assert.Equal("BackoffLimitExceeded", job.Status.Item("conditions", "type", "Failed").Text("reason"));
        Assert.All(await cluster.PodsAsync(space), pod => Assert.Equal("Failed", pod.Status.Text("phase")));
    }

    [Theory, OnEveryCluster]
    public async Task Fails_when_a_container_that_is_restarted_crashed_too_often(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        cluster.Misbehaviours[(space, "schema")] = MisbehaviourKind.CrashLoop;
        await cluster.CreateAsync(Resources.Jobs, space, Schema.Replace("restartPolicy: Never", "restartPolicy: OnFailure").Replace("backoffLimit: 1", "backoffLimit: 2"));

        var job = await cluster.UntilAsync(Resources.Jobs, space, "schema", Has("Failed"));

        Assert.Equal("BackoffLimitExceeded", job.Status.Item("conditions", "type", "Failed").Text("reason"));
        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count == 0);
    }

    private static Func<ClusterObject, bool> Has(string condition) => job => job.Status.Item("conditions", "type", condition)?.Text("status") == "True";
}
