using PlatformOps.Adapters;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Starter.Up;

/// <summary>External services of an evaluation, which have exactly what the environment declares of them.</summary>
internal sealed class ExternalWorld : IAsyncDisposable
{
    private readonly ExternalStandIn services;

    private ExternalWorld(ExternalStandIn services) => this.services = services;

    /// <summary>Null when the environment declares nothing of any.</summary>
    public static async Task<ExternalWorld?> StartAsync(EnvironmentSpecification environment, ComponentCatalog catalog, int seed, CancellationToken ct)
    {
        var declared = environment.Components.Where(component => component.Enabled)
            .SelectMany(component => environment.Regions.SelectMany(region => ManifestRenderer.Render(environment, catalog.Find(component.Name)!, region.Name)))
            .Where(item => item.Address.ApiVersion == ObjectKind.ExternalApiVersion)
            // Regions share these services.
            .DistinctBy(item => (item.Address.Kind, item.Address.Name)).ToList();
        if (declared.Count == 0)
            return null;
        var services = await ExternalStandIn.StartAsync(seed, ct);
        foreach (var item in declared)
            services.Put(item.Address.Kind, item.Manifest["spec"]?.AsObject() ?? []);
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
