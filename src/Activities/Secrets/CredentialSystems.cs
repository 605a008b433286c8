using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Redis;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Secrets;

/// <summary>Finds the system that a declared secret is for. A new kind is one class and one line here.</summary>
/// <param name="components">All that the region has.</param>
/// <param name="vault">Of the region.</param>
internal sealed class CredentialSystems(RegionConnections connections, IEnumerable<ComponentDefinition> components, VaultConnection vault, TimeProvider time)
{
    public async Task<ICredentialSystem> OpenAsync(ComponentDefinition component, RotationDefinition rotation, RegionSpecification region, CancellationToken ct) => (rotation.Kind, rotation.Target) switch
    {
        (RotationKind.Value, _) => new NobodyToAsk(),
        (RotationKind.CodecKey, _) => new CodecKeySystem($"{rotation.Path} in Vault, or Secret {rotation.Namespace}/{rotation.Secret}", time),
        (RotationKind.PostgresqlUsers, _) => await PostgresqlAsync(component, region, ct),
        (RotationKind.ElasticsearchUsers, _) => await ElasticsearchAsync(component, region, ct),
        (RotationKind.RedisUsers, RedisTarget target) => new RedisUserSystem(new(await RedisAsync(rotation, target, region, ct)), StatedRedis(region) ?? [], target.Port),
        (RotationKind.IamAccessKeys, IamTarget target) => new AccessKeySystem(new(connections.Aws(region.Name), target.User), rotation.ProvedBySnapshots ? token => SnapshotsAsync(region, token) : null),
        (RotationKind.AppRoleSecretId, AppRoleTarget target) => new AppRoleSystem(new(vault, target.Mount), target.Role),
        (RotationKind.VaultToken, VaultTokenTarget target) => new VaultTokenSystem(new(vault), target),
        (RotationKind.ServiceToken, ServiceTarget target) => new ServiceTokenSystem(connections.External(region.Name).Credentials(target), time, rotation.Every),
        (RotationKind.ServicePassword, ServiceTarget target) => new ServicePasswordSystem(connections.External(region.Name).Credentials(target)),
        _ => throw new InvalidOperationException($"{rotation.Kind} is of no system."),
    };

    private async Task<ICredentialSystem> PostgresqlAsync(ComponentDefinition component, RegionSpecification region, CancellationToken ct)
    {
        if (connections.PlaysPostgresql(region.Name))
            throw new ApplicationFailureException(
                $"A sandbox plays PostgreSQL of {region.Name} without a server: its logins cannot be rotated. State regions.{region.Name}.postgresql of a real one in the connections file.",
                FailureTypes.Rejected, nonRetryable: true);
        var gate = component.Health.OfType<PostgresqlGate>().First();
        return new PostgresqlUserSystem(await connections.PostgresqlAsync(gate, region, ct), connections.StatesPostgresqlAddress(region.Name) ? null : gate.Port);
    }

    /// <summary>Without an Elasticsearch in the environment nobody writes snapshots.</summary>
    private async Task SnapshotsAsync(RegionSpecification region, CancellationToken ct)
    {
        if (components.SelectMany(component => component.Health).OfType<ElasticsearchGate>().FirstOrDefault() is not { } gate)
            return;
        using var cluster = connections.External(region.Name).Elasticsearch(
            ServiceHealth.Address(gate.Service, gate.Namespace, gate.Port, gate.Tls), await connections.LoginAsync(gate.Secret, gate.Namespace, region, ct));
        await cluster.Snapshots.VerifyAllAsync(ct);
    }

    private async Task<ICredentialSystem> ElasticsearchAsync(ComponentDefinition component, RegionSpecification region, CancellationToken ct)
    {
        var gate = component.Health.OfType<ElasticsearchGate>().First();
        var login = await connections.LoginAsync(gate.Secret, gate.Namespace, region, ct);
        var service = new Uri($"{(gate.Tls ? "https" : "http")}://{gate.Service}.{gate.Namespace}.svc:{gate.Port}");
        return new ElasticsearchUserSystem(connections.External(region.Name).ElasticsearchUsers(service, login), service, stated: connections.StatesAddress(region.Name, "elasticsearch"));
    }

    /// <summary>Null: its Service says where it is.</summary>
    private IReadOnlyList<string>? StatedRedis(RegionSpecification region) => connections.External(region.Name).Redis?.Address?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>By the login that the connections state, else by the one that the Secret holds.</summary>
    private async Task<RedisAccess> RedisAsync(RotationDefinition rotation, RedisTarget target, RegionSpecification region, CancellationToken ct)
    {
        var (cluster, stated) = (connections.Cluster(region), connections.External(region.Name).Redis);
        var addresses = StatedRedis(region)
            ?? await new ClusterHealth(cluster).EndpointAddressesAsync(target.Namespace, target.Service, target.Port, ct);
        if (stated?.TokenFile is { } file)
            return new(addresses, target.Tls, stated.CertificateAuthority, stated.User, new(await ReadAsync(file, region, ct)));
        var there = await new SecretReader(cluster).FindAsync(rotation.Namespace, rotation.Secret, ct);
        return new(
            addresses, target.Tls, stated?.CertificateAuthority, rotation.UsernameKey is { } key ? there?.GetValueOrDefault(key)?.Reveal() : null, there?.GetValueOrDefault(rotation.PasswordKey));
    }

    private static async Task<string> ReadAsync(string file, RegionSpecification region, CancellationToken ct)
    {
        try
        {
            return (await File.ReadAllTextAsync(file, ct)).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Unauthorized, $"The password for Redis cannot be read: {failure.Message} Correct regions.{region.Name}.external.redis.tokenFile in the connections file.", failure);
        }
    }
}
