using System.Collections.Concurrent;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.External;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>The connections of a worker to the regions, kept from activity to activity.</summary>
internal sealed class RegionConnections(PlatformConnections connections) : IDisposable
{
    private readonly ConcurrentDictionary<(string Region, string Context), (DateTime Credentials, KubernetesConnection Connection)> clusters = new();
    private readonly ConcurrentDictionary<(string Region, string Service), TemporalCluster> temporals = new();
    private readonly ConcurrentDictionary<(string Region, Uri Service), Lazy<RegionVault>> vaults = new();
    private readonly ConcurrentDictionary<string, ExternalServices> externals = new();
    private readonly ConcurrentDictionary<string, Lazy<DatabaseLogin>> logins = new();

    private readonly ConcurrentDictionary<string, (DateTime Credentials, AwsConnection Connection)> clouds = new();

    /// <summary>The cluster of a region. Renewed credentials are taken up: a kubeconfig that was written since is read again.</summary>
    public KubernetesConnection Cluster(RegionSpecification region)
    {
        var key = (region.Name, region.KubernetesContext);
        if (clusters.TryGetValue(key, out var known) && known.Credentials == WrittenAt(known.Connection))
            return known.Connection;
        var opened = KubernetesConnection.Open(connections, region.Name, region.KubernetesContext);
        clusters[key] = (WrittenAt(opened), opened);
        // Not disposed when replaced: another activity may be in the middle of a call; it goes with its last user.
        return opened;
    }

    /// <summary>The platform's own Temporal in a region, by the gate that names its frontend.</summary>
    public TemporalCluster Temporal(string region, TemporalFrontendGate frontend) => Temporal(region, frontend.Service, frontend.Namespace, frontend.Port);

    /// <summary>The platform's own Temporal in a region, by the Service of its frontend.</summary>
    public TemporalCluster Temporal(string region, string service, string space, int port) => temporals.GetOrAdd(
        (region, $"{service}.{space}.svc:{port}"), key => TemporalCluster.Open(connections, key.Region, key.Service));

    /// <summary>Vault of a region, by the gate that names its Service.</summary>
    public RegionVault Vault(string region, VaultGate gate) => vaults.GetOrAdd(
        (region, new($"{(gate.Tls ? "https" : "http")}://{gate.Service}.{gate.Namespace}.svc:{gate.Port}")), key => new(() => RegionVault.Open(connections, key.Region, key.Service, "provisioning").KeptAlive())).Value;

    /// <summary>Whether this machine reaches the pods of a region's frontend: not where the connections state another address for it.</summary>
    public bool ReachesPods(string region) => connections.Regions.GetValueOrDefault(region) is not { } how || (how.TemporalPods ?? how.TemporalAddress is null);

    /// <summary>One pod of the frontend. The caller disposes it: pods come and go.</summary>
    /// <param name="address">Host and port.</param>
    public TemporalCluster TemporalPod(string region, TemporalFrontendGate frontend, string address) =>
        TemporalCluster.OpenAt(connections, region, address, $"{frontend.Service}.{frontend.Namespace}.svc");

    /// <summary>Whether a sandbox plays PostgreSQL without a server.</summary>
    public bool PlaysPostgresql(string region) => connections.Regions.GetValueOrDefault(region)?.Postgresql is { Played: true };

    /// <summary>PostgreSQL of a region, by the gate that names its Service; the login is that of the connections, which Vault may have made, else that of the gate's Secret. The caller disposes it: logins change.</summary>
    public async Task<PostgresServer> PostgresqlAsync(PostgresqlGate gate, RegionSpecification region, CancellationToken ct)
    {
        var (access, setting) = (connections.Regions.GetValueOrDefault(region.Name)?.Postgresql ?? new(), $"regions.{region.Name}.postgresql");
        return access.VaultRole is null ? Open(await LoginAsync(gate.Secret, gate.Namespace, region, ct) is var (user, password) ? new(user, password) : null)
            : Open(await logins.GetOrAdd(region.Name, name => new(() => DatabaseLogin.Open(connections, name, login => Open(login)))).Value.LoginAsync(ct));

        PostgresServer Open(PostgresServer.Login? login) => PostgresServer.Open(access, $"{gate.Service}.{gate.Namespace}.svc:{gate.Port}", gate.Tls, setting, login);
    }

