using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Adapters.External;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Opens stores that no guard stands beside: cluster state, Vault and Elasticsearch, whose sets or manifests we keep in the bucket ourselves, and managed databases.</summary>
internal sealed class SnapshotStores(PlatformConnections connections, TimeProvider time) : IDisposable
{
    private const string QuarantineContext = "quarantine";

    /// <summary>For a statement that reads a large table whole.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    private readonly RegionConnections regions = new(connections);

    /// <inheritdoc/>
    public void Dispose() => regions.Dispose();

    /// <summary>The objects of a region's cluster.</summary>
    /// <param name="retention">As declared.</param>
    /// <param name="objects">The bucket.</param>
    public ClusterStateStore ClusterState(StoreReference store, RegionSpecification region, TimeSpan retention, BackupAccess access, StoredObjects objects)
    {
        var sets = StateSets(store, access, objects);
        return new(KubernetesConnection.Open(connections, region.Name, region.KubernetesContext), Cluster(region, access.Quarantine), sets, store.Environment, retention, time, region.Etcd, Environment.GetEnvironmentVariable("PATH"));
    }

    /// <summary>The sets of a region's cluster; the cluster itself is not asked for.</summary>
    /// <param name="objects">The bucket.</param>
    public static StateSets StateSets(StoreReference store, BackupAccess access, StoredObjects objects)
    {
        var keys = access.KeyFiles.Select((file, index) => SealingKey.Read(Secret(file, $"backups.{store.Environment}.keyFiles[{index}]"), $"backups.{store.Environment}.keyFiles[{index}]")).ToList();
        return keys.Count > 0 ? new(Sets(store, access, objects), keys) : throw new AdapterException(
            AdapterFailureKind.Rejected, $"backups.{store.Environment}.keyFiles of the connections file is empty: the objects of a cluster hold its secrets and are never stored unencrypted. Make a key with openssl rand -base64 32, and keep it where the cluster is not.");
    }

    /// <summary>The Vault of a region.</summary>
    /// <param name="objects">The bucket.</param>
    public VaultStore Vault(StoreReference store, SpecifiedEnvironment specified, RegionSpecification region, BackupAccess access, StoredObjects objects)
    {
        var gate = specified.InDependencyOrder(region.Name).SelectMany(component => component.Health).OfType<VaultGate>().FirstOrDefault()
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{store.Environment} has no Vault in {region.Name}. Enable the component vault, or take its backup out of the catalog.");
        var service = new Uri($"{(gate.Tls ? "https" : "http")}://{gate.Service}.{gate.Namespace}.svc:{gate.Port}");
        var vault = RegionVault.Open(connections, region.Name, service, "backup");
        if (access.QuarantineVault is not { } place)
            return new(vault.Connection, null, Sets(store, access, objects), store.Environment, region.Name, time, [vault]);
        var own = VaultIn(region, place, new VaultAccess { TokenFile = place.TokenFile });
        var copied = VaultIn(region, place, connections.Regions.GetValueOrDefault(region.Name)?.Vault ?? new());
        if (own.Connection.Options.Address == vault.Connection.Options.Address)
            throw new AdapterException(AdapterFailureKind.Rejected, $"backups.{store.Environment}.quarantineVault.address is that of the Vault of {region.Name}: a verification would replace what it has. Name another one.");
        return new(vault.Connection, new(own.Connection, copied.Connection, UnsealKeys(store, place), time), Sets(store, access, objects), store.Environment, region.Name, time, [vault, own, copied]);
    }

    /// <summary>The Elasticsearch of a component in a region.</summary>
    /// <param name="objects">The bucket.</param>
    public SearchStore Search(StoreReference store, SpecifiedEnvironment specified, RegionSpecification region, BackupAccess access, StoredObjects objects)
    {
        var component = specified.InDependencyOrder(region.Name).FirstOrDefault(known => known.Backups.Any(backup => backup.Name == store.Store));
        var gate = component?.Health.OfType<ElasticsearchGate>().FirstOrDefault()
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{component?.Name ?? store.Environment} has no health gate elasticsearch in {region.Name} that says where {store} answers. Add one to its component.yaml, or take its backup out of the catalog.");
        var (service, prefix) = (ServiceHealth.Address(gate.Service, gate.Namespace, gate.Port, gate.Tls), access.Prefix ?? store.Environment);
        var own = connections.Regions.GetValueOrDefault(region.Name)?.External.GetValueOrDefault("elasticsearch")?.Address is { } stated ? new Uri(stated) : service;
        if (access.QuarantineSearch is { } place && new Uri(place.Address!) == own)
            throw new AdapterException(AdapterFailureKind.Rejected, $"backups.{store.Environment}.quarantineSearch.address is that of the Elasticsearch of {region.Name}. Name another one, or leave it out: then sets are proved in that one, under other names.");
        return new(
            async ct => regions.External(region.Name).Elasticsearch(service, await regions.LoginAsync(gate.Secret, gate.Namespace, region, ct)),
            access.QuarantineSearch is { } other ? _ => Task.FromResult(SearchIn(region, other)) : null,
            new($"platformops-{store.Environment}-{store}", access.Bucket, $"{prefix}/repository/{store}", access.SearchClient), Sets(store, access, objects), $"{store.Environment}/{store}", store.Environment, region.Name, time);
    }

