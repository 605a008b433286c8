using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Our own workers as consumers: nothing of the catalog installs them, and applications stand beside them.</summary>
public sealed class OwnWorkerTests(SandboxCluster cluster)
{
    private static readonly string[] Applications = ["web", "jobs"], Workers = ["platformops-provisioning", "platformops-rotation"];

    [Fact]
    public async Task Our_own_workers_are_found_by_their_label_restarted_within_max_unavailable_and_proved_and_no_application_is_rolled()
    {
        await using var subject = new ServiceSubject("gitlab", KindTests.GitLab);
        await using var world = await RotationWorld.StartAsync(cluster, subject, leaveSubject: true);
        using var kubectl = new KubectlLike(cluster);
        var deployments = $"/apis/apps/v1/namespaces/{world.Platform.Space}/deployments";
        // The applications have nothing to do with it.
        foreach (var name in Applications)
            await kubectl.MergeAsync($"{deployments}/{name}", $$$"""{"spec":{"template":{"spec":{"containers":[{"name":"{{{name}}}","image":"i","resources":{"requests":{"cpu":"1m"} } } ] } } } }""");
        foreach (var name in Workers)
            await kubectl.CreateAsync(deployments, Worker(name, "credentials"));
        // One that has another credential.
        await kubectl.CreateAsync(deployments, Worker("platformops-backup", "other"));
        await Wait.UntilAsync(async () => (await AvailableAsync(kubectl, deployments)) is var there && Workers.All(name => there[name] == 3) && Applications.All(name => there[name] == 2), () => "not all are there");
        var before = await GenerationsAsync(kubectl, deployments);
        using var stop = new CancellationTokenSource();
        var least = WatchAsync(kubectl, deployments, stop.Token);

        var (_, password) = await world.PublishedAsync();

        var report = await world.RotateAsync();

        await stop.CancelAsync();
        Assert.Equal(RotationOutcome.Rotated, report.Outcome);
        Assert.Equal(Workers.Select(name => $"Deployment/{name}"), report.Consumers.Select(consumer => consumer.Name));
        Assert.All(report.Consumers, consumer => Assert.Equal((true, ConsumerStanding.Current, "All 3 pods started with version 2."), (consumer.Declared, consumer.Standing, consumer.Detail)));
        Assert.False(subject.StandIn.Accepts("gitlab", password));
        // A new template is a new generation: the applications and the worker with another credential have none.
        Assert.Equal(
            before.Select(known => (known.Key, known.Value + (Workers.Contains(known.Key) ? 1 : 0))).Order(),
            (await GenerationsAsync(kubectl, deployments)).Select(known => (known.Key, known.Value)).Order());
        var fewest = await least;
        Assert.All(Workers, name => Assert.True(fewest[name] >= 2, $"{fewest[name]} of 3 pods of {name} were available, and one may be away at a time"));
    }

    /// <summary>As in <c>k8s/platformops/domains</c>: with the label of its domain and none of an environment's.</summary>
    private static string Worker(string name, string secret) => $$$"""
        {"metadata":{"name":"{{{name}}}","labels":{"platformops.io/domain":"{{{name["platformops-".Length..]}}}"} },
         "spec":{"replicas":3,"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":1,"maxSurge":0} },"selector":{"matchLabels":{"app.kubernetes.io/name":"{{{name}}}"} },
          "template":{"metadata":{"labels":{"app.kubernetes.io/name":"{{{name}}}"} },
           "spec":{"containers":[{"name":"worker","image":"i","resources":{"requests":{"cpu":"1m"} } }],"volumes":[{"name":"connections","secret":{"secretName":"{{{secret}}}"} }] } } } }
        """;

    private static async Task<IEnumerable<JsonObject>> ListAsync(KubectlLike kubectl, string deployments) => (await kubectl.GetAsync(deployments))!["items"]!.AsArray().OfType<JsonObject>();

    private static async Task<Dictionary<string, long>> GenerationsAsync(KubectlLike kubectl, string deployments) =>
        (await ListAsync(kubectl, deployments)).ToDictionary(item => (string)item["metadata"]!["name"]!, item => (long)item["metadata"]!["generation"]!);

    private static async Task<Dictionary<string, int>> AvailableAsync(KubectlLike kubectl, string deployments) =>
        (await ListAsync(kubectl, deployments)).ToDictionary(item => (string)item["metadata"]!["name"]!, item => (int?)item["status"]?["availableReplicas"] ?? 0);

    /// <summary>The fewest pods that were available at any look.</summary>
    private static async Task<Dictionary<string, int>> WatchAsync(KubectlLike kubectl, string deployments, CancellationToken ct)
    {
        var least = Workers.ToDictionary(name => name, _ => int.MaxValue);
        while (!ct.IsCancellationRequested)
        {
            var there = await AvailableAsync(kubectl, deployments);
            foreach (var name in Workers)
                least[name] = Math.Min(least[name], there[name]);
            await Task.WhenAny(Task.Delay(10, ct));
        }

        return least;
    }
}
