using PlatformOps.Adapters;
using PlatformOps.Adapters.Cloudflare;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Starter.Up;

/// <summary>External services of an evaluation, which have what the environment declares of them, and empty zones for its records; and what answers behind the Services of
/// systems whose gates ask them.</summary>
internal sealed class ExternalWorld : IAsyncDisposable
{
    /// <summary>What each region has one of its own of: their logins stand in the region's Secrets.</summary>
    private static readonly string[] Regional = ["elasticsearch", "grafana", "prometheus"];

    private readonly ExternalStandIn services;
    private readonly Dictionary<string, ExternalStandIn> regional;
    private readonly Dictionary<string, (string Namespace, string Service)> behind;

    private ExternalWorld(ExternalStandIn services, Dictionary<string, ExternalStandIn> regional, Dictionary<string, (string, string)> behind) =>
        (this.services, this.regional, this.behind) = (services, regional, behind);

    /// <summary>The Services that these answer behind, in some regions.</summary>
    public IEnumerable<SandboxService> Behind(IReadOnlyList<string> regions) =>
        regions.SelectMany(region => behind.Values.Select(at => new SandboxService(region, at.Namespace, at.Service, Of(region).Address("").Authority)));

    /// <summary>Null when the environment declares nothing of any.</summary>
    /// <param name="file">Where the DNS records are kept.</param>
    /// <param name="firstPassword">The password of a user (fourth) of a service (third) in a region (second), by which rotations stand where (first).</param>
    /// <param name="bucketRefusal">Why S3 refuses what the nodes of a region's Elasticsearch have; null: it does not.</param>
    public static async Task<ExternalWorld?> StartAsync(
        EnvironmentSpecification environment, ComponentCatalog catalog, int seed, string file,
        Func<ILookup<string, RotationDefinition>, string, string, string, CancellationToken, Task<string?>> firstPassword, Func<string, CancellationToken, Task<string?>> bucketRefusal, CancellationToken ct)
    {
        var rendered = environment.Components.Where(component => component.Enabled)
            .SelectMany(component => environment.Regions.SelectMany(region => ManifestRenderer.Render(environment, catalog.Find(component.Name)!, region.Name))).ToList();
        // Regions share these services.
        var declared = rendered.Where(item => item.Address.ApiVersion == ObjectKind.ExternalApiVersion).DistinctBy(item => (item.Address.Kind, item.Address.Name)).ToList();
        var zones = rendered.Where(item => item.Address.ApiVersion == CloudflareObjects.ApiVersion).Select(item => (string?)item.Manifest["spec"]?["zone"]).OfType<string>().Distinct().ToList();
        var behind = environment.Components.Where(component => component.Enabled).SelectMany(component => catalog.Find(component.Name)!.Health).Select(At).OfType<(string Name, string, string)>()
            .DistinctBy(at => at.Name).ToDictionary(at => at.Name, at => (at.Item2, at.Item3));
        if (declared.Count + zones.Count + behind.Count == 0)
            return null;
        var services = await ExternalStandIn.StartAsync(seed, file, ct: ct);
        foreach (var item in declared)
            services.Put(item.Address.Kind, item.Manifest["spec"]?.AsObject() ?? []);
        zones.ForEach(services.AddZone);
        var logins = environment.Components.Where(component => component.Enabled).SelectMany(component => catalog.Find(component.Name)!.Rotations)
            .Select(rotation => (Service: rotation switch
            {
                { Kind: RotationKind.ElasticsearchUsers } => "elasticsearch",
                { Kind: RotationKind.ServicePassword, Target: ServiceTarget target } => target.Service,
                _ => "",
            }, Rotation: rotation)).Where(login => login.Service.Length > 0).ToLookup(login => login.Service, login => login.Rotation);
        var regional = new Dictionary<string, ExternalStandIn>();
        foreach (var region in environment.Regions.Select(region => region.Name))
        {
            var own = regional[region] = await ExternalStandIn.StartAsync(seed, null, services.Token, (service, user, asked) => firstPassword(logins, region, service, user, asked), bucketRefusal: asked => bucketRefusal(region, asked), ct: ct);
            foreach (var item in declared)
                own.Put(item.Address.Kind, item.Manifest["spec"]?.AsObject() ?? []);
        }

        return new(services, regional, behind);
    }

    /// <summary>How they are reached in a region. Writes their credential to a file of the data directory.</summary>
    /// <param name="region">Null for one that does not run.</param>
    public IReadOnlyDictionary<string, ExternalAccess> Connect(DataDirectory data, SandboxRegion? region)
    {
        DataDirectory.WriteSecret(data.ExternalToken, services.Token);
        return services.Services.ToDictionary(name => name, name => new ExternalAccess(
            Address(name, region), data.ExternalToken, data.ExternalToken, User: name == "elasticsearch" ? "elastic" : null));
    }

    /// <inheritdoc cref="ExternalStandIn.Issue"/>
    public (string Id, string Value) Issue(string service, string name) => services.Issue(service, name);

    /// <summary>Whether a credential that was issued here was ended.</summary>
    public bool HasEnded(string service, string value) => services.HasEnded(service, value);

    public void Inject(Fault fault)
    {
        foreach (var standIn in regional.Values.Prepend(services))
            standIn.Inject(fault);
    }

    private ExternalStandIn Of(string region) => regional.GetValueOrDefault(region) ?? services;

    private static (string Name, string Namespace, string Service)? At(HealthGate gate) => gate switch
    {
        ElasticsearchGate elasticsearch => ("elasticsearch", elasticsearch.Namespace, elasticsearch.Service),
        PrometheusGate prometheus => ("prometheus", prometheus.Namespace, prometheus.Service),
        _ => null,
    };

    // What stands behind a Service answers only while its pods are ready.
    private string Address(string name, SandboxRegion? region) => behind.TryGetValue(name, out var at) && region is not null
        ? $"http://{region.ServiceAddress(at.Namespace, at.Service)}/{name}/"
        : (region is not null && Regional.Contains(name) ? Of(region.Name) : services).Address(name).AbsoluteUri;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var standIn in regional.Values.Prepend(services))
            await standIn.DisposeAsync();
    }
}
