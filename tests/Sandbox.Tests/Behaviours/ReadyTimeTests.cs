using Microsoft.Extensions.Time.Testing;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Pods;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class ReadyTimeTests
{
    [Fact]
    public void The_same_seed_and_workload_give_the_same_time_within_the_range()
    {
        var names = Enumerable.Range(0, 200).Select(number => $"workload-{number}").ToList();
        var times = names.Select(name => ReadyTimes.Of(7, "space", name)).ToList();

        Assert.Equal(times, names.Select(name => ReadyTimes.Of(7, "space", name)));
        Assert.NotEqual(times, names.Select(name => ReadyTimes.Of(8, "space", name)));
        Assert.NotEqual(times, names.Select(name => ReadyTimes.Of(7, "other", name)));
        Assert.All(times, time => Assert.InRange(time, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2.5)));
        Assert.True(times.Distinct().Count() > 150);
    }

    [Fact]
    public async Task Two_runs_with_the_same_seed_are_ready_at_the_same_moment()
    {
        var first = await RunAsync(seed: 3);

        Assert.Equal(first, await RunAsync(seed: 3));
        Assert.NotEqual(first, await RunAsync(seed: 4));
    }

    /// <summary>How long each workload's pods took, in steps of 50 ms of a clock that only the test moves.</summary>
    private static async Task<Dictionary<string, TimeSpan>> RunAsync(int seed)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn, clock);
        var space = await cluster.NamespaceAsync();
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(timeScale: 1, clock, seed), default);
        string[] names = ["api", "store", "web"];
        foreach (var name in names)
            await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web.Replace("name: web}", $"name: {name}}}").Replace("app: web", $"app: {name}"));
        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count(pod => pod.Status.Items("containerStatuses").Any()) == 9);

        Dictionary<string, TimeSpan> ready = [];
        for (var elapsed = TimeSpan.Zero; ready.Count < names.Length; elapsed += TimeSpan.FromMilliseconds(50))
        {
            Assert.True(elapsed < TimeSpan.FromSeconds(3), "Pods are not ready after the longest time.");
            var due = names.Where(name => !ready.ContainsKey(name) && ReadyTimes.Of(seed, space, name) <= elapsed).ToList();
            foreach (var name in due)
                await cluster.UntilAsync(Resources.Deployments, space, name, deployment => deployment.Status.Number("readyReplicas") == 3);
            foreach (var name in names)
                if (!ready.ContainsKey(name) && (await cluster.GetAsync(Resources.Deployments, space, name)).Status.Number("readyReplicas") == 3)
                    ready[name] = elapsed;
            clock.Advance(TimeSpan.FromMilliseconds(50));
        }
        return ready;
    }
}
