using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Opens a store and its backup catalog as specification, catalog and connections say. A new kind of store is one class, named here.</summary>
internal sealed class BackupStores(PlatformConnections connections, TimeProvider time) : IDisposable
{
    private readonly Dictionary<string, AwsConnection> buckets = [];
    private readonly Lock gate = new();
    private readonly SnapshotStores snapshots = new(connections, time);

    public IBackupStore Open(StoreReference store, SpecifiedEnvironment specified, BackupDefinition definition) => definition.Store switch
    {
        StoreKind.Postgresql when ManagedDatabase(store, specified) is { } managed => managed,
        StoreKind.Postgresql => Guarded(store, definition.Rows),
        StoreKind.KubernetesState => snapshots.ClusterState(store, Region(store, specified), definition.Retention, Access(store.Environment), Objects(store.Environment)),
        StoreKind.Vault => snapshots.Vault(store, specified, Region(store, specified), Access(store.Environment), Objects(store.Environment)),
        StoreKind.Elasticsearch => snapshots.Search(store, specified, Region(store, specified), Access(store.Environment), Objects(store.Environment)),
        var kind => throw new AdapterException(AdapterFailureKind.NotServed, $"{store} is of kind {kind}, which this version does not back up. Remove it from backups in the catalog."),
    };

    /// <summary>The sets of a store of cluster state, without the cluster.</summary>
    public StateSets StateSets(StoreReference store) => SnapshotStores.StateSets(store, Access(store.Environment), Objects(store.Environment));

    /// <summary>The managed database of a store; null: it is none.</summary>
    public ManagedDatabaseStore? ManagedDatabase(StoreReference store, SpecifiedEnvironment specified) => snapshots.ManagedDatabase(store, specified, connections.Backups.GetValueOrDefault(store.Environment));

    public BackupCatalog Catalog(StoreReference store) => new(Objects(store.Environment), $"{Access(store.Environment).Prefix ?? store.Environment}/catalog/{store}/");

    /// <summary>What restores of a store write down for themselves, beside its sets.</summary>
    public RestoreNotes Notes(StoreReference store) => new(Objects(store.Environment), $"{Access(store.Environment).Prefix ?? store.Environment}/restores/{store}/");

    /// <summary>The copies of a store's sets, and their locks; null: neither is stated.</summary>
    public SetCopies? Copies(StoreReference store)
    {
        var access = Access(store.Environment);
        if (access is { Copy: null, Locked: false })
            return null;
        var copy = access.Copy is null ? null : new SetCopies.Place(new(Bucket($"{store.Environment} copy", access.Copy.Aws ?? access.Aws), access.Copy.Bucket), access.Copy.Bucket, (access.Copy.Aws ?? access.Aws)?.Region ?? access.Copy.Bucket);
        return new(new(Objects(store.Environment), access.Bucket, access.Aws?.Region ?? access.Bucket), copy, access.Locked, $"{access.Prefix ?? store.Environment}/lock-probe", time);
    }

    /// <summary>Who reads the sets of a store.</summary>
    public SetClaims Claims(StoreReference store) => new(Catalog(store), time);

    /// <summary>The region that sets of a store carry: where its database is, which may change places, is not said by it.</summary>
    public static string RegionOf(StoreReference store, SpecifiedEnvironment specified) => store.Region ?? specified.Environment.Regions[0].Name;

    /// <inheritdoc/>
    public void Dispose()
    {
        snapshots.Dispose();
        foreach (var bucket in buckets.Values)
            bucket.Dispose();
    }

    /// <summary>The database that a restore replaces, with the store that does it.</summary>
    /// <exception cref="AdapterException">It is not behind guards.</exception>
    public (GuardedBackups Store, FailoverPair Pair, bool Synchronous) Database(StoreReference store)
    {
        var guarded = Guarded(store);
        var access = connections.Failover[store.Environment];
        return (guarded, FailoverPairs.Open(store.Environment, access, connections), access.Synchronous);
    }

    /// <summary>Who keeps the epoch of an environment; null: nobody is stated.</summary>
    public IWitness? Witness(string environment) => connections.Failover.TryGetValue(environment, out var access) ? FailoverPairs.WitnessOf(environment, access) : null;

    /// <summary>The Vault of a store's region, where the environment has one.</summary>
    public RegionVault? Vault(StoreReference store, SpecifiedEnvironment specified)
    {
        var region = Region(store, specified);
        return specified.InDependencyOrder(region.Name).SelectMany(component => component.Health).OfType<VaultGate>().FirstOrDefault() is { } gate
            ? RegionVault.Open(connections, region.Name, new($"{(gate.Tls ? "https" : "http")}://{gate.Service}.{gate.Namespace}.svc:{gate.Port}"), "restore") : null;
    }

    private GuardedBackups Guarded(StoreReference store, RowTolerance? rows = null) => connections.Failover.TryGetValue(store.Environment, out var access) && access.Kind == "guard"
        ? new(FailoverPairs.Guards(store.Environment, access), time, rows)
        : throw new AdapterException(
            AdapterFailureKind.NotServed, $"{store} of {store.Environment} is not behind guards: failover.{store.Environment}.nodes of the connections file states none. See docs/runbooks/backup.md.");

    private BackupAccess Access(string environment) => connections.Backups.GetValueOrDefault(environment)
        ?? throw new AdapterException(AdapterFailureKind.Rejected, $"backups.{environment} is missing in the connections file: nobody knows where its backup catalog is. See docs/runbooks/backup.md.");

    private static RegionSpecification Region(StoreReference store, SpecifiedEnvironment specified) => specified.Environment.Regions.First(region => region.Name == RegionOf(store, specified));

    private StoredObjects Objects(string environment) => new(Bucket(environment, Access(environment).Aws), Access(environment).Bucket);

    private AwsConnection Bucket(string name, AwsSettings? aws)
    {
        lock (gate)
        {
            if (!buckets.TryGetValue(name, out var known))
            {
                var own = new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { ["backups"] = new() { Aws = aws } } };
                buckets[name] = known = RegionAws.Open(own, "backups");
            }

            return known;
        }
    }
}
