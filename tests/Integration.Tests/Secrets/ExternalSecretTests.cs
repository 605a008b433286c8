using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Secrets that External Secrets writes: the value goes through Vault, and nobody is restarted before every copy has it.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class ExternalSecretTests(SandboxCluster cluster, PostgresCluster postgres)
{
    private const string Api = "/apis/external-secrets.io/v1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_secret_that_is_written_from_Vault_follows_it_and_what_else_stands_there_is_kept()
    {
        await using var world = await RotationWorld.StartAsync(cluster, new PostgresSubject(postgres), first: FromVaultAsync);
        await using var clients = new PodClients(world, cluster);
        await Wait.UntilAsync(() => clients.Logins > 20, () => $"{clients.Logins} logins");
        var before = await world.PublishedAsync();

        var report = await world.RotateAsync();
        Assert.Equal((RotationOutcome.Rotated, 2), (report.Outcome, report.Version));
        var after = await world.PublishedAsync();
        Assert.Equal($"{world.Login}_clone", after.Login);
        Assert.False(await world.LetsInAsync(before.Login, new(before.Password)));
        Assert.True(await world.LetsInAsync(after.Login, new(after.Password)));
        Assert.Empty(clients.Refusals);
        Assert.Equal("stays", (await new VaultKeyValues(world.Root).ReadAsync(world.Path, Ct))!.Values!["note"].Reveal());
    }

    [Fact]
    public async Task A_copy_in_another_namespace_is_brought_along_and_its_consumers_are_proved_too()
    {
        await using var world = await RotationWorld.StartAsync(cluster, postgres, reloads: "[Deployment/jobs]");
        var other = $"{world.Platform.Space}-logs";
        using var kubectl = new KubectlLike(cluster);
        await CopyAsync(kubectl, world, other, "Periodic");

        var report = await world.RotateAsync();
        Assert.Equal(RotationOutcome.Rotated, report.Outcome);
        Assert.Equal(["Deployment/jobs", "Deployment/web", $"{other}/Deployment/reader"], report.Consumers.Select(consumer => consumer.Name));
        Assert.All(report.Consumers, consumer => Assert.Equal(ConsumerStanding.Current, consumer.Standing));
        Assert.Equal((await world.PublishedAsync()).Password, await CopiedAsync(kubectl, other));
        Assert.NotNull((await kubectl.GetAsync($"{Api}/namespaces/{other}/externalsecrets/copy"))!["metadata"]!["annotations"]!["force-sync"]);
    }

    [Fact]
    public async Task A_copy_that_does_not_follow_keeps_the_old_value_valid_and_restarts_nobody()
    {
        await using var world = await RotationWorld.StartAsync(cluster, postgres);
        var (other, before) = ($"{world.Platform.Space}-logs", await world.PublishedAsync());
        using var kubectl = new KubectlLike(cluster);
        await CopyAsync(kubectl, world, other, "CreatedOnce");

        var (run, said) = (await world.BeginAsync(), "");
        await Wait.UntilAsync(async () => (said = (await run.QueryAsync(workflow => workflow.Status())).Summary).Contains($"External Secrets has not brought version 2 into Secret {other}/copied yet", StringComparison.Ordinal), () => said, TimeSpan.FromMinutes(2));
        Assert.True(await world.LetsInAsync(before.Login, new(before.Password)));
        Assert.Equal(before.Password, await CopiedAsync(kubectl, other));
        Assert.Null((await kubectl.GetAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/deployments/web"))!["spec"]!["template"]!["metadata"]!["annotations"]);
        await run.CancelAsync();
    }

    /// <summary>The Secret of the application comes from Vault, where somebody wrote the login and a note.</summary>
    private async Task FromVaultAsync(RotationWorld world)
    {
        using var kubectl = new KubectlLike(cluster);
        await ServeAsync(kubectl);
        var address = world.Vault.Address.GetLeftPart(UriPartial.Authority);
        cluster.Vaults[address] = world.Vault.RootToken;
        await new VaultKeyValues(world.Root).WriteAsync(world.Path, new Dictionary<string, SecretText> { ["username"] = new(world.Login), ["password"] = new("first-password-of-the-login"), ["note"] = new("stays") }, 0, Ct);
        await kubectl.CreateAsync($"{Api}/clustersecretstores", new JsonObject
        {
            ["apiVersion"] = "external-secrets.io/v1",
            ["kind"] = "ClusterSecretStore",
            ["metadata"] = new JsonObject { ["name"] = $"vault-{world.Platform.Suffix}" },
            ["spec"] = new JsonObject { ["provider"] = new JsonObject { ["vault"] = new JsonObject { ["server"] = address, ["path"] = "secret", ["version"] = "v2" } } },
        }.ToJsonString());
        world.Platform.Write("catalog/app/component.yaml", world.Platform.Read("catalog/app/component.yaml")
            .Replace($"secrets:\n  - name: credentials\n    literals: {{username: {world.Login} }}\n    generated: {{password: 32}}\n", "", StringComparison.Ordinal)
            .Replace("manifests: [settings.yaml, web.yaml]", "manifests: [settings.yaml, external.yaml, web.yaml]", StringComparison.Ordinal));
        world.Platform.Write("catalog/app/external.yaml", $$"""
            apiVersion: external-secrets.io/v1
            kind: ExternalSecret
            metadata: {name: credentials}
            spec:
              refreshInterval: 1h0m0s
              secretStoreRef: {kind: ClusterSecretStore, name: vault-{{world.Platform.Suffix}} }
              target: {name: credentials, creationPolicy: Owner}
              data:
                - {secretKey: username, remoteRef: {key: "{{world.Path}}", property: username} }
                - {secretKey: password, remoteRef: {key: "{{world.Path}}", property: password} }
            """);
    }

    /// <summary>Another namespace with a copy of the value, and one of our Deployments that uses it.</summary>
    private static async Task CopyAsync(KubectlLike kubectl, RotationWorld world, string space, string policy)
    {
        await ServeAsync(kubectl);
        await kubectl.CreateAsync("/api/v1/namespaces", new JsonObject { ["metadata"] = new JsonObject { ["name"] = space } }.ToJsonString());
        await kubectl.CreateAsync($"{Api}/namespaces/{space}/secretstores", $$$"""{"apiVersion":"external-secrets.io/v1","kind":"SecretStore","metadata":{"name":"source"},"spec":{"provider":{"kubernetes":{"remoteNamespace":"{{{world.Platform.Space}}}" } } } }""");
        await kubectl.CreateAsync($"{Api}/namespaces/{space}/externalsecrets", $$$"""
            {"apiVersion":"external-secrets.io/v1","kind":"ExternalSecret","metadata":{"name":"copy"},
             "spec":{"refreshPolicy":"{{{policy}}}","secretStoreRef":{"name":"source"},"target":{"name":"copied"},"data":[{"secretKey":"value","remoteRef":{"key":"credentials","property":"password"}}]}}
            """);
        var deployment = (await kubectl.GetAsync($"/apis/apps/v1/namespaces/{world.Platform.Space}/deployments/web"))!;
        var labels = deployment["metadata"]!["labels"]!.DeepClone();
        await kubectl.CreateAsync($"/apis/apps/v1/namespaces/{space}/deployments", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "reader", ["labels"] = labels },
            ["spec"] = JsonNode.Parse("""
                {"replicas":1,"selector":{"matchLabels":{"app":"reader"}},"template":{"metadata":{"labels":{"app":"reader"}},
                 "spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1m"}},"env":[{"name":"P","valueFrom":{"secretKeyRef":{"name":"copied","key":"value"}}}]}]}}}
                """),
        }.ToJsonString());
        await Wait.UntilAsync(async () => await kubectl.GetAsync(KubectlLike.Secret(space, "copied")) is not null, () => "there is no copy");
    }

    private static async Task<string> CopiedAsync(KubectlLike kubectl, string space) =>
        System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)(await kubectl.GetAsync(KubectlLike.Secret(space, "copied")))!["data"]!["value"]!));

    /// <summary>Has the cluster serve External Secrets' kinds.</summary>
    internal static async Task ServeAsync(KubectlLike kubectl)
    {
        foreach (var (kind, scope) in new[] { ("ExternalSecret", "Namespaced"), ("SecretStore", "Namespaced"), ("ClusterSecretStore", "Cluster") })
        {
            var plural = $"{kind.ToLowerInvariant()}s";
            var definition = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.external-secrets.io";
            if (await kubectl.GetAsync(definition) is null)
                await kubectl.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", $$$"""
                    {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"{{{plural}}}.external-secrets.io"},
                     "spec":{"group":"external-secrets.io","scope":"{{{scope}}}","names":{"kind":"{{{kind}}}","plural":"{{{plural}}}","singular":"{{{kind.ToLowerInvariant()}}}" },
                      "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true} } } ] } }
                    """);
            await Wait.UntilAsync(async () => await kubectl.GetAsync($"{Api}/{plural}") is not null, () => $"{kind} is not served");
        }
    }
}
