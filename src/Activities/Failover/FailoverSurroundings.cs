using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
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
    private IReadOnlyList<RegionSpecification> Regions => specified.Value.Environment.Regions;

    private PrimaryPointers Pointers => new(specified, regions, access);

    /// <summary>Leads everything that leads to the database to the order's new primary; what is in the old one's region and does not answer is left.</summary>
    public async Task<string> RepointAsync(FailoverOrder order, CancellationToken ct)
    {
        var (done, _) = await Pointers.LeadAsync(order, mayLeave: true, ct);
        return done.Count == 0 ? "Nothing is stated that leads to the database: clients name both nodes." : $"{string.Join("; ", done)}.";
    }

    /// <summary>Leads also what was left, now that its region is back.</summary>
    /// <param name="mayLeave">Whether it may still not answer.</param>
    /// <returns>What was changed; null: nothing had to be.</returns>
    public async Task<string?> RepointRestAsync(FailoverOrder order, bool mayLeave, CancellationToken ct) =>
        await Pointers.LeadAsync(order, mayLeave, ct) is { Changed: > 0 } led ? $"{string.Join("; ", led.Done)}." : null;

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
    public Task<IReadOnlyList<PrimaryPointer>> PointersAsync(CancellationToken ct) => Pointers.ReadAsync(ct);

    /// <summary>Whether a failover could change what leads to the database. Changes nothing.</summary>
    public Task<IReadOnlyList<ReadinessItem>> PointersReadyAsync(CancellationToken ct) => Pointers.ReadyAsync(ct);

    /// <summary>What the Temporal clusters of these regions say of the namespaces that go with the database. Changes nothing.</summary>
    public async Task<IReadOnlyList<NamespaceSight>> NamespacesAsync(IReadOnlyList<string> names, CancellationToken ct) => await Task.WhenAll(access.TemporalNamespaces.Select(async space =>
    {
        var said = await Task.WhenAll(names.Select(region => TryReadAsync(new(Temporal(region)), space, ct)));
        return new NamespaceSight(space, names.Zip(said).ToDictionary(one => one.First, one => one.Second));
    }));

    /// <summary>What a cluster says of a namespace; null: it does not answer.</summary>
    internal static async Task<ActiveNamespace?> TryReadAsync(ActiveCluster side, string space, CancellationToken ct)
    {
        try
        {
            return await side.ReadAsync(space, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return null;
        }
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

    private RegionSpecification Region(string name) => Regions.Single(region => region.Name == name);

    /// <summary>The platform's own Temporal, by the gate of whichever component has one.</summary>
    private TemporalCluster Temporal(string region) => specified.Value.Catalog.Components.SelectMany(component => component.Health).OfType<TemporalFrontendGate>().FirstOrDefault() is { } gate
        ? regions.Temporal(region, gate)
        : throw new AdapterException(AdapterFailureKind.NotServed, "No component of the catalog is a Temporal frontend.");
}
