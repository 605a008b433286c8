using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Pods;

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>Misbehaviours over time, on a clock that only the test moves.</summary>
public sealed class MisbehaviourOverTimeTests
{
    private static readonly string Web = DeploymentTests.Web.Replace("replicas: 3", "replicas: 1");
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_slow_pod_takes_twenty_times_as_long_and_no_longer_than_that()
    {
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn, _clock);
        var space = await cluster.NamespaceAsync();
        cluster.Misbehaviours[(space, "web")] = MisbehaviourKind.Slow;
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(timeScale: 1, _clock), default);
        var pod = await CreatedAsync(cluster, space);
        var due = ReadyTimes.Of(1, space, "web") * ReadyTimes.SlowFactor;

        await AdvanceAsync(behaviours, due - TimeSpan.FromMilliseconds(10));
        Assert.Equal("Pending", (await cluster.GetAsync(Resources.Pods, space, pod)).Status.Text("phase"));
        await AdvanceAsync(behaviours, TimeSpan.FromMilliseconds(10));

        await cluster.UntilAsync(Resources.Pods, space, pod, item => item.Status.Text("phase") == "Running");
    }

    [Fact]
    public async Task A_pod_that_runs_crashes_as_soon_as_the_behaviours_are_told_and_backs_off_longer_each_time()
    {
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn, _clock);
        var space = await cluster.NamespaceAsync();
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(timeScale: 1, _clock), default);
        var pod = await CreatedAsync(cluster, space);
        await AdvanceAsync(behaviours, ReadyTimes.Of(1, space, "web"));
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(1));

        cluster.Misbehaviours[(space, "web")] = MisbehaviourKind.CrashLoop;
        behaviours.Reconsider();
        await cluster.UntilAsync(Resources.Pods, space, pod, item => Restarts(item) == 1);
        await cluster.UntilAsync(Resources.Deployments, space, "web", web => web.Status.Number("availableReplicas") is null or 0);

        // After 1, 2, 4 and 8 seconds.
        await AdvanceAsync(behaviours, TimeSpan.FromSeconds(16));
        Assert.Equal(5, Restarts(await cluster.GetAsync(Resources.Pods, space, pod)));
    }

    [Fact]
    public async Task A_rollout_that_stands_still_is_overdue_after_its_deadline_and_finishes_all_the_same_later()
    {
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn, _clock);
        var space = await cluster.NamespaceAsync();
        cluster.Misbehaviours[(space, "web")] = MisbehaviourKind.ImagePull;
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(timeScale: 1, _clock), default);
        await CreatedAsync(cluster, space);
        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {progressDeadlineSeconds: 20}");
        await cluster.UntilAsync(Resources.Deployments, space, "web", web => web.Status.Number("observedGeneration") == web.Generation);

        await AdvanceAsync(behaviours, TimeSpan.FromSeconds(15));
        Assert.Equal("True", Progressing(await cluster.GetAsync(Resources.Deployments, space, "web")).Text("status"));
        await AdvanceAsync(behaviours, TimeSpan.FromSeconds(10));
        var overdue = await cluster.UntilAsync(Resources.Deployments, space, "web", web => Progressing(web).Text("status") == "False");
        Assert.Equal("ProgressDeadlineExceeded", Progressing(overdue).Text("reason"));

        cluster.Misbehaviours.Clear();
        await AdvanceAsync(behaviours, TimeSpan.FromSeconds(3));
        await cluster.UntilAsync(Resources.Deployments, space, "web", web => Progressing(web).Text("reason") == "NewReplicaSetAvailable");
    }

    private static JsonNode? Progressing(ClusterObject deployment) => deployment.Status.Item("conditions", "type", "Progressing");

    private static int? Restarts(ClusterObject pod) => pod.Status.Items("containerStatuses").Single().Number("restartCount");

    private static async Task<string> CreatedAsync(TestCluster cluster, string space)
    {
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        IReadOnlyList<ClusterObject> pods = [];
        await cluster.UntilAsync(async () => (pods = await cluster.PodsAsync(space)).Any(pod => pod.Status.Items("containerStatuses").Any()));
        return pods.Single().Name;
    }

    /// <summary>Moves the clock in small steps and lets the behaviours finish after each.</summary>
    private async Task AdvanceAsync(ClusterBehaviours behaviours, TimeSpan time)
    {
        for (var step = TimeSpan.FromMilliseconds(250); time > TimeSpan.Zero; time -= step)
        {
            _clock.Advance(time < step ? time : step);
            while (!behaviours.Idle)
                await Task.Yield();
        }
    }
}
