using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>A token that Argo CD reads through the API: it is proved before the one of before is revoked.</summary>
public sealed class ArgoCdReaderTests(SandboxCluster cluster)
{
    private const string Controller = "argocd-application-controller";

    [Fact]
    public async Task Argo_CD_that_goes_on_with_what_it_has_read_is_started_anew_and_has_fetched_before_the_old_token_is_revoked()
    {
        await using var subject = new ServiceSubject("gitlab", KindTests.GitLab);
        await using var world = await RotationWorld.StartAsync(cluster, subject, leaveSubject: true);
        using var kubectl = new KubectlLike(cluster);
        var before = await world.PublishedAsync();
        var shown = new ConcurrentQueue<(string Password, bool OldIsValid)>();
        var url = await ReadByArgoCdAsync(kubectl, world, password =>
        {
            shown.Enqueue((password, subject.StandIn.Accepts("gitlab", before.Password)));
            return subject.StandIn.Accepts("gitlab", password) ? null : "401 Unauthorized";
        });

        // Nobody is there who could be proved.
        var (run, said) = (await world.BeginAsync(), "");
        await Wait.UntilAsync(async () => (said = (await run.QueryAsync(workflow => workflow.Status())).Summary).Contains($"which version StatefulSet/{Controller} uses", StringComparison.Ordinal), () => said);
        Assert.True(subject.StandIn.Accepts("gitlab", before.Password));
        await InstallAsync(kubectl, world);
        cluster.KeepSecrets(world.Platform.Space);

        var report = await run.GetResultAsync();
        Assert.Equal((RotationOutcome.Rotated, 2), (report.Outcome, report.Version));
        Assert.Equal(["Application/shop", "Deployment/jobs", "Deployment/web", $"StatefulSet/{Controller}"], report.Consumers.Select(consumer => consumer.Name));
        Assert.All(report.Consumers, consumer => Assert.Equal(ConsumerStanding.Current, consumer.Standing));
        Assert.Equal(((await world.PublishedAsync()).Password, true), shown.Last());
        Assert.Contains((before.Password, true), shown);
        Assert.False(subject.StandIn.Accepts("gitlab", before.Password));
        cluster.Repositories.TryRemove(url, out _);
    }

