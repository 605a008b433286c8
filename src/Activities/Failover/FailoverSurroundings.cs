using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>What leads to the database and what goes with it: Endpoints, DNS, the Temporal namespaces, and whether a region's services answer.</summary>
/// <param name="specified">Read when it is needed: that takes longer than a promotion.</param>
internal sealed class FailoverSurroundings(RegionConnections regions, Lazy<SpecifiedEnvironment> specified, FailoverAccess access)
{
    private const string EpochOfRecord = "_platformops-epoch.";

    private IReadOnlyList<RegionSpecification> Regions => specified.Value.Environment.Regions;

    /// <summary>Leads Endpoints of every region's cluster and the DNS record to the node. Nothing that is of a higher epoch is touched.</summary>
    public async Task<string> RepointAsync(FailoverOrder order, CancellationToken ct)
    {
        var done = new List<string>();
        if (access.Service is { } service)
        {
            foreach (var region in Regions)
            {
                // The old primary's region may be gone; what is there learns of it when it is repaired.
                try
                {
                    var changed = await new PrimaryEndpoints(regions.Cluster(region), service.Namespace, service.Name).LeadToAsync(Clients(order.To), order.Epoch, ct);
                    done.Add($"Endpoints {service.Namespace}/{service.Name} in {region.Name} {(changed ? "lead" : "led already")} to {Clients(order.To)}");
                }
                catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable && region.Name == order.From)
                {
                    done.Add($"{region.Name} does not answer and was left");
                }
            }
        }