    /// <summary>PostgreSQL's databases, roles and slots as declared objects. There are none as long as neither the connections nor the cluster have a server.</summary>
    public PostgresObjects PostgresqlObjects(PostgresqlGate gate, RegionSpecification region) => new(region.Name, async ct =>
    {
        var how = connections.Regions.GetValueOrDefault(region.Name)?.Postgresql;
        if (how is { Played: true })
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"A sandbox plays PostgreSQL of {region.Name} without a server, which cannot have {ResourceAddress.PostgresqlApiVersion}. State regions.{region.Name}.postgresql of a real one in the connections file.");
        return how?.Address is null && !await new ClusterHealth(Cluster(region)).ServiceExistsAsync(gate.Namespace, gate.Service, ct) ? null : await PostgresqlAsync(gate, region, ct);
    });

    /// <summary>The login in a Secret of the cluster; null: none is named, or it is not there (yet).</summary>
    public async Task<(string User, SecretText Password)?> LoginAsync(string? secret, string space, RegionSpecification region, CancellationToken ct) =>
        secret is null ? null : await new ClusterHealth(Cluster(region)).LoginAsync(space, secret, ct);

    /// <summary>Whether the connections say how a region reaches AWS.</summary>
    /// <remarks>Another endpoint than AWS's without credentials for it leads nowhere: that shuts the way to an account that nobody meant.</remarks>
    public bool StatesAws(string region) => connections.Regions.GetValueOrDefault(region)?.Aws is { } stated && (stated.Endpoint is null || stated.CredentialsFile is not null || stated.Profile is not null);

    /// <summary>Whether the connections say how a region reaches PostgreSQL, and who we are there.</summary>
    public bool StatesPostgresql(string region) => connections.Regions.GetValueOrDefault(region)?.Postgresql is { Played: false, Address: not null } access && (access.User ?? access.VaultRole) is not null;

    /// <summary>Whether the connections say where PostgreSQL of a region is asked, whoever we are there.</summary>
    public bool StatesPostgresqlAddress(string region) => connections.Regions.GetValueOrDefault(region)?.Postgresql?.Address is not null;

    /// <summary>Whether the connections say where a service of a region is asked.</summary>
    public bool StatesAddress(string region, string service) => connections.Regions.GetValueOrDefault(region)?.External.GetValueOrDefault(service)?.Address is not null;

    /// <summary>Whether the connections say how a region reaches a service.</summary>
    public bool States(string region, string service) => connections.Regions.GetValueOrDefault(region)?.External.ContainsKey(service) == true;

    /// <summary>The services with an API of their own, as a region reaches them.</summary>
    public ExternalServices External(string region) => externals.GetOrAdd(region, name => new(connections, name));

    /// <summary>The AWS APIs of a region. Renewed credentials are taken up.</summary>
    public AwsConnection Aws(string region)
    {
        var written = RegionAws.CredentialsWrittenAt(connections, region);
        if (clouds.TryGetValue(region, out var known) && known.Credentials == written)
            return known.Connection;
        var opened = RegionAws.Open(connections, region);
        clouds[region] = (written, opened);
        return opened;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, cloud) in clouds.Values)
            cloud.Dispose();
        foreach (var (_, cluster) in clusters.Values)
            cluster.Dispose();
        foreach (var temporal in temporals.Values)
            temporal.Dispose();
        // One that could not be opened has nothing to close, and says its failure again to whoever asks.
        foreach (var login in logins.Values.Where(login => login.IsValueCreated))
            login.Value.Dispose();
        foreach (var vault in vaults.Values.Where(vault => vault.IsValueCreated))
            vault.Value.Dispose();
        foreach (var external in externals.Values)
            external.Dispose();
    }

    private static DateTime WrittenAt(KubernetesConnection connection) => File.GetLastWriteTimeUtc(connection.Account.Source);
}
