using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>An environment whose cluster state is backed up into a bucket, with a real etcd behind a link that can be cut.</summary>
internal sealed class EtcdWorld : IAsyncDisposable
{
    public const string Key = "/registry/configmaps/shop/settings";

    private readonly SandboxAws aws;
    private readonly StateCluster cluster;
    private readonly AwsConnection connection;

    private EtcdWorld(SandboxAws aws, RealEtcd etcd, StateCluster cluster, TestPlatform platform)
    {
        (this.aws, Etcd, this.cluster, Platform) = (aws, etcd, cluster, platform);
        (connection, Link) = (aws.Connect(), new(etcd.Declared.Endpoint.Port));
        Objects = new(connection, Bucket);
        platform.Write("catalog/ground/component.yaml", platform.Read("catalog/ground/component.yaml") + """

            backups:
              - {name: state, store: kubernetes-state, schedules: [{every: 12h}], retention: 14d, rpo: 24h, rto: 1h}
              - {name: secrets, store: vault, schedules: [{every: 12h}], retention: 14d, rpo: 24h, rto: 1h}
            """);
        platform.Write("backup.key", Convert.ToBase64String(new byte[32]));
        var backups = new PlatformConnections
        {
            Backups = new Dictionary<string, BackupAccess> { [platform.Environment] = new() { Bucket = Bucket, Aws = aws.Settings(Bucket) with { Region = "us-east-1" }, KeyFiles = [PathOf("backup.key")] } },
        };
        backups.Save(Connections = PathOf("connections.json"));
        Worker = backups with { Regions = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = new() { Kubeconfig = cluster.Cluster.Kubeconfig(cluster.Proxy.Address, cluster.Proxy.Token) } } };
    }

    public RealEtcd Etcd { get; }

    /// <summary>Through which workers reach it.</summary>
    public Link Link { get; }

    public TestPlatform Platform { get; }

    public StoredObjects Objects { get; }

    public StoreReference Store => new(Platform.Environment, "state");

    /// <summary>A connections file that has the bucket and the key, and no cluster.</summary>
    public string Connections { get; }

    /// <summary>Those of a worker.</summary>
    public PlatformConnections Worker { get; }

    private string Bucket => $"backups-{Platform.Suffix}";

    public static async Task<EtcdWorld> StartAsync(SandboxAws aws)
    {
        var etcd = await RealEtcd.StartAsync();
        var cluster = await StateCluster.StartAsync(new SandboxCluster());
        var world = new EtcdWorld(aws, etcd, cluster, await TestPlatform.CreateAsync(cluster.Cluster));
        await new Buckets(world.connection).EnsureAsync(new() { Name = world.Bucket }, new("test", "production", "backups"), "op-1", TestContext.Current.CancellationToken);
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/kube-system/secrets", RealEtcd.SecretOf(etcd.Authority));
        await etcd.PutAsync(Key, "EUR");
        return world;
    }

    public string PathOf(string name) => Path.GetFullPath(Path.Combine(Platform.SpecificationFolder, "..", name));

    /// <summary>Writes into the specification how workers reach etcd, or that they do not.</summary>
    public void Declare(bool etcd)
    {
        Platform.Specify();
        var file = $"specification/environments/{Platform.Environment}.yaml";
        if (etcd)
            Platform.Write(file, Platform.Read(file).Replace("kubernetesContext: test", $"kubernetesContext: test, etcd: {{endpoint: \"https://{Link.Address}\", secret: {RealEtcd.Secret}}}", StringComparison.Ordinal));
    }

    /// <summary>A set as a worker makes it.</summary>
    public async Task MakeAsync(string set, bool etcd)
    {
        Declare(etcd);
        using var activities = new BackupActivities(new(Platform.SpecificationFolder, PathOf("catalog")), Worker);
        Assert.Equal(etcd, (await Platform.RunAsync(() => activities.BeginBackupAsync(new(Store, set, StoreKind.KubernetesState, null)))).Etcd);
        var made = await Platform.RunAsync(() => activities.MakeBackupAsync(new(Store, set, BackupMethod.Full)));
        await Platform.RunAsync(() => activities.RecordBackupAsync(new(Store, set, made, null)));
    }

    public async ValueTask DisposeAsync()
    {
        connection.Dispose();
        await Platform.DisposeAsync();
        await cluster.DisposeAsync();
        Link.Dispose();
        await Etcd.DisposeAsync();
    }
}
