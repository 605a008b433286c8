using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>Everything that leads to the primary or goes with it, as the connections state it: Endpoints, Secrets and ExternalSecrets in each region's cluster, the bucket beside each node, the DNS record.</summary>
internal sealed class PrimaryPointers(Lazy<SpecifiedEnvironment> specified, RegionConnections regions, FailoverAccess access)
{
    private string Environment => specified.Value.Environment.Name;

    /// <summary>Leads all of them to the new primary; nothing that is of a higher epoch is touched. All at once, so that what does not answer holds nobody up.</summary>
    /// <param name="mayLeave">Whether what is in the old primary's region may be left when it does not answer.</param>
    /// <returns>What was done, a clause for each; and how many of them were changed.</returns>
    /// <exception cref="AdapterException">One of them cannot be led there; the others were.</exception>
    public async Task<(IReadOnlyList<string> Done, int Changed)> LeadAsync(FailoverOrder order, bool mayLeave, CancellationToken ct)
    {
        var led = await Task.WhenAll(All().Select(async pointer =>
        {
            try
            {
                var detail = await pointer.LeadAsync(order, ct);
                return (Detail: detail is null ? $"{pointer.Name} led already to {order.To}" : $"{pointer.Name} leads to {detail}", Changed: detail is not null);
            }
            catch (AdapterException failure) when (mayLeave && failure.Kind == AdapterFailureKind.Unavailable && pointer.Region == order.From)
            {
                // What is there learns of it when the node is rebuilt.
                return (Detail: $"{pointer.Name} does not answer and was left", Changed: false);
            }
        }));
        return ([.. led.Select(one => one.Detail)], led.Count(one => one.Changed));
    }

    /// <summary>Where each of them leads. Changes nothing.</summary>
    public async Task<IReadOnlyList<PrimaryPointer>> ReadAsync(CancellationToken ct) => await Task.WhenAll(All().Select(async pointer =>
    {
        try
        {
            var (node, epoch) = await pointer.ReadAsync(ct);
            return new PrimaryPointer(pointer.Name, node, epoch);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return new(pointer.Name, null, null);
        }
    }));

    /// <summary>Whether each of them could be changed by a failover, by region. Changes nothing.</summary>
    /// <returns>Empty: none is stated that can be asked about.</returns>
    public async Task<IReadOnlyList<ReadinessItem>> ReadyAsync(CancellationToken ct)
    {
        var asked = await Task.WhenAll(All().Where(pointer => pointer is { MissingAsync: not null, Region: not null }).Select(async pointer =>
        {
            try
            {
                return (Region: pointer.Region!, Missing: await pointer.MissingAsync!(ct), Unknown: (string?)null);
            }
            catch (AdapterException failure)
            {
                return (pointer.Region!, null, $"{pointer.Name}: {failure.Message}");
            }
        }));
        return
        [
            .. from one in asked
               group one by one.Region into region
               let found = ReadinessRules.Pointers(region.Count(), [.. region.Select(one => one.Missing).OfType<string>()], [.. region.Select(one => one.Unknown).OfType<string>()])
               select new ReadinessItem($"pointers@{region.Key}", found.Ok, found.Detail),
        ];
    }

    private IEnumerable<Pointer> All() =>
    [
        .. access.Service is { } service ? InClusters($"Endpoints {service.Namespace}/{service.Name}", cluster => new PrimaryEndpoints(cluster, service.Namespace, service.Name), (at, order, ct) => at.LeadToAsync(Clients(order.To), order.Epoch, ct), (at, ct) => AddressAsync(at.ReadAsync(ct)), (at, ct) => at.MissingAsync(ct)) : [],
        .. access.Secrets.SelectMany(secret => InClusters($"Secret {secret.Namespace}/{secret.Name}", cluster => new PrimarySecret(cluster, secret), (at, order, ct) => at.LeadToAsync(Clients(order.To), order.Epoch, ct), (at, ct) => AddressAsync(at.ReadAsync(ct)), (at, ct) => at.MissingAsync(ct))),
        .. access.ExternalSecrets.SelectMany(secret => InClusters($"ExternalSecret {secret.Namespace}/{secret.Name}", cluster => new PrimaryExternalSecret(cluster, secret), (at, order, ct) => at.LeadToAsync(order.To, order.Epoch, ct), (at, ct) => at.ReadAsync(ct), (at, ct) => at.MissingAsync(ct))),
        .. access.Buckets.SelectMany(pair => pair.Names.Select(own => OfBucket(own.Key, own.Value, pair))),
        .. access.Dns is { } dns ? [OfRecord(dns)] : Array.Empty<Pointer>(),
    ];