        if (access.Dns is { } dns)
            done.Add(await RepointAsync(dns, order, ct));
        return done.Count == 0 ? "Neither a Service nor a DNS record leads to the database: clients name both nodes." : $"{string.Join("; ", done)}.";
    }

    /// <summary>The Temporal namespaces that go with the database.</summary>
    public NamespaceMoves Namespaces(FailoverOrder order, TimeProvider time) => new(order, access, Temporal(order.From), Temporal(order.To), time);

    /// <summary>Runs a workflow in each namespace.</summary>
    public async Task<string> RunCanaryAsync(FailoverOrder order, CancellationToken ct)
    {
        foreach (var space in access.TemporalNamespaces)
        {
            if (!await new CanaryWorkflow(Temporal(order.To)).CompletesAsync(space, ct))
                throw new AdapterException(AdapterFailureKind.Unavailable, $"The canary workflow in namespace {space} of {order.To} was started and not handed out. Look at matching and history there.");
        }

        return access.TemporalNamespaces.Count == 0 ? "No namespace goes with the database." : $"A workflow ended well in {string.Join(", ", access.TemporalNamespaces)}.";
    }

    /// <summary>Whether the services of a region answer.</summary>
    public async Task<IReadOnlyList<ServiceReport>> ServicesAsync(string region, CancellationToken ct) =>
    [
        await AskAsync("kubernetes", region, token => new Adapters.Kubernetes.Health.ClusterHealth(regions.Cluster(Region(region))).ServiceExistsAsync("default", "kubernetes", token), ct),
        await AskAsync("temporal", region, async token => await Temporal(region).VersionAsync(token), ct),
    ];

    /// <summary>Where everything leads that leads to the database. Changes nothing.</summary>
    public async Task<IReadOnlyList<PrimaryPointer>> PointersAsync(CancellationToken ct)
    {
        var pointers = new List<PrimaryPointer>();
        if (access.Service is { } service)
        {
            foreach (var region in Regions)
            {
                var found = await TryAsync(() => new PrimaryEndpoints(regions.Cluster(region), service.Namespace, service.Name).ReadAsync(ct));
                pointers.Add(new($"Endpoints {service.Namespace}/{service.Name} in {region.Name}", access.Nodes.FirstOrDefault(node => node.Value.Clients == found?.Address).Key, found?.Epoch));
            }
        }

        if (access.Dns is { } dns)
        {
            var found = await TryAsync(async () =>
            {
                var (_, old, epoch) = await FindAsync(dns, new HostedZones(regions.Aws(dns.Region ?? Regions[0].Name)), ct);
                return (old.Where(record => record.Type != "TXT").SelectMany(record => record.Values).FirstOrDefault()?.TrimEnd('.'), epoch);
            });
            pointers.Add(new($"DNS record {dns.Name}", access.Nodes.Keys.FirstOrDefault(node => Host(node) == found?.Item1), found?.epoch));
        }

        return pointers;
    }

    private static async Task<T?> TryAsync<T>(Func<Task<T>> read)
        where T : struct
    {
        try
        {
            return await read();
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return null;
        }
    }

    /// <summary>The records of the name as they are, and the highest epoch that they are of.</summary>
    private async Task<(DnsZone Zone, IReadOnlyList<DnsRecord> Records, long Epoch)> FindAsync(DnsPointer dns, HostedZones zones, CancellationToken ct)
    {
        var zone = (await zones.ListAsync(ct)).SingleOrDefault(known => known.Name == dns.Zone.TrimEnd('.'))
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"There is no public zone {dns.Zone} in Route 53. Create it, or correct failover.{specified.Value.Environment.Name}.dns in the connections file.");
        var records = await zones.RecordsAsync(zone, ct);
        var (name, epochName) = (dns.Name.TrimEnd('.'), EpochOfRecord + dns.Name.TrimEnd('.'));
        var old = records.Where(record => (record.Name.TrimEnd('.') == name && record.Type is "A" or "CNAME") || (record.Name.TrimEnd('.') == epochName && record.Type == "TXT")).ToList();
        var epoch = old.Where(record => record.Type == "TXT").SelectMany(record => record.Values).Select(value => long.TryParse(value.Trim('"'), out var its) ? its : 0).DefaultIfEmpty(0).Max();
        return (zone, old, epoch);
    }

    private async Task<string> RepointAsync(DnsPointer dns, FailoverOrder order, CancellationToken ct)
    {
        var zones = new HostedZones(regions.Aws(dns.Region ?? order.To));
        var (zone, old, epoch) = await FindAsync(dns, zones, ct);
        var (name, epochName) = (dns.Name.TrimEnd('.'), EpochOfRecord + dns.Name.TrimEnd('.'));
        if (epoch > order.Epoch)
            throw new AdapterException(AdapterFailureKind.Rejected, $"DNS record {name} is of epoch {epoch}, which is higher than {order.Epoch}: another failover has happened since. Nothing was changed.");
        var host = Host(order.To);
        var life = TimeSpan.FromSeconds(dns.TimeToLiveSeconds);
        DnsRecord[] wanted =
        [
            new() { Name = name, Type = System.Net.IPAddress.TryParse(host, out _) ? "A" : "CNAME", Values = [host], TimeToLive = life },
            new() { Name = epochName, Type = "TXT", Values = [$"\"{order.Epoch}\""], TimeToLive = life },
        ];
        if (epoch == order.Epoch && old.Any(record => record.Type != "TXT" && record.Values.SequenceEqual(wanted[0].Values)))
            return $"DNS record {name} led already to {host}";
        // Both records, exactly as they were read, are swapped for both: whoever wrote in between makes it fail.
        await zones.ReplaceAsync(zone, old, wanted, order.OperationId, ct);
        return $"DNS record {name} leads to {host}; resolvers may keep the old one for {old.Select(record => record.TimeToLive.TotalSeconds).DefaultIfEmpty(0).Max():0} s";
    }

    private static async Task<ServiceReport> AskAsync(string service, string region, Func<CancellationToken, Task> ask, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            await ask(deadline.Token);
            return new(service, region, true);
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable)
        {
            return new(service, region, false, failure.Message);
        }
        catch (AdapterException failure)
        {
            // It answers, although not as we would like.
            return new(service, region, failure.Kind is AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden ? true : null, failure.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(service, region, false, "No answer within 2 s.");
        }
    }

    private string Host(string node) => Clients(node)[..Clients(node).LastIndexOf(':')].Trim('[', ']');

    private string Clients(string node) => access.Nodes.GetValueOrDefault(node)?.Clients
        ?? throw new AdapterException(AdapterFailureKind.Rejected, $"failover.{specified.Value.Environment.Name}.nodes.{node}.clients is missing in the connections file.");

    private RegionSpecification Region(string name) => Regions.Single(region => region.Name == name);

    /// <summary>The platform's own Temporal, by the gate of whichever component has one.</summary>
    private TemporalCluster Temporal(string region) => specified.Value.Catalog.Components.SelectMany(component => component.Health).OfType<TemporalFrontendGate>().FirstOrDefault() is { } gate
        ? regions.Temporal(region, gate)
        : throw new AdapterException(AdapterFailureKind.NotServed, "No component of the catalog is a Temporal frontend.");
}
