using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Secrets;

/// <summary>Gathers what the reach of a leak is computed from: the rotations of an environment with whose credentials they are, and who uses which Secret.</summary>
internal sealed class LeakFacts(SpecifiedEnvironment specified, RegionConnections connections, Func<RegionSpecification, VaultConnection> vault)
{
    public async Task<LeakPlan> ReachAsync(string? path, string? identity, CancellationToken ct)
    {
        var (secrets, uses) = (new List<RotatableSecret>(), new List<SecretUse>());
        foreach (var region in specified.Environment.Regions)
        {
            var (cluster, components) = (connections.Cluster(region), specified.InDependencyOrder(region.Name).ToList());
            var spaces = components.Select(component => component.Namespace).ToHashSet();
            foreach (var (_, rotation) in specified.Rotations(region.Name))
            {
                var secret = await SecretAsync(rotation, region, cluster, ct);
                secrets.Add(secret);
                spaces.UnionWith(secret.Places.Select(place => place[..place.IndexOf('/', StringComparison.Ordinal)]));
            }

            foreach (var space in spaces.Order(StringComparer.Ordinal))
                uses.AddRange((await new SecretConsumers(cluster).UsesAsync(space, ct)).Select(use => new SecretUse(region.Name, use.Workload, use.ServiceAccount, use.Secrets)));
        }

        return BlastRadius.Of(path, identity, secrets, uses);
    }

    private async Task<RotatableSecret> SecretAsync(RotationDefinition rotation, RegionSpecification region, KubernetesConnection cluster, CancellationToken ct)
    {
        var kept = await new StagedSecrets(new(vault(region))).ReadAsync(rotation.Path, ct);
        var published = new PublishedSecret(rotation, cluster, specified.Labels);
        var login = kept.Current?.Login ?? (await published.FindAsync(ct))?.Login;
        return new(
            region.Name, rotation.Name, rotation.Kind, rotation.Path, await published.PlacesAsync(ct), [.. Identities(rotation, [login, kept.Pending?.Login, kept.Previous?.Login]).OfType<string>().Distinct()],
            rotation.Kind is not (RotationKind.AppRoleSecretId or RotationKind.VaultToken) ? [] : rotation.Reads.Count > 0 ? rotation.Reads : null,
            kept.Pending is not null || kept is { Current.Rotation.Length: > 0, Previous: not null });
    }

    private static IEnumerable<string?> Identities(RotationDefinition rotation, IReadOnlyList<string?> logins) => rotation.Target switch
    {
        IamTarget iam => logins.Append(iam.User),
        AppRoleTarget role => logins.Append(role.Role).Append($"{role.Mount}/{role.Role}"),
        RedisTarget => logins.Select(login => login ?? "default"),
        _ when rotation.Kind is RotationKind.PostgresqlUsers or RotationKind.ElasticsearchUsers => logins.OfType<string>().SelectMany(login => (string[])[login, AlternatingLogins.Other(login)]),
        _ => logins,
    };
}