    private IEnumerable<Pointer> InClusters<T>(string name, Func<KubernetesConnection, T> open, Func<T, FailoverOrder, CancellationToken, Task<bool>> lead, Func<T, CancellationToken, Task<(string? Node, long Epoch)>> read, Func<T, CancellationToken, Task<string?>> missing) =>
        specified.Value.Environment.Regions.Select(region => new Pointer(
            $"{name} in {region.Name}", region.Name,
            async (order, ct) => await lead(open(regions.Cluster(region)), order, ct) ? Clients(order.To) : null,
            ct => read(open(regions.Cluster(region)), ct),
            ct => missing(open(regions.Cluster(region)), ct)));

    private Pointer OfBucket(string node, string name, BucketPointer pair) => new(
        $"Bucket {name}", node,
        async (order, ct) =>
        {
            var copyTo = node == order.To && pair.ReplicationRole is { } role ? new Adapters.Aws.Storage.BucketReplication(pair.Names[order.From], role) : null;
            return !await new PrimaryBucket(regions.Aws(node), name).LeadToAsync(order.To, order.Epoch, copyTo, copied: pair.ReplicationRole is not null, ct) ? null
                : copyTo is null ? order.To : $"{order.To} and is copied to {copyTo.Bucket}";
        },
        ct => new PrimaryBucket(regions.Aws(node), name).ReadAsync(ct),
        ct => new PrimaryBucket(regions.Aws(node), name).MissingAsync(copied: pair.ReplicationRole is not null, ct));

    private Pointer OfRecord(DnsPointer dns) => new(
        $"DNS record {dns.Name.TrimEnd('.')}", null,
        async (order, ct) => await new PrimaryRecord(regions.Aws(dns.Region ?? order.To), dns, Environment).LeadToAsync(Host(order.To), order.Epoch, order.OperationId, ct) is { } kept
            ? $"{Host(order.To)}; resolvers may keep the old one for {kept.TotalSeconds:0} s" : null,
        async ct =>
        {
            var (host, epoch) = await new PrimaryRecord(regions.Aws(dns.Region ?? specified.Value.Environment.Regions[0].Name), dns, Environment).ReadAsync(ct);
            return (access.Nodes.Keys.FirstOrDefault(node => Host(node) == host), epoch);
        });

    private async Task<(string? Node, long Epoch)> AddressAsync(Task<(string? Address, long Epoch)> reading)
    {
        var (address, epoch) = await reading;
        return (access.Nodes.FirstOrDefault(node => node.Value.Clients == address).Key, epoch);
    }

    private string Host(string node) => Clients(node)[..Clients(node).LastIndexOf(':')].Trim('[', ']');

    private string Clients(string node) => access.Nodes.GetValueOrDefault(node)?.Clients
        ?? throw new AdapterException(AdapterFailureKind.Rejected, $"failover.{Environment}.nodes.{node}.clients is missing in the connections file.");

    /// <param name="Name">For people.</param>
    /// <param name="Region">Where it stands; null: in neither.</param>
    /// <param name="LeadAsync">Leads it to an order's new primary; what it leads to then, null when it was so already.</param>
    /// <param name="ReadAsync">The node that it leads to, and the epoch that it is of.</param>
    /// <param name="MissingAsync">What keeps a failover from changing it; null: it cannot be asked about.</param>
    private sealed record Pointer(
        string Name, string? Region, Func<FailoverOrder, CancellationToken, Task<string?>> LeadAsync, Func<CancellationToken, Task<(string? Node, long Epoch)>> ReadAsync, Func<CancellationToken, Task<string?>>? MissingAsync = null);
}
