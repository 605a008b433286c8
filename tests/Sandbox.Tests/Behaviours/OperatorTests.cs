using Microsoft.Extensions.Time.Testing;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Pods;

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>External Secrets, Velero and KEDA.</summary>
[Collection(ApplicationTests.KedaKinds)]
public sealed class OperatorTests(Clusters clusters)
{
    private static readonly ApiResource ExternalSecrets = CustomTests.Kind("external-secrets.io", "v1", "ExternalSecret");
    private static readonly ApiResource Stores = CustomTests.Kind("external-secrets.io", "v1", "SecretStore");
    private static readonly ApiResource Locations = CustomTests.Kind("velero.io", "v1", "BackupStorageLocation");
    private static readonly ApiResource Backups = CustomTests.Kind("velero.io", "v1", "Backup");
    private static readonly ApiResource Restores = CustomTests.Kind("velero.io", "v1", "Restore");
    private static readonly ApiResource Schedules = CustomTests.Kind("velero.io", "v1", "Schedule");
    private static readonly ApiResource ScaledObjects = CustomTests.Kind("keda.sh", "v1alpha1", "ScaledObject");

    [Theory, OnEveryCluster]
    public async Task An_external_secret_is_synced_once_its_store_is_ready_and_takes_its_Secret_along(string target)
    {
        var (cluster, space) = await StartAsync(target, "external-secrets");
        await cluster.CreateAsync(ExternalSecrets, space, """
            metadata: {name: database}
            spec:
              secretStoreRef: {name: vault, kind: SecretStore}
              target: {name: database-credentials}
              data: [{secretKey: password, remoteRef: {key: temporal/database, property: password}}]
            """);
        await cluster.UntilAsync(ExternalSecrets, space, "database", item => Condition(item, "Ready").Text("reason") == "SecretSyncedError");

        await cluster.CreateAsync(Stores, space, "{metadata: {name: vault}, spec: {provider: {vault: {server: 'http://vault.security:8200'}}}}");

        await cluster.UntilAsync(ExternalSecrets, space, "database", item => Condition(item, "Ready").Text("reason") == "SecretSynced" && Condition(item, "Ready").Text("status") == "True");
        var secret = await cluster.GetAsync(Resources.Secrets, space, "database-credentials");
        Assert.Equal(32, Convert.FromBase64String(secret.Body.At("data").Text("password")!).Length);

        await cluster.Client.DeleteAsync(await cluster.GetAsync(ExternalSecrets, space, "database"), "Background", null, default);
        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(Resources.Secrets, space, "database-credentials", default) is null);
    }

    [Theory, OnEveryCluster]
    public async Task A_backup_completes_a_restore_of_it_too_and_without_storage_it_is_refused(string target)
    {
        var (cluster, space) = await StartAsync(target, "velero");
        await cluster.CreateAsync(Backups, space, "{metadata: {name: early}, spec: {storageLocation: default}}");
        var refused = await cluster.UntilAsync(Backups, space, "early", item => Phase(item) == "FailedValidation");
        Assert.Contains("default", refused.Status.Items("validationErrors").Single().GetValue<string>(), StringComparison.Ordinal);

        await cluster.CreateAsync(Locations, space, "{metadata: {name: default}, spec: {provider: aws}}");
        await cluster.UntilAsync(Locations, space, "default", item => Phase(item) == "Available");
        await cluster.CreateAsync(Schedules, space, "{metadata: {name: daily}, spec: {schedule: '0 3 * * *'}}");
        await cluster.UntilAsync(Schedules, space, "daily", item => Phase(item) == "Enabled");
        await cluster.CreateAsync(Backups, space, "{metadata: {name: before-upgrade}, spec: {ttl: 24h}}");
        var backup = await cluster.UntilAsync(Backups, space, "before-upgrade", item => Phase(item) == "Completed");
        Assert.Equal(backup.Status.Time("startTimestamp") + TimeSpan.FromHours(24), backup.Status.Time("expiration"));

        await cluster.CreateAsync(Restores, space, "{metadata: {name: back}, spec: {backupName: before-upgrade}}");
        await cluster.UntilAsync(Restores, space, "back", item => Phase(item) == "Completed");
        await cluster.CreateAsync(Restores, space, "{metadata: {name: lost}, spec: {backupName: nobody}}");
        await cluster.UntilAsync(Restores, space, "lost", item => Phase(item) == "FailedValidation");
    }

    [Theory, OnEveryCluster]
    public async Task A_scaled_object_is_ready(string target)
    {
        var (cluster, space) = await StartAsync(target, "keda");
        await cluster.CreateAsync(ScaledObjects, space, "{metadata: {name: workers}, spec: {scaleTargetRef: {name: workers}}}");

        var ready = await cluster.UntilAsync(ScaledObjects, space, "workers", item => Condition(item, "Ready").Text("status") == "True");

        Assert.Equal("keda-hpa-workers", ready.Status.Text("hpaName"));
    }

    [Fact]
    public async Task A_backup_takes_the_time_that_the_seed_says()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn, clock);
        await CustomTests.ServeChartAsync(cluster, "velero");
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Locations, space, "{metadata: {name: default}, spec: {provider: aws}}");
        await cluster.CreateAsync(Backups, space, "{metadata: {name: night}, spec: {}}");
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(timeScale: 1, clock), default);
        await cluster.UntilAsync(Backups, space, "night", item => Phase(item) == "InProgress");
        var due = ReadyTimes.Of(1, space, "night");

        clock.Advance(due - TimeSpan.FromMilliseconds(10));
        while (!behaviours.Idle)
            await Task.Yield();
        Assert.Equal("InProgress", Phase(await cluster.GetAsync(Backups, space, "night")));
        clock.Advance(TimeSpan.FromMilliseconds(10));

        await cluster.UntilAsync(Backups, space, "night", item => Phase(item) == "Completed");
    }

    private async Task<(TestCluster, string)> StartAsync(string target, string chart)
    {
        var cluster = await clusters.LiveAsync(target);
        await CustomTests.ServeChartAsync(cluster, chart);
        return (cluster, await cluster.NamespaceAsync());
    }

    private static string? Phase(ClusterObject item) => item.Status.Text("phase");

    private static System.Text.Json.Nodes.JsonNode? Condition(ClusterObject item, string type) => item.Status.Item("conditions", "type", type);
}