    [Fact]
    public async Task Argo_CD_that_cannot_compare_with_the_new_token_keeps_the_old_one_valid_until_it_can()
    {
        await using var subject = new ServiceSubject("gitlab", KindTests.GitLab);
        await using var world = await RotationWorld.StartAsync(cluster, subject, leaveSubject: true);
        using var kubectl = new KubectlLike(cluster);
        var before = await world.PublishedAsync();
        var open = false;
        // The service knows the token, and the repository does not let it in.
        var url = await ReadByArgoCdAsync(kubectl, world, password => Volatile.Read(ref open) || password == before.Password ? null : "403 Forbidden");
        await InstallAsync(kubectl, world);

        var (run, said) = (await world.BeginAsync(), "");
        await Wait.UntilAsync(
            async () => (said = (await run.QueryAsync(workflow => workflow.Status())).Summary).Contains("Application/shop does not take up version 2: Argo CD cannot compare it (ComparisonError", StringComparison.Ordinal), () => said, TimeSpan.FromMinutes(1));
        Assert.Contains("403 Forbidden", said, StringComparison.Ordinal);
        Assert.True(subject.StandIn.Accepts("gitlab", before.Password));

        // Asked again and in vain, then mended.
        await run.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput("Application/shop")));
        await Wait.UntilAsync(async () => (await run.QueryAsync(workflow => workflow.Status())).Phase == RunbookPhase.Parked, () => "not parked");
        Assert.True(subject.StandIn.Accepts("gitlab", before.Password));
        Volatile.Write(ref open, true);
        await run.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput("Application/shop")));
        Assert.Equal(RotationOutcome.Rotated, (await run.GetResultAsync()).Outcome);
        Assert.False(subject.StandIn.Accepts("gitlab", before.Password));
        cluster.Repositories.TryRemove(url, out _);
    }

    /// <summary>By the run of the secret, and by the run that restarts for several secrets.</summary>
    [Fact]
    public async Task Argo_CD_is_started_anew_once_and_has_fetched_whatever_is_lost_on_the_way()
    {
        LosingActivities? losing = null;
        await using var subject = new ServiceSubject("gitlab", KindTests.GitLab);
        await using var world = await RotationWorld.StartAsync(cluster, subject, leaveSubject: true, wrapped: inner => losing = new(inner));
        using var kubectl = new KubectlLike(cluster);
        var shown = new ConcurrentQueue<string>();
        var url = await ReadByArgoCdAsync(kubectl, world, password =>
        {
            shown.Enqueue(password);
            return subject.StandIn.Accepts("gitlab", password) ? null : "401 Unauthorized";
        });
        await InstallAsync(kubectl, world);
        for (var rotation = 2; rotation <= 3; rotation++)
        {
            var (before, templates) = (await world.PublishedAsync(), await TemplatesAsync(kubectl, world));
            if (rotation == 2)
                Assert.Equal(RotationOutcome.Rotated, (await world.RotateAsync()).Outcome);
            else
                Assert.Equal(RotateSecretsOutcome.Rotated, (await world.Client.ExecuteWorkflowAsync(
                    (RotateSecrets workflow) => workflow.RunAsync(new RotateSecretsInput { Environment = world.Platform.Environment, Secrets = new[] { RotationWorld.Rotation } }), new(RotateSecrets.WorkflowId(world.Platform.Environment), TaskQueues.Default))).Outcome);

            // What it was shown last is the new one; the old one is refused, and nothing is left half-done.
            var after = await world.PublishedAsync();
            Assert.NotEqual(before.Password, after.Password);
            Assert.Equal(after.Password, shown.Last());
            Assert.Equal((false, 1), (subject.StandIn.Accepts("gitlab", before.Password), subject.StandIn.Issued("gitlab")));
            var kept = await world.Kept.ReadAsync(world.Path, TestContext.Current.CancellationToken);
            Assert.Equal((null, rotation, null), (kept.Pending, kept.Current!.Version, kept.Previous));
            Assert.Equal(templates + 1, await TemplatesAsync(kubectl, world));
        }

        Assert.Superset(new HashSet<string> { "Deployment", "StatefulSet", ArgoCdReading.Application }, losing!.Kinds.ToHashSet());
        cluster.Repositories.TryRemove(url, out _);
    }

    /// <summary>How often the template of the application controller was changed.</summary>
    private static async Task<long> TemplatesAsync(KubectlLike kubectl, RotationWorld world) =>
        (long)(await kubectl.GetAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/statefulsets/{Controller}"))!["metadata"]!["generation"]!;

    /// <summary>Labels the Secret as Argo CD's, and has an Application that is served with it.</summary>
    private async Task<string> ReadByArgoCdAsync(KubectlLike kubectl, RotationWorld world, Func<string, string?> open)
    {
        var url = $"https://git.example.com/{world.Platform.Suffix}";
        var asked = false;
        cluster.Repositories[url] = password =>
        {
            Volatile.Write(ref asked, true);
            return open(password);
        };
        await kubectl.MergeAsync(KubectlLike.Secret(world.Platform.Space, "credentials"), $$$"""{"metadata":{"labels":{"{{{ArgoCdReading.SecretType}}}":"repository"}},"stringData":{"type":"helm","url":"{{{url}}}.git"}}""");
        if (await kubectl.GetAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.argoproj.io") is null)
            await kubectl.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", """
                {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"applications.argoproj.io"},
                 "spec":{"group":"argoproj.io","scope":"Namespaced","names":{"kind":"Application","listKind":"ApplicationList","plural":"applications","singular":"application" },
                  "versions":[{"name":"v1alpha1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true} } } ] } }
                """);
        var applications = $"/apis/argoproj.io/v1alpha1/namespaces/{world.Platform.Space}/applications";
        await Wait.UntilAsync(async () => await kubectl.GetAsync(applications) is not null, () => "Applications are not served");
        // Without a sync policy: it is compared, and nothing is installed.
        await kubectl.CreateAsync(applications, $$$"""
            {"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"shop"},
             "spec":{"project":"default","source":{"repoURL":"{{{url}}}","chart":"velero","targetRevision":"10.0.0"},"destination":{"server":"https://kubernetes.default.svc","namespace":"{{{world.Platform.Space}}}" } } }
            """);
        // Argo CD may hear of the Application before it hears of the label.
        await Wait.UntilAsync(
            async () =>
            {
                if (!Volatile.Read(ref asked))
                    await kubectl.MergeAsync($"{applications}/shop", $$$"""{"metadata":{"annotations":{"{{{ArgoCdReading.Refresh}}}":"hard"} } }""");
                return Volatile.Read(ref asked);
            },
            () => "the repository was not asked");
        return url;
    }

    /// <summary>Argo CD's application controller, as one of our workloads.</summary>
    private static async Task InstallAsync(KubectlLike kubectl, RotationWorld world)
    {
        var labels = (await kubectl.GetAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/deployments/web"))!["metadata"]!["labels"]!.DeepClone();
        await kubectl.CreateAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/statefulsets", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = Controller, ["labels"] = labels },
            ["spec"] = JsonNode.Parse($$$"""
                {"replicas":1,"serviceName":"argocd","selector":{"matchLabels":{"app.kubernetes.io/name":"{{{Controller}}}"} },"template":{"metadata":{"labels":{"app.kubernetes.io/name":"{{{Controller}}}"} },
                 "spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1m"} } } ] } } }
                """),
        }.ToJsonString());
    }
}
