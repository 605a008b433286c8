using PlatformOps.Adapters;
using PlatformOps.Adapters.Cloudflare;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Starter.Up;

/// <summary>External services of an evaluation, which have what the environment declares of them, and empty zones for its records.</summary>
internal sealed class ExternalWorld : IAsyncDisposable
{
    private readonly ExternalStandIn services;

    private ExternalWorld(ExternalStandIn services) => this.services = services;

    /// <summary>Null when the environment declares nothing of any.</summary>
    public static async Task<ExternalWorld?> StartAsync(EnvironmentSpecification environment, ComponentCatalog catalog, int seed, CancellationToken ct)
    {
        var rendered = environment.Components.Where(component => component.Enabled)
            .SelectMany(component => environment.Regions.SelectMany(region => ManifestRenderer.Render(environment, catalog.Find(component.Name)!, region.Name))).ToList();
        // Regions share these services.
        var declared = rendered.Where(item => item.Address.ApiVersion == ObjectKind.ExternalApiVersion).DistinctBy(item => (item.Address.Kind, item.Address.Name)).ToList();
        var zones = rendered.Where(item => item.Address.ApiVersion == CloudflareObjects.ApiVersion).Select(item => (string?)item.Manifest["spec"]?["zone"]).OfType<string>().Distinct().ToList();
        if (declared.Count + zones.Count == 0)
            return null;
        var services = await ExternalStandIn.StartAsync(seed, ct);
        foreach (var item in declared)
            services.Put(item.Address.Kind, item.Manifest["spec"]?.AsObject() ?? []);
        zones.ForEach(services.AddZone);
        return new(services);
    }

    /// <summary>How they are reached. Writes their credential to a file of the data directory.</summary>
    public IReadOnlyDictionary<string, ExternalAccess> Connect(DataDirectory data)
    {
        DataDirectory.WriteSecret(data.ExternalToken, services.Token);
        return services.Services.ToDictionary(name => name, name => new ExternalAccess(services.Address(name).AbsoluteUri, data.ExternalToken, data.ExternalToken));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => services.DisposeAsync();
}
