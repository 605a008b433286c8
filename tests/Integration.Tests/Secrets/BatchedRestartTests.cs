using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Ten secrets with six consumers between them.</summary>
public sealed class BatchedRestartTests(SandboxCluster cluster)
{
    private static readonly string[] Consumers = [.. Enumerable.Range(0, 6).Select(number => $"c{number}")];

    [Fact]
    public async Task Each_consumer_is_rolled_once_within_its_budget_and_workers_that_come_and_go_roll_nobody()
    {
        await using var world = await RotationWorld.StartAsync(cluster, new ManySubject(), first: world => ManyAsync(world, "RollingUpdate"));
        using var kubectl = new KubectlLike(cluster);
        var before = await TemplatesAsync(kubectl, world);
        using var stop = new CancellationTokenSource();
        var least = WatchAsync(kubectl, world, stop.Token);

        var run = await world.Client.StartWorkflowAsync(
            (RotateSecrets workflow) => workflow.RunAsync(new RotateSecretsInput { Environment = world.Platform.Environment }), new(RotateSecrets.WorkflowId(world.Platform.Environment), TaskQueues.Default));
        await world.RestartWorkerAsync();
        var report = await run.GetResultAsync();
        Assert.Equal((RotateSecretsOutcome.Rotated, 10), (report.Outcome, report.Secrets.Count));
        Assert.Equal(6, report.Restarts.Count);
        Assert.All(report.Restarts.Values, times => Assert.Equal(1, times));

        var after = await TemplatesAsync(kubectl, world);
        Assert.All(Consumers, name => Assert.Equal(before[name] + 1, after[name]));
        // Nothing is due, and nobody is rolled because somebody looks again.
        await world.RestartWorkerAsync();
        var again = await world.Client.ExecuteWorkflowAsync(
            (RotateSecrets workflow) => workflow.RunAsync(new RotateSecretsInput { Environment = world.Platform.Environment }), new(RotateSecrets.WorkflowId(world.Platform.Environment), TaskQueues.Default));
        Assert.Equal(RotateSecretsOutcome.NothingDue, again.Outcome);
        Assert.Equal(after.OrderBy(entry => entry.Key), (await TemplatesAsync(kubectl, world)).OrderBy(entry => entry.Key));
        await stop.CancelAsync();
        Assert.All((await least).Values, available => Assert.True(available >= 2, $"{available} of 3 pods were available, and the budget wants 2"));
    }

    [Fact]
    public async Task A_rollout_that_may_break_a_budget_does_not_begin()
    {
        await using var world = await RotationWorld.StartAsync(cluster, new ManySubject(), first: world => ManyAsync(world, "Recreate"));
        using var kubectl = new KubectlLike(cluster);
        var before = await TemplatesAsync(kubectl, world);
        var (run, said) = (await world.BeginAsync(secret: "s0"), "");
        await Wait.UntilAsync(async () => (said = (await run.QueryAsync(workflow => workflow.Status())).Summary).Contains("may take 3 of its 3 pods away at once, and PodDisruptionBudget budget-c0 allows 1", StringComparison.Ordinal), () => said);
        Assert.Equal(RunbookPhase.Parked, (await run.QueryAsync(workflow => workflow.Status())).Phase);
        Assert.Equal(before.OrderBy(entry => entry.Key), (await TemplatesAsync(kubectl, world)).OrderBy(entry => entry.Key));
    }

    /// <summary>How often the pods of each were replaced: Deployments count the templates that they had.</summary>
    private static async Task<Dictionary<string, int>> TemplatesAsync(KubectlLike kubectl, RotationWorld world)
    {
        var sets = (await kubectl.GetAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/replicasets"))!["items"]!.AsArray();
        return Consumers.ToDictionary(name => name, name => sets.Count(set => (string?)set!["metadata"]!["ownerReferences"]![0]!["name"] == name));
    }

    /// <summary>The fewest pods that were available at any look.</summary>
    private static async Task<Dictionary<string, int>> WatchAsync(KubectlLike kubectl, RotationWorld world, CancellationToken ct)
    {
        var least = Consumers.ToDictionary(name => name, _ => int.MaxValue);
        while (!ct.IsCancellationRequested)
        {
            foreach (var item in (await kubectl.GetAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/deployments"))!["items"]!.AsArray().OfType<JsonObject>())
            {
                var name = (string)item["metadata"]!["name"]!;
                least[name] = Math.Min(least[name], (int?)item["status"]?["availableReplicas"] ?? 0);
            }

            await Task.WhenAny(Task.Delay(10, ct));
        }

        return least;
    }

    private static Task ManyAsync(RotationWorld world, string strategy)
    {
        world.Platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: Six consumers of ten secrets.
            plane: test
            namespace: {{world.Platform.Space}}
            dependsOn: [vault]
            secrets:
            {{string.Join('\n', Enumerable.Range(0, 10).Select(number => $"  - {{name: v{number}, generated: {{password: 32}}}}"))}}
              - {name: credentials, literals: {username: nobody}, generated: {password: 32} }
            rotations:
            {{string.Join('\n', Enumerable.Range(0, 10).Select(number => $"  - {{name: s{number}, kind: value, path: many/{world.Platform.Suffix}-{number}, secret: v{number}, settle: 1s}}"))}}
            health: [{{string.Join(", ", Consumers.Select(name => $"{{rollout: {{kind: Deployment, name: {name}}}}}"))}}]
            manifests: [web.yaml]
            """);
        world.Platform.Remove("catalog/app/settings.yaml");
        // Each secret has two or three consumers, each consumer several secrets.
        world.Platform.Write("catalog/app/web.yaml", string.Join("\n---\n", Consumers.Select((name, at) => $$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: {{name}} }
            spec:
              replicas: 3
              strategy: {type: {{strategy}} }
              selector: {matchLabels: {app.kubernetes.io/name: {{name}} } }
              template:
                metadata: {labels: {app.kubernetes.io/name: {{name}} } }
                spec:
                  containers:
                    - name: c
                      image: registry.example.com/c:1
                      envFrom: [{{string.Join(", ", Enumerable.Range(0, 10).Where(number => number % 6 == at || number % 3 == at % 3).Select(number => $"{{secretRef: {{name: v{number}}}}}"))}}]
                      resources: {requests: {cpu: 1m, memory: 1Mi} }
            ---
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: budget-{{name}} }
            spec: {minAvailable: 2, selector: {matchLabels: {app.kubernetes.io/name: {{name}} } } }
            """)));
        return Task.CompletedTask;
    }

    /// <summary>Values that nobody but their consumers knows.</summary>
    private sealed class ManySubject : RotatedSubject
    {
        public override string Declared => "kind: value";

        public override Task PrepareAsync(RotationWorld world, string login, string password) => Task.CompletedTask;

        public override Task<bool> LetsInAsync(string login, string password, string who) => Task.FromResult(true);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