    /// <summary>The managed database of the component that declares a store; null: that component is none.</summary>
    public ManagedDatabaseStore? ManagedDatabase(StoreReference store, SpecifiedEnvironment specified, BackupAccess? access)
    {
        var environment = specified.Environment;
        var found = environment.Regions.SelectMany(region => specified.InDependencyOrder(region.Name).Where(known => known.Backups.Any(backup => backup.Name == store.Store)).SelectMany(known => ManifestRenderer.Render(environment, known, region.Name)
            .Where(item => item.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DatabaseInstance" }).Select(item => (Component: known.Name, Region: region.Name, item.Address.Name, Secret: (string?)item.Manifest["spec"]?["masterPasswordSecret"])))).ToList();
        var secret = found.Select(item => item.Secret).OfType<string>().FirstOrDefault();
        return found.Count == 0 ? null : new(
            [.. found.Select(item => new ManagedDatabaseStore.Place(regions.Aws(item.Region), item.Region, item.Name))], new(environment.Platform, environment.Name, found[0].Component), access?.DatabaseKey ?? "alias/aws/rds", $"{store}", time, OpenAsync,
            found.Count == 0 ? null : specified.InDependencyOrder(found[0].Region).SelectMany(known => known.Backups).FirstOrDefault(known => known.Name == store.Store)?.Rows);

        // As its master user, whose password is that of the Secret that it was made with, unless the connections state a login.
        async Task<PostgresServer> OpenAsync(ManagedDatabaseStore.Place place, DatabaseInstance instance, DatabaseInstance database, CancellationToken ct)
        {
            if (regions.PlaysPostgresql(place.Region))
                throw new AdapterException(AdapterFailureKind.NotServed, $"A sandbox plays PostgreSQL of {place.Region} without a server.");
            var (region, stated) = (environment.Regions.First(known => known.Name == place.Region), connections.Regions.GetValueOrDefault(place.Region)?.Postgresql ?? new());
            var login = stated.User is null && secret?.Split('/') is [var space, var name]
                && await regions.LoginAsync(name, space, region, ct) is var (user, password) ? new PostgresServer.Login(user, password) : null;
            return PostgresServer.Open(stated with { Address = instance.Address, VaultRole = null }, "", tls: true, $"regions.{place.Region}.postgresql", login, Patience);
        }
    }

    private static ElasticsearchCluster SearchIn(RegionSpecification region, ExternalAccess place)
    {
        var there = new RegionConnection { External = new Dictionary<string, ExternalAccess> { ["elasticsearch"] = place } };
        using var services = new ExternalServices(new() { Regions = new Dictionary<string, RegionConnection> { [region.Name] = there } }, region.Name);
        return services.Elasticsearch(new(place.Address!), null);
    }

    /// <summary>The quarantine with a login.</summary>
    private static RegionVault VaultIn(RegionSpecification region, QuarantineVaultAccess place, VaultAccess login)
    {
        var there = new RegionConnection { Vault = login with { Address = place.Address, CertificateAuthority = place.CertificateAuthority } };
        return RegionVault.Open(new() { Regions = new Dictionary<string, RegionConnection> { [region.Name] = there } }, region.Name, new(place.Address), "quarantine");
    }

    private static KubernetesConnection? Cluster(RegionSpecification region, QuarantineClusterAccess? place) => place is null ? null : KubernetesConnection.Open(
        new() { Regions = new Dictionary<string, RegionConnection> { [region.Name] = new() { Kubeconfig = place.Kubeconfig, Context = place.Context ?? QuarantineContext } } }, region.Name, QuarantineContext);

    private static StoredSets Sets(StoreReference store, BackupAccess access, StoredObjects objects) => new(objects, access.Bucket, $"{access.Prefix ?? store.Environment}/sets/{store}/");

    private static IReadOnlyList<SecretText> UnsealKeys(StoreReference store, QuarantineVaultAccess place) => place.UnsealKeysFile is not { } file ? []
        : [.. Secret(file, $"backups.{store.Environment}.quarantineVault.unsealKeysFile").Reveal().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(line => new SecretText(line))];

    private static SecretText Secret(string file, string field)
    {
        try
        {
            return new(File.ReadAllText(file));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"{field} cannot be read: {failure.Message} Correct it in the connections file.", failure);
        }
    }
}
